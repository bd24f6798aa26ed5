/** Which changes of a rollout's state cause a notice. */

import { isWatched, type Rollout } from "../model/rollout.ts";
import type { RolloutNoticeKind } from "../notifications/notification.ts";

/** A notice to be sent about a rollout. */
export interface RolloutNotice {
  readonly kind: RolloutNoticeKind;
  /** The operator who gave the command; null if control decided by itself. */
  readonly by: string | null;
}

/** @param isCommand whether a person's command caused the change */
export const noticeKindOf = (before: Rollout, after: Rollout, isCommand: boolean): RolloutNoticeKind | undefined => {
  if (isWatched(after) && !isWatched(before)) return "watching";
  if (after.status === before.status) {
    if ((after.alerts?.length ?? 0) > (before.alerts?.length ?? 0)) return "alert";
    if (after.foreign && !before.foreign) return "paused";
    // The watch is reported when all Workers have its split.
    if (after.step !== before.step) return after.steps[after.step]?.watch ? undefined : "step";
    return after.why !== before.why && after.why === waitingReason(after) ? "waiting" : undefined;
  }
  if (after.status === "running") return after.step === before.step ? "resumed" : "step";
  if (after.status === "returning") return isCommand ? "aborted" : "failed";
  return after.status;
};

export const waitingReason = ({ steps, step, tier }: Pick<Rollout, "steps" | "step" | "tier">): string =>
  `waiting at ${steps[step]?.share} % for a person: postern rollout promote ${tier}`;

/** Whether the step holds until a person promotes it. */
export const isHeld = (it: Pick<Rollout, "status" | "why" | "steps" | "step" | "tier">): boolean =>
  it.status === "running" && it.why === waitingReason(it);
