/** What is to be told of a tier's rollouts, kept beside them until the outbox has it. */
import { type Notice, noticeOf, type RolloutNews, type Tell } from "../notices/notice.ts";
import type { Rollout } from "./state.ts";

/** What has happened that others want to hear of. */
export interface News {
  readonly what: RolloutNews;
  /** Whose word it is; null where control decided by itself. */
  readonly by: string | null;
}

/** @param asked a person has */
export const newsOf = (before: Rollout, after: Rollout, asked: boolean): RolloutNews | undefined => {
  if (after.status === before.status) {
    if (after.step !== before.step) return "step";
    return after.why !== before.why && after.why === waitingWhy(after) ? "waiting" : undefined;
  }
  if (after.status === "running") return "resumed";
  if (after.status === "returning") return asked ? "aborted" : "failed";
  return after.status;
};

export const waitingWhy = ({ steps, step, tier }: Pick<Rollout, "steps" | "step" | "tier">): string =>
  `it waits at ${steps[step]?.share} % for a person: postern rollout promote ${tier}`;

/** How many there were, and those that the outbox has not taken yet. */
interface Told {
  readonly count: number;
  readonly untold: readonly Notice[];
}

const key = "news";
const mostUntold = 50;

/** @param alone lets nobody write in between */
export const newsOn = (
  storage: Pick<DurableObjectStorage, "get" | "put">,
  tell: Tell,
  alone: <T>(work: () => Promise<T>) => Promise<T>,
) => {
  const kept = async (): Promise<Told> => (await storage.get<Told>(key)) ?? { count: 0, untold: [] };
  return {
    /** @returns what is written along with the state that it tells of, at once */
    beside: async (it: Rollout, { what, by }: News, at: number): Promise<Readonly<Record<string, unknown>>> => {
      const { count, untold } = await kept();
      const notice = noticeOf(what, it, by, count + 1, at);
      return { [key]: { count: count + 1, untold: [...untold, notice].slice(-mostUntold) } satisfies Told };
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
