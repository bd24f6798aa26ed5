/** What of a tier's rollouts others want to hear. */

import type { Rollout } from "../model/rollout.ts";
import type { RolloutNoticeKind } from "../notifications/notification.ts";

/** What has happened. */
export interface RolloutNotice {
  readonly kind: RolloutNoticeKind;
  /** Whose word it is; null where control decided by itself. */
  readonly by: string | null;
}

/** @param isCommand a person has */
export const noticeKindOf = (before: Rollout, after: Rollout, isCommand: boolean): RolloutNoticeKind | undefined => {
  if (after.status === before.status) {
    if (after.step !== before.step) return "step";
    return after.why !== before.why && after.why === waitingReason(after) ? "waiting" : undefined;
  }
  if (after.status === "running") return "resumed";
  if (after.status === "returning") return isCommand ? "aborted" : "failed";
  return after.status;
};

export const waitingReason = ({ steps, step, tier }: Pick<Rollout, "steps" | "step" | "tier">): string =>
  `it waits at ${steps[step]?.share} % for a person: postern rollout promote ${tier}`;
