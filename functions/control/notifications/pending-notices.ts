/** What is to be told, kept beside the state that it tells of until the outbox has it. */
import type { Notice, Tell } from "./notification.ts";

/** How many there were, and those that the outbox has not taken yet. */
interface Told {
  readonly count: number;
  readonly untold: readonly Notice[];
}

const key = "news";
const mostUntold = 50;

/** @param alone lets nobody write in between */
export const untoldOn = (
  storage: Pick<DurableObjectStorage, "get" | "put">,
  tell: Tell,
  alone: <T>(work: () => Promise<T>) => Promise<T>,
) => {
  const kept = async (): Promise<Told> => (await storage.get<Told>(key)) ?? { count: 0, untold: [] };
  return {
    /**
     * @param notice given how many there were with it, which makes its id
     * @returns what is written along with the state that it tells of, at once
     */
    beside: async (notice: (count: number) => Notice): Promise<Readonly<Record<string, unknown>>> => {
      const before = await kept();
      const count = before.count + 1;
      return { [key]: { count, untold: [...before.untold, notice(count)].slice(-mostUntold) } satisfies Told };
    },
    /** @returns whether the outbox has taken all */
    tell: async (): Promise<boolean> => {
      const { untold } = await kept();
      if (untold.length === 0) return true;
      const taken = new Set<string>();
      try {
        for (const notice of untold) {
          await tell(notice);
          taken.add(notice.id);
        }
      } catch {
        // Told at the next look.
      }
      await alone(async () => {
        const now = await kept();
        await storage.put(key, { ...now, untold: now.untold.filter(({ id }) => !taken.has(id)) });
      });
      return taken.size === untold.length;
    },
  };
};
