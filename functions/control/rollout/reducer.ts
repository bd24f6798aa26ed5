/** The state machine of a rollout: pure functions from state and event to the next state and the next action. */

import { type RolloutPosition, rolloutMismatch } from "../model/approval.ts";
import type { Verdict } from "../model/finding.ts";
import type { PlatformFailure } from "../model/platform.ts";
import { Refusal } from "../model/refusal.ts";
import {
  type Deployment,
  isOver,
  keyOf,
  type Rollout,
  type RolloutNote,
  type RolloutStatus,
  type SplitGoal,
  type Subject,
} from "../model/rollout.ts";
import { waitingReason } from "../model/rollout-state.ts";
import { truncate } from "../notifications/notification.ts";
import { withDecision } from "./decisions.ts";
import { noticeKindOf, type RolloutNotice } from "./events.ts";
import { platformText } from "./platform-text.ts";
import { failureText, timeoutText, waitingText } from "./verdict-text.ts";

export type RolloutCommand = "pause" | "resume" | "promote" | "abort";

export type RolloutEvent =
  /** A Worker's newest deployment, as observed on the platform. */
  | { readonly kind: "seen"; readonly worker: string; readonly deployment: Deployment }
  | { readonly kind: "split"; readonly seq: number; readonly worker: string; readonly deployment: string }
  | { readonly kind: "refused"; readonly seq: number; readonly worker: string; readonly fault: PlatformFailure }
  | { readonly kind: "smoked"; readonly seq: number; readonly ok: boolean; readonly why: string }
  | { readonly kind: "judged"; readonly seq: number; readonly verdict: Verdict }
  | {
      readonly kind: "asked";
      readonly command: RolloutCommand;
      readonly by: string;
      readonly reason: string;
      /** The rollout's position when the command was proposed. */
      readonly approved?: RolloutPosition | undefined;
    };

export type RolloutAction =
  | { readonly kind: "split"; readonly subject: Subject; readonly share: number }
  | { readonly kind: "smoke" }
  | { readonly kind: "judge" };

const maxNotes = 100;
/** In characters. */
const maxNoteChars = 1000;
const maxAttempts = 8;
const maxBackoffMs = 30_000;

/**
 * @param random in [0, 1)
 * @returns the next state, and the notice to send; `nextAction` returns what to do
 * @throws Refusal for a command that is not possible in this state
 */
export const reduce = (
  it: Rollout,
  event: RolloutEvent,
  now: number,
  random: number,
): { readonly state: Rollout; readonly notice: RolloutNotice | undefined } => {
  const state = nextState(it, event, now, random);
  const by = event.kind === "asked" ? event.by : null;
  const kind = noticeKindOf(it, state, by !== null);
  return { state: withDecision(it, state, kind, now), notice: kind && { kind, by } };
};

/** The next action. Idempotent: it returns the same action until an event confirms it, also after a crash. */
export const nextAction = (it: Rollout, now: number): RolloutAction | undefined => {
  if (isOver(it) || it.status === "paused") return undefined;
  const pending = it.subjects.find(({ worker }) => !it.goal.done.includes(worker));
  if (pending) return now >= it.goal.notBefore ? { kind: "split", subject: pending, share: it.goal.share } : undefined;
  if (it.status !== "running") return undefined;
  if (it.steps[it.step]?.share === 0) return it.smoked ? undefined : { kind: "smoke" };
  return { kind: "judge" };
};

const nextState = (it: Rollout, event: RolloutEvent, now: number, random: number): Rollout => {
  if (event.kind === "asked") return applyCommand(it, event, now);
  if (isOver(it)) return it;
  if (event.kind === "seen") return seen(it, event, now);
  // A person's command may have changed the goal meanwhile.
  if (event.seq !== it.goal.seq)
    return event.kind === "split" ? { ...it, known: { ...it.known, [event.worker]: event.deployment } } : it;
  if (event.kind === "split") return splitMade(it, event.worker, event.deployment, now);
  if (event.kind === "refused") return splitRefused(it, event, now, random);
  if (it.status !== "running") return it;
  if (event.kind === "smoked")
    return event.ok ? advanceWhereReady({ ...it, smoked: true, why: event.why }, now) : rollBack(it, event.why, now);
  return judged(it, event.verdict, now);
};

const seen = (it: Rollout, { worker, deployment }: Extract<RolloutEvent, { kind: "seen" }>, now: number): Rollout => {
  if (it.status === "paused" || it.known[worker] === deployment.id) return it;
  if (deployment.message?.startsWith(`${keyOf(it)}:`)) return splitMade(it, worker, deployment.id, now);
  // An earlier split of this rollout came through late: the current goal is applied again.
  if (deployment.message?.startsWith(`postern ${it.id}/`))
    return { ...it, known: { ...it.known, [worker]: deployment.id }, goal: redo(it.goal, worker) };
  const secret = deployment.trigger === "secret";
  const why = secret
    ? `a secret of ${worker} was changed during the rollout; start it again with a version built since`
    : `${worker} was deployed by ${deployment.author ?? "someone else"} during the rollout`;
  return { ...pause({ ...it, known: { ...it.known, [worker]: deployment.id } }, why, now), foreign: true };
};

const redo = (goal: SplitGoal, worker: string): SplitGoal => ({
  ...goal,
  done: goal.done.filter((done) => done !== worker),
});

const splitMade = (it: Rollout, worker: string, deployment: string, now: number): Rollout => {
  const goal = { ...it.goal, done: [...new Set([...it.goal.done, worker])], attempts: 0, notBefore: 0 };
  const state = { ...it, goal, known: { ...it.known, [worker]: deployment } };
  if (goal.done.length < it.subjects.length) return state;
  if (it.status === "returning") return end(state, "rolled-back", it.why, now);
  if (goal.share >= 100) return end(state, "promoted", "all users have the new version", now);
  const stretches = [...state.stretches, { share: goal.share, since: now, until: null }];
  return withNote({ ...state, stretches, why: `${goal.share} % of the users have the new version` }, now);
};

const splitRefused = (
  it: Rollout,
  { worker, fault }: Extract<RolloutEvent, { kind: "refused" }>,
  now: number,
  random: number,
): Rollout => {
  const isTemporary = fault.status === 0 || fault.status === 429 || fault.status >= 500;
  const isReturning = it.status === "returning";
  if (!isTemporary || (!isReturning && it.goal.attempts + 1 >= maxAttempts)) {
    return pause(it, platformText(worker, fault), now);
  }
  const backoff = Math.min(maxBackoffMs, 500 * 2 ** it.goal.attempts) * (0.5 + random / 2);
  const notBefore = now + Math.max(backoff, Math.min(fault.retryAfterMs ?? 0, 2 * maxBackoffMs));
  const goal = { ...it.goal, attempts: Math.min(it.goal.attempts + 1, 20), notBefore };
  return {
    ...it,
    goal,
    ...(!isReturning && { why: `the platform did not apply the split (${fault.message}); trying again` }),
  };
};

const judged = (it: Rollout, verdict: Verdict, now: number): Rollout => {
  const state = { ...it, verdict };
  if (verdict.verdict === "fail") return rollBack(state, failureText(verdict), now);
  return advanceWhereReady(state, now);
};

/** Advances if the bake is over and the verdict passes; otherwise waits for evidence or a person. */
const advanceWhereReady = (it: Rollout, now: number): Rollout => {
  const step = it.steps[it.step];
  const since = it.stretches.at(-1)?.since ?? now;
  if (!step || !isBaked(it, now)) return it;
  if (step.hold) return { ...it, why: waitingReason(it) };
  if (step.share === 0) return advance(it, now);
  if (it.verdict?.verdict === "pass") return advance({ ...it, why: `every criterion passed at ${step.share} %` }, now);
  if (now - since < step.bakeMs + it.patienceMs) return { ...it, why: waitingText(it.verdict) };
  return pause(it, timeoutText(it.verdict, now - since, step.share), now);
};

const isBaked = (it: Rollout, now: number): boolean => {
  const step = it.steps[it.step];
  const since = it.stretches.at(-1)?.since;
  if (!step || since === undefined) return false;
  return step.share === 0 ? it.smoked : now - since >= step.bakeMs;
};

const advance = (it: Rollout, now: number): Rollout => {
  const step = it.step + 1;
  const share = it.steps[step]?.share ?? 100;
  const why = `${it.why}; ${share >= 100 ? "all" : `${share} % of the`} users get the new version`;
  return withGoal({ ...it, step, smoked: false, why }, share, now);
};

const withGoal = (it: Rollout, share: number, now: number): Rollout => ({
  ...it,
  goal: { seq: it.goal.seq + 1, share, done: [], attempts: 0, notBefore: 0 },
  stretches: closeStretches(it, now),
});

const closeStretches = ({ stretches }: Rollout, now: number) =>
  stretches.map((stretch) => (stretch.until === null ? { ...stretch, until: now } : stretch));

const rollBack = (it: Rollout, why: string, now: number): Rollout =>
  withNote({ ...withGoal(it, -1, now), status: "returning", why }, now);

const pause = (it: Rollout, why: string, now: number): Rollout =>
  withNote({ ...it, status: "paused", why, stretches: closeStretches(it, now) }, now);

const end = (it: Rollout, status: RolloutStatus, why: string, now: number): Rollout =>
  withNote({ ...it, status, why, endedAt: now, stretches: closeStretches(it, now) }, now);

const withNote = (it: Rollout, at: number, by?: string): Rollout => {
  const note: RolloutNote = {
    at,
    what: truncate(`${it.status}: ${it.why}`, maxNoteChars),
    ...(by !== undefined && { by }),
  };
  return { ...it, notes: [...it.notes, note].slice(-maxNotes) };
};

const applyCommand = (
  it: Rollout,
  { command, by, reason, approved }: Extract<RolloutEvent, { kind: "asked" }>,
  now: number,
): Rollout => {
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
    // Applies the goal again, even over someone else's deployment: a person decided it.
    return noteCommand({
      ...withGoal(it, it.goal.share, now),
      status: "running",
      foreign: false,
      verdict: null,
      why: `${by} resumed it${because}`,
    });
  }
  if (it.status === "paused") throw new Refusal("this rollout is paused; resume it first");
  if (it.goal.done.length < it.subjects.length)
    throw new Refusal("the last step is still being applied; try again in a moment");
  return noteCommand(advance({ ...it, why: `${by} promoted it${because}` }, now));
};
