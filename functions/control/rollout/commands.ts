/** The commands that expose more users: resume and promote. */
import { Refusal } from "../model/refusal.ts";
import { isApplied, isWatched, type Rollout } from "../model/rollout.ts";
import { evidenceGap } from "./promotion.ts";
import { advance, endWatch, withGoal } from "./transitions.ts";

/** Continues with the split that was decided last. */
export const resume = (it: Rollout, now: number): Rollout => {
  const isLive = !it.foreign && isApplied(it) && it.stretches.at(-1)?.until === null;
  // Otherwise it applies the goal again, even over someone else's deployment: a person decided it.
  const state = isLive ? withNextSeq(it) : { ...withGoal(it, it.goal.share), verdict: null };
  return { ...state, status: it.goal.share < 0 ? "returning" : "running", ...unpaused(now) };
};

/** What was approved before does not hold after. */
const withNextSeq = (it: Rollout): Rollout => ({ ...it, goal: { ...it.goal, seq: it.goal.seq + 1 } });

const unpaused = (now: number) => ({ foreign: false, alerts: [], resumedAt: now });

/** Advances one step from the split that users have; resumes a paused rollout with it. */
export const promote = (it: Rollout, by: string, because: string, now: number): Rollout => {
  const isPaused = it.status === "paused";
  if (isPaused && it.goal.share < 0)
    throw new Refusal("this rollout is being rolled back, which the platform refused; resume tries it again");
  if (!isPaused && !isApplied(it)) throw new Refusal("the last step is still being applied; try again in a moment");
  const why = `${by} promoted it${evidenceGap(it) ? " without evidence" : ""}${because}`;
  const state: Rollout = isPaused ? { ...it, status: "running", ...unpaused(now), why } : { ...it, why };
  // Users never had the split of this step, so it is the next one.
  if (!isApplied(it)) return withGoal(state, it.goal.share);
  return isWatched(it) && !it.foreign ? endWatch(state, now) : advance(state);
};
