/** The state machine of a rollout: pure functions from state and event to the next state and the next action. */

import type { Verdict } from "../model/finding.ts";
import type { PlatformFailure } from "../model/platform.ts";
import { type Deployment, isApplied, isOver, isWatched, keyOf, type Rollout, type Subject } from "../model/rollout.ts";
import { isRollbackStuck, pausesAt, waitingReason } from "../model/rollout-state.ts";
import { failureText, holdText, timeoutText, waitingText } from "../verdict/decision-text.ts";
import { assigned, awaitsFronts, withoutDivided } from "./assignment.ts";
import { applyCommand, type CommandEvent } from "./commands.ts";
import { withDecision } from "./decisions.ts";
import { noticeKindOf, type RolloutNotice } from "./events.ts";
import { platformText } from "./platform-text.ts";
import {
  advance,
  allHaveIt,
  closeStretches,
  end,
  endWatch,
  pause,
  redo,
  rollBack,
  withNote,
  withStretch,
} from "./transitions.ts";
import {
  actsOn,
  observedShare,
  openStretch,
  watchReason,
  withAlerts,
  withLargerShare,
  withObservedSplit,
} from "./watch.ts";

export type RolloutEvent =
  /** A Worker's newest deployment, as observed on the platform. */
  | { readonly kind: "seen"; readonly worker: string; readonly deployment: Deployment }
  | { readonly kind: "split"; readonly seq: number; readonly worker: string; readonly deployment: string }
  | { readonly kind: "refused"; readonly seq: number; readonly worker: string; readonly fault: PlatformFailure }
  /** From when on every front assigns the users anew, in milliseconds since the epoch; null if the feed did not take it. */
  | { readonly kind: "assigned"; readonly from: number | null; readonly why: string }
  | { readonly kind: "smoked"; readonly seq: number; readonly ok: boolean; readonly why: string }
  | { readonly kind: "judged"; readonly seq: number; readonly verdict: Verdict }
  | CommandEvent;

export type RolloutAction =
  | { readonly kind: "split"; readonly subject: Subject; readonly share: number }
  | { readonly kind: "smoke" }
  | { readonly kind: "judge" };

const maxAttempts = 8;
/** A rollback that the platform refused is tried again after this time: the harm is known. */
const refusedRollbackMs = 300_000;
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
  if (isOver(it)) return undefined;
  const judgeUsers: RolloutAction | undefined = openStretch(it) && { kind: "judge" };
  if (it.status === "paused" && !isRollbackStuck(it)) return judgeUsers;
  const pending = it.subjects.find(({ worker }) => !it.goal.done.includes(worker));
  const isDue = now >= it.goal.notBefore && !awaitsFronts(it, now);
  if (pending && isDue) return { kind: "split", subject: pending, share: it.goal.share };
  // Until the platform answers, users keep the split before.
  if (pending) return it.status === "running" ? judgeUsers : undefined;
  if (it.status !== "running") return undefined;
  if (it.steps[it.step]?.share === 0) return it.smoked ? undefined : { kind: "smoke" };
  return { kind: "judge" };
};

const nextState = (it: Rollout, event: RolloutEvent, now: number, random: number): Rollout => {
  if (event.kind === "asked") return applyCommand(it, event, now);
  if (isOver(it)) return it;
  if (event.kind === "seen") return seen(it, event, now);
  if (event.kind === "assigned") return assigned(it, event);
  // A person's command may have changed the goal meanwhile.
  if (event.seq !== it.goal.seq)
    return event.kind === "split" ? { ...it, known: { ...it.known, [event.worker]: event.deployment } } : it;
  if (event.kind === "split") return splitMade(it, event.worker, event.deployment, now);
  if (event.kind === "refused") return splitRefused(it, event, now, random);
  if (event.kind === "judged") return it.status === "returning" ? it : judged(it, event.verdict, now);
  if (it.status !== "running") return it;
  return event.ok ? advanceWhereReady({ ...it, smoked: true, why: event.why }, now) : rollBack(it, event.why, now);
};

const seen = (it: Rollout, { worker, deployment }: Extract<RolloutEvent, { kind: "seen" }>, now: number): Rollout => {
  if (it.known[worker] === deployment.id) {
    return it.status === "paused" && !isRollbackStuck(it) ? withObservedSplit(it, worker, deployment, now) : it;
  }
  // The answer was lost, and nobody knows since when users have this split.
  if (deployment.message?.startsWith(`${keyOf(it)}:`))
    return splitMade(withLargerShare(it, it.goal.share), worker, deployment.id, now);
  // An earlier split of this rollout came through late: the current goal is applied again.
  if (deployment.message?.startsWith(`postern ${it.id}/`))
    return { ...it, known: { ...it.known, [worker]: deployment.id }, goal: redo(it.goal, worker) };
  if (isWatched(it)) return deployedInWatch(it, worker, deployment, now);
  return foreignDeployment(it, worker, deployment, now);
};

/**
 * A deployment over the promoted version ends the watch: the next release, which starts with it as the stable version. The
 * tier's other Workers still have their hold-back then. One that keeps both versions live pauses the rollout, as always.
 */
const deployedInWatch = (it: Rollout, worker: string, deployment: Deployment, now: number): Rollout => {
  const canary = it.subjects.find((subject) => subject.worker === worker)?.canary;
  const share = deployment.versions.find(({ version_id }) => version_id === canary)?.percentage;
  const by = `${worker} was deployed by ${deployment.author ?? "someone else"}, which ended the watch`;
  if (share === 100)
    return splitMade(
      advance(withNote({ ...it, status: "running", foreign: false, why: by }, now)),
      worker,
      deployment.id,
      now,
    );
  return share === undefined
    ? end({ ...it, known: { ...it.known, [worker]: deployment.id } }, "left", by, now)
    : foreignDeployment(it, worker, deployment, now);
};

const foreignDeployment = (it: Rollout, worker: string, deployment: Deployment, now: number): Rollout => {
  const secret = deployment.trigger === "secret";
  const why = secret
    ? `a secret of ${worker} was changed during the rollout; start it again with a version built since`
    : `${worker} was deployed by ${deployment.author ?? "someone else"} during the rollout`;
  const known = { ...it.known, [worker]: deployment.id };
  const before = withoutDivided(it, worker, deployment);
  const stretches = closeStretches(withLargerShare(it, observedShare(it, worker, deployment) ?? 0), now);
  const state = { ...pause({ ...before, known, stretches }, why, now), foreign: true };
  return withObservedSplit(state, worker, deployment, now);
};

const splitMade = (it: Rollout, worker: string, deployment: string, now: number): Rollout => {
  const goal = { ...it.goal, done: [...new Set([...it.goal.done, worker])], attempts: 0, notBefore: 0 };
  const state = { ...it, goal, known: { ...it.known, [worker]: deployment } };
  if (!isApplied(state)) return withLargerShare(state, goal.share);
  if (goal.share < 0) return end(state, "rolled-back", it.why, now);
  const step = it.steps[it.step];
  if (goal.share >= 100 && !step?.watch) return end(state, "promoted", allHaveIt, now);
  const stretches = withStretch({ stretches: closeStretches(state, now) }, goal.share, now);
  if (it.status === "paused") return { ...state, stretches };
  const why = step?.watch ? watchReason(goal.share, step.bakeMs) : `${goal.share} % of the users have the new version`;
  return withNote({ ...state, stretches, why }, now);
};

const splitRefused = (
  it: Rollout,
  { worker, fault }: Extract<RolloutEvent, { kind: "refused" }>,
  now: number,
  random: number,
): Rollout => {
  if (it.status === "paused") return { ...it, goal: { ...it.goal, notBefore: now + refusedRollbackMs } };
  const isTemporary = fault.status === 0 || fault.status === 429 || fault.status >= 500;
  const isReturning = it.status === "returning";
  if (!isTemporary || (!isReturning && it.goal.attempts + 1 >= maxAttempts)) {
    return pause({ ...it, goal: { ...it.goal, notBefore: now + refusedRollbackMs } }, platformText(worker, fault), now);
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
  const failing = verdict.findings.filter((finding) => verdict.verdict === "fail" && finding.verdict === "fail");
  const harm = failing.filter((finding) => actsOn(it, finding));
  if (harm.length > 0) return rollBack({ ...it, verdict }, failureText({ ...verdict, findings: harm }), now);
  const heldSince = verdict.verdict === "hold" ? (it.heldSince ?? now) : null;
  const state = withAlerts({ ...it, verdict, heldSince }, verdict, now);
  return it.status === "running" && isApplied(it) ? advanceWhereReady(state, now) : state;
};

/** Advances if the bake is over and the verdict passes; otherwise waits for evidence or a person. */
const advanceWhereReady = (it: Rollout, now: number): Rollout => {
  const step = it.steps[it.step];
  const since = Math.max(it.stretches.at(-1)?.since ?? now, it.resumedAt ?? 0);
  if (!step || !isBaked(it, now)) return it;
  if (step.watch) return endWatch(it, now);
  if (step.hold) return { ...it, why: waitingReason(it) };
  if (step.share === 0) return advance(it);
  if (it.verdict?.verdict === "pass") return advance({ ...it, why: `every criterion passed at ${step.share} %` });
  if (now < pausesAt(it, now)) return { ...it, why: waitingText(it.verdict) };
  if (it.verdict?.verdict === "hold") return pause(it, holdText(it.verdict, step.share), now);
  return pause(it, timeoutText(it.verdict, now - since, step.share), now);
};

const isBaked = (it: Rollout, now: number): boolean => {
  const step = it.steps[it.step];
  const since = it.stretches.at(-1)?.since;
  if (!step || since === undefined) return false;
  return step.share === 0 ? it.smoked : now - since >= step.bakeMs;
};
