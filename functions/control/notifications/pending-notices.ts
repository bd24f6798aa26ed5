/** What is to be told, kept beside the state that it tells of until the outbox has it. */
import type { Notice, Notify } from "./notification.ts";

/** How many there were, and those that the outbox has not taken yet. */
interface PendingNotices {
  readonly count: number;
  readonly untold: readonly Notice[];
}

const key = "news";
const maxPending = 50;

/** @param runExclusive lets nobody write in between */
export const openPendingNotices = (
  storage: Pick<DurableObjectStorage, "get" | "put">,
  notify: Notify,
  runExclusive: <T>(work: () => Promise<T>) => Promise<T>,
) => {
  const read = async (): Promise<PendingNotices> =>
    (await storage.get<PendingNotices>(key)) ?? { count: 0, untold: [] };
  return {
    /**
     * @param notice given how many there were with it, which makes its id
     * @returns what is written along with the state that it tells of, at once
     */
    beside: async (notice: (count: number) => Notice): Promise<Readonly<Record<string, unknown>>> => {
      const before = await read();
      const count = before.count + 1;
      return {
        [key]: { count, untold: [...before.untold, notice(count)].slice(-maxPending) } satisfies PendingNotices,
      };
    },
    /** @returns whether the outbox has taken all */
    notify: async (): Promise<boolean> => {
      const { untold } = await read();
      if (untold.length === 0) return true;
      const delivered = new Set<string>();
      try {
        for (const notice of untold) {
          await notify(notice);
          delivered.add(notice.id);
        }
      } catch {
        // Told at the next look.
      }
      await runExclusive(async () => {
        const now = await read();
        await storage.put(key, { ...now, untold: now.untold.filter(({ id }) => !delivered.has(id)) });
      });
      return delivered.size === untold.length;
    },
  };
};
