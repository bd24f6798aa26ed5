/** The commands of people: abort, pause, and those that expose more users, resume and promote. */
import { type RolloutPosition, rolloutMismatch } from "../model/approval.ts";
import { Refusal } from "../model/refusal.ts";
import { isApplied, isOver, isWatched, type Rollout } from "../model/rollout.ts";
import { evidenceGap } from "./promotion.ts";
import { advance, endWatch, pause, rollBack, withGoal, withNote } from "./transitions.ts";

export type RolloutCommand = "pause" | "resume" | "promote" | "abort";

/** The command of a person. */
export interface CommandEvent {
  readonly kind: "asked";
  readonly command: RolloutCommand;
  readonly by: string;
  readonly reason: string;
  /** The rollout's position when the command was proposed. */
  readonly approved?: RolloutPosition | undefined;
}

/** @throws Refusal for a command that is not possible in this state */
export const applyCommand = (it: Rollout, { command, by, reason, approved }: CommandEvent, now: number): Rollout => {
  const mismatch = approved && rolloutMismatch(approved, it);
  if (mismatch) throw new Refusal(`what was approved does not hold: ${mismatch}; propose it again`);
  const noteCommand = (state: Rollout) => withNote(state, now, by);
  const because = reason ? `: ${reason}` : "";
  if (command === "abort") {
    if (it.status === "rolled-back" || it.status === "left" || it.status === "returning")
      throw new Refusal(`this rollout is ${it.status} already`);
    // Keeps what someone else deployed; the rollout only ends.
    if (it.status === "paused" && it.foreign)
      return noteCommand({
        ...it,
        status: "left",
        endedAt: now,
        why: `${by} ended it and kept what others deployed${because}`,
      });
    return noteCommand(rollBack({ ...it, endedAt: null }, `${by} aborted it${because}`, now));
  }
  if (isOver(it) || it.status === "returning") throw new Refusal(`this rollout is ${it.status}`);
  if (command === "pause") {
    if (it.status === "paused") throw new Refusal("this rollout is paused already");
    return noteCommand(pause(it, `${by} paused it${because}`, now));
  }
  if (command === "resume") {
    if (it.status !== "paused") throw new Refusal("this rollout is not paused");
    return noteCommand(resume({ ...it, why: `${by} resumed it${because}` }, now));
  }
  return noteCommand(promote(it, by, because, now));
};

/** Continues with the split that was decided last. */
const resume = (it: Rollout, now: number): Rollout => {
  const isLive = !it.foreign && isApplied(it) && it.stretches.at(-1)?.until === null;
  // Otherwise it applies the goal again, even over someone else's deployment: a person decided it.
  const state = isLive ? withNextSeq(it) : { ...withGoal(it, it.goal.share), verdict: null };
  return { ...state, status: it.goal.share < 0 ? "returning" : "running", ...unpaused(now) };
};

/** What was approved before does not hold after. */
const withNextSeq = (it: Rollout): Rollout => ({ ...it, goal: { ...it.goal, seq: it.goal.seq + 1 } });

const unpaused = (now: number) => ({ foreign: false, alerts: [], resumedAt: now });

/** Advances one step from the split that users have; resumes a paused rollout with it. */
const promote = (it: Rollout, by: string, because: string, now: number): Rollout => {
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
