/** A rollout's decisions: a state and what happened make the next state and what is to be done. Pure. */

import { movedOn, type RolloutPosition } from "../model/approval.ts";
import { secretsChanged } from "../model/changed-secrets.ts";
import type { Verdict } from "../model/finding.ts";
import type { PlatformFault } from "../model/platform.ts";
import { Refusal } from "../model/refusal.ts";
import {
  type Deployment,
  type Goal,
  isOver,
  keyOf,
  type Note,
  type Rollout,
  type Status,
  type Subject,
} from "../model/rollout.ts";
import { cut } from "../notifications/notification.ts";
import { type News, newsOf, waitingWhy } from "./events.ts";

export type Command = "pause" | "resume" | "promote" | "abort";

export type Event =
  /** The newest deployment of a Worker, as the platform tells it. */
  | { readonly kind: "seen"; readonly worker: string; readonly deployment: Deployment }
  | { readonly kind: "split"; readonly seq: number; readonly worker: string; readonly deployment: string }
  | { readonly kind: "refused"; readonly seq: number; readonly worker: string; readonly fault: PlatformFault }
  | { readonly kind: "smoked"; readonly seq: number; readonly ok: boolean; readonly why: string }
  | { readonly kind: "judged"; readonly seq: number; readonly verdict: Verdict }
  | {
      readonly kind: "asked";
      readonly command: Command;
      readonly by: string;
      readonly reason: string;
      /** Where the rollout stood when it was approved. */
      readonly approved?: RolloutPosition | undefined;
    };

export type Action =
  | { readonly kind: "split"; readonly subject: Subject; readonly share: number }
  | { readonly kind: "smoke" }
  | { readonly kind: "judge" };

const mostNotes = 100;
/** In characters. */
const longestNote = 1000;
const mostAttempts = 8;
const longestBackoffMs = 30_000;
/** A change of a secret is no part of a release: the platform refuses to go back across it. */

/**
 * @param random in [0, 1)
 * @returns the state with what is to be told of it; what is to be done is asked of `due`
 * @throws Refusal for a command that does not fit
 */
export const reduce = (
  it: Rollout,
  event: Event,
  now: number,
  random: number,
): { readonly state: Rollout; readonly news: News | undefined } => {
  const state = next(it, event, now, random);
  const by = event.kind === "asked" ? event.by : null;
  const what = newsOf(it, state, by !== null);
  return { state, news: what && { what, by } };
};

/** What is to be done now. Asked again after a crash it says the same, until an event says that it was done. */
export const due = (it: Rollout, now: number): Action | undefined => {
  if (isOver(it) || it.status === "paused") return undefined;
  const open = it.subjects.find(({ worker }) => !it.goal.done.includes(worker));
  if (open) return now >= it.goal.notBefore ? { kind: "split", subject: open, share: it.goal.share } : undefined;
  if (it.status !== "running") return undefined;
  if (it.steps[it.step]?.share === 0) return it.smoked ? undefined : { kind: "smoke" };
  return { kind: "judge" };
};

const next = (it: Rollout, event: Event, now: number, random: number): Rollout => {
  if (event.kind === "asked") return commanded(it, event, now);
  if (isOver(it)) return it;
  if (event.kind === "seen") return seen(it, event, now);
  // A person may have decided something else while it was under way.
  if (event.seq !== it.goal.seq)
    return event.kind === "split" ? { ...it, known: { ...it.known, [event.worker]: event.deployment } } : it;
  if (event.kind === "split") return made(it, event.worker, event.deployment, now);
  if (event.kind === "refused") return refused(it, event, now, random);
  if (it.status !== "running") return it;
  if (event.kind === "smoked")
    return event.ok ? advanceWhereReady({ ...it, smoked: true, why: event.why }, now) : returning(it, event.why, now);
  return judged(it, event.verdict, now);
};

const seen = (it: Rollout, { worker, deployment }: Extract<Event, { kind: "seen" }>, now: number): Rollout => {
  if (it.status === "paused" || it.known[worker] === deployment.id) return it;
  if (deployment.message?.startsWith(`${keyOf(it)}:`)) return made(it, worker, deployment.id, now);
  // A call of ours that was given up, and that came through later: what was decided since is made anew.
  if (deployment.message?.startsWith(`postern ${it.id}/`))
    return { ...it, known: { ...it.known, [worker]: deployment.id }, goal: again(it.goal, worker) };
  const secret = deployment.trigger === "secret";
  const why = secret
    ? `a secret of ${worker} was changed while the rollout ran; start it again with a version built since`
    : `${worker} was deployed by ${deployment.author ?? "someone else"} while the rollout ran`;
  return { ...paused({ ...it, known: { ...it.known, [worker]: deployment.id } }, why, now), foreign: true };
};

const again = (goal: Goal, worker: string): Goal => ({ ...goal, done: goal.done.filter((done) => done !== worker) });

const made = (it: Rollout, worker: string, deployment: string, now: number): Rollout => {
  const goal = { ...it.goal, done: [...new Set([...it.goal.done, worker])], attempts: 0, notBefore: 0 };
  const state = { ...it, goal, known: { ...it.known, [worker]: deployment } };
  if (goal.done.length < it.subjects.length) return state;
  if (it.status === "returning") return ended(state, "rolled-back", it.why, now);
  if (goal.share >= 100) return ended(state, "promoted", "all users have the new version", now);
  const stretches = [...state.stretches, { share: goal.share, since: now, until: null }];
  return noted({ ...state, stretches, why: `${goal.share} % of users have the new version` }, now);
};

const refused = (
  it: Rollout,
  { worker, fault }: Extract<Event, { kind: "refused" }>,
  now: number,
  random: number,
): Rollout => {
  const passing = fault.status === 0 || fault.status === 429 || fault.status >= 500;
  const back = it.status === "returning";
  if (!passing || (!back && it.goal.attempts + 1 >= mostAttempts)) {
    const remedy =
      fault.code === secretsChanged
        ? "; deploy the older manifest anew, which keeps today's secrets: postern deploy"
        : "";
    return paused(it, `${worker}: ${fault.message}${fault.code ? ` (${fault.code})` : ""}${remedy}`, now);
  }
  const backoff = Math.min(longestBackoffMs, 500 * 2 ** it.goal.attempts) * (0.5 + random / 2);
  const notBefore = now + Math.max(backoff, Math.min(fault.retryAfterMs ?? 0, 2 * longestBackoffMs));
  const goal = { ...it.goal, attempts: Math.min(it.goal.attempts + 1, 20), notBefore };
  return { ...it, goal, ...(!back && { why: `the platform did not answer (${fault.message}); it is asked again` }) };
};

const judged = (it: Rollout, verdict: Verdict, now: number): Rollout => {
  const state = { ...it, verdict };
  if (verdict.verdict === "fail") {
    const failing = verdict.findings.filter((finding) => finding.verdict === "fail");
    return returning(state, failing.map(({ why }) => why).join("; "), now);
  }
  return advanceWhereReady(state, now);
};

/** The bake is over and nothing speaks against the next step, or it waits, for evidence or for a person. */
const advanceWhereReady = (it: Rollout, now: number): Rollout => {
  const step = it.steps[it.step];
  const since = it.stretches.at(-1)?.since ?? now;
  if (!step || !isBaked(it, now)) return it;
  if (step.hold) return { ...it, why: waitingWhy(it) };
  const smoke = step.share === 0;
  if (smoke || it.verdict?.verdict === "pass") return advanced(it, now);
  if (now - since < step.bakeMs + it.patienceMs) return { ...it, why: "the evidence is not enough yet" };
  return paused(it, `the evidence was not enough in ${Math.round((now - since) / 1000)} s at ${step.share} %`, now);
};

const isBaked = (it: Rollout, now: number): boolean => {
  const step = it.steps[it.step];
  const since = it.stretches.at(-1)?.since;
  if (!step || since === undefined) return false;
  return step.share === 0 ? it.smoked : now - since >= step.bakeMs;
};

const advanced = (it: Rollout, now: number): Rollout => {
  const step = it.step + 1;
  const share = it.steps[step]?.share ?? 100;
  return decided({ ...it, step, smoked: false }, share, now);
};

const decided = (it: Rollout, share: number, now: number): Rollout => ({
  ...it,
  goal: { seq: it.goal.seq + 1, share, done: [], attempts: 0, notBefore: 0 },
  stretches: closed(it, now),
});

const closed = ({ stretches }: Rollout, now: number) =>
  stretches.map((stretch) => (stretch.until === null ? { ...stretch, until: now } : stretch));

const returning = (it: Rollout, why: string, now: number): Rollout =>
  noted({ ...decided(it, -1, now), status: "returning", why }, now);

const paused = (it: Rollout, why: string, now: number): Rollout =>
  noted({ ...it, status: "paused", why, stretches: closed(it, now) }, now);

const ended = (it: Rollout, status: Status, why: string, now: number): Rollout =>
  noted({ ...it, status, why, endedAt: now, stretches: closed(it, now) }, now);

const noted = (it: Rollout, at: number, by?: string): Rollout => {
  const note: Note = { at, what: cut(`${it.status}: ${it.why}`, longestNote), ...(by !== undefined && { by }) };
  return { ...it, notes: [...it.notes, note].slice(-mostNotes) };
};

const commanded = (
  it: Rollout,
  { command, by, reason, approved }: Extract<Event, { kind: "asked" }>,
  now: number,
): Rollout => {
  const elsewhere = approved && movedOn(approved, it);
  if (elsewhere) throw new Refusal(`what was approved does not hold: ${elsewhere}; propose it anew`);
  const said = (state: Rollout): Rollout => noted(state, now, by);
  const because = reason ? `: ${reason}` : "";
  if (command === "abort") {
    if (it.status === "rolled-back" || it.status === "left" || it.status === "returning")
      throw new Refusal(`this rollout is ${it.status} already`);
    // What another deployed stays; the rollout only lets go.
    if (it.status === "paused" && it.foreign)
      return said({
        ...it,
        status: "left",
        endedAt: now,
        why: `${by} ended it, and left what others deployed${because}`,
      });
    return said(returning({ ...it, endedAt: null }, `${by} took it back${because}`, now));
  }
  if (isOver(it) || it.status === "returning") throw new Refusal(`this rollout is ${it.status}`);
  if (command === "pause") {
    if (it.status === "paused") throw new Refusal("this rollout is paused already");
    return said(paused(it, `${by} paused it${because}`, now));
  }
  if (command === "resume") {
    if (it.status !== "paused") throw new Refusal("this rollout is not paused");
    // The split that was decided is made anew: another may have deployed since, and this is a person's word.
    return said({
      ...decided(it, it.goal.share, now),
      status: "running",
      foreign: false,
      verdict: null,
      why: `${by} resumed it${because}`,
    });
  }
  if (it.status === "paused") throw new Refusal("this rollout is paused; resume it first");
  if (it.goal.done.length < it.subjects.length) throw new Refusal("the last step is being made; ask again in a moment");
  return said(advanced({ ...it, why: `${by} promoted it${because}` }, now));
};
