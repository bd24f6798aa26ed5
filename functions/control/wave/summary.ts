/** What a wave sees of a tier's rollout. */
import { isHeld, isWatched, type Rollout } from "../model/rollout.ts";
import type { RolloutSummary } from "../model/wave.ts";

export const summaryOf = (it: Rollout): RolloutSummary => {
  const watched = isWatched(it);
  const { id, status, goal, why } = it;
  return {
    id,
    status: watched ? "promoted" : status,
    watched,
    waits: status === "paused" || isHeld(it),
    share: goal.share,
    why,
  };
};
