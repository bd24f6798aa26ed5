/** What a wave sees of a tier's rollout. */
import { isWatched, type Rollout } from "../model/rollout.ts";
import { stateOf } from "../model/rollout-state.ts";
import type { RolloutSummary } from "../model/wave.ts";

export const summaryOf = (it: Rollout): RolloutSummary => {
  const watched = isWatched(it);
  const { id, status, goal, why } = it;
  return {
    id,
    status: watched ? "promoted" : status,
    watched,
    waits: status === "paused" || stateOf(it) === "waiting",
    share: goal.share,
    why,
  };
};
