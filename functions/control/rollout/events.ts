/** What of a tier's rollouts others want to hear. */

import type { Rollout } from "../model/rollout.ts";
import type { RolloutNews } from "../notifications/notification.ts";

/** What has happened. */
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
