/** Runs the due actions of a rollout: observes the platform, applies splits, smoke-tests and judges. */
import type { Verdict } from "../model/finding.ts";
import { isApplied, isUnderWay, isWatched, messageOf, type Rollout, type Subject, splitOf } from "../model/rollout.ts";
import { stateOf } from "../model/rollout-state.ts";
import { epochSpreadMs } from "../overlay/epochs.ts";
import { withFindings } from "../verdict/verdict.ts";
import { awaitsFronts, unpublished } from "./assignment.ts";
import type { RolloutPorts } from "./ports.ts";
import { nextAction, type RolloutAction, type RolloutEvent } from "./reducer.ts";
import { openStretch, watchEndsAt } from "./watch.ts";

/** Interval between reconciliations of a running rollout. */
export const pollIntervalMs = 2000;
/** The same for one that may keep its split for days, paused, held or in its watch: the longer it does, the rarer. */
const watchIntervalMs = { least: 5000, most: 60_000, perAge: 1 / 720 };
/** Hundreds of tiers may be in their watch, and the platform takes 1,200 calls in five minutes. */
const observeIntervalMs = 30_000;
/** Actions per reconciliation: one or two decisions for each Worker of a tier. */
const maxActions = 300;

const undecided = { verdict: "not-enough" } as const;

export interface ActionContext {
  readonly ports: RolloutPorts;
  readonly load: () => Promise<Rollout | undefined>;
  /** The current state; loaded before. */
  readonly latest: () => Rollout;
  readonly applyEvent: (event: RolloutEvent) => Promise<void>;
  /** When the platform was observed last, in milliseconds since the epoch. */
  readonly observed: { at: number };
}

/**
 * Observes the platform and the evidence, and runs the due actions. Nothing is changed on the platform before it was observed.
 * @param isFresh observes the platform in any case
 */
export const runDueActions = async (context: ActionContext, isFresh = false): Promise<void> => {
  const { ports, load, latest } = context;
  const { storage, now } = ports;
  const before = await load();
  if (!isUnderWay(before)) return;
  await storage.setAlarm(now() + pollIntervalMs);
  if (!isFresh && isSteady(before, now()) && now() - context.observed.at < observeIntervalMs) {
    await judgeUsers(context);
    if (isSteady(latest(), now())) return void (await storage.setAlarm(nextAlarmAt(latest(), now())));
  }
  if (!(await observeDeployments(context, latest()))) return judgeUsers(context);
  await assignUsers(context);
  for (let count = 0; count < maxActions; count++) {
    const it = latest();
    const action = nextAction(it, now());
    if (!action) break;
    await runAction(context, it, action);
    const { goal } = latest();
    // Nothing was decided: retry the platform later, and wait for more evidence.
    if (goal.seq === it.goal.seq && (action.kind === "judge" || goal.attempts > it.goal.attempts)) break;
  }
  const after = latest();
  if (isUnderWay(after)) await storage.setAlarm(nextAlarmAt(after, now()));
};

/** Whether it keeps its split unless its users meet a failure. */
const isSteady = (it: Rollout, now: number): boolean => keepsSplit(it) && nextAction(it, now)?.kind !== "split";

const keepsSplit = (it: Rollout): boolean => it.status === "paused" || isWatched(it) || stateOf(it) === "waiting";

/** Without an answer of the platform nothing is changed on it, but users are still observed. */
const judgeUsers = async (context: ActionContext): Promise<void> => {
  if (openStretch(context.latest())) await runAction(context, context.latest(), { kind: "judge" });
};

const assignedText = "the users are assigned to the two versions anew; every front does so within some seconds";

/** Publishes the new assignment of users. Until every front has it, no user is divided. */
const assignUsers = async ({ ports, latest, applyEvent }: ActionContext): Promise<void> => {
  const it = latest();
  const assignment = unpublished(it);
  if (!assignment) return;
  const failure = await ports
    .publishEpoch(assignment.workers, it.id)
    .then(() => undefined)
    .catch((error: Error) => error.message);
  await applyEvent(
    failure === undefined
      ? { kind: "assigned", from: ports.now() + epochSpreadMs, why: assignedText }
      : { kind: "assigned", from: null, why: `the users are not assigned anew yet (${failure}); trying again` },
  );
};

/** @returns whether the platform answered for every Worker */
const observeDeployments = async (
  { ports, applyEvent, observed }: ActionContext,
  { subjects }: Rollout,
): Promise<boolean> => {
  for (const { worker } of subjects) {
    const answer = await ports.platform.deployments(worker);
    if (!answer.ok) return false;
    const [deployment] = answer.result;
    if (deployment) await applyEvent({ kind: "seen", worker, deployment });
  }
  observed.at = ports.now();
  return true;
};

const runAction = async (context: ActionContext, it: Rollout, action: RolloutAction): Promise<void> => {
  const { ports, applyEvent } = context;
  const { seq } = it.goal;
  if (action.kind === "smoke") return applyEvent({ kind: "smoked", seq, ...(await ports.smoke(it)) });
  if (action.kind === "split") return applySplit(context, it, action.subject, action.share);
  // Without telemetry the verdict stays open. Throwing would use up the alarm's few retries.
  const verdict = await evaluate(ports, it).catch(
    (): Verdict => ({ ...undecided, findings: it.verdict?.findings ?? [] }),
  );
  return applyEvent({ kind: "judged", seq, verdict });
};

const applySplit = async (
  { ports, applyEvent }: ActionContext,
  it: Rollout,
  subject: Subject,
  share: number,
): Promise<void> => {
  const { worker } = subject;
  const { seq } = it.goal;
  const answer = await ports.platform.split(worker, splitOf(subject, share), messageOf(it));
  // If the answer was lost, the next observation of the platform shows whether the split was made.
  await applyEvent(
    answer.ok
      ? { kind: "split", seq, worker, deployment: answer.result.id }
      : { kind: "refused", seq, worker, fault: answer },
  );
};

const evaluate = async (ports: RolloutPorts, it: Rollout): Promise<Verdict> => {
  const stages = await Promise.all(
    it.stretches.filter(({ share }) => share > 0).map((stretch) => ports.evidence(it, stretch)),
  );
  const builtIn = ports.judge(it, stages);
  // A failure needs no further evidence, so the queries are skipped.
  return builtIn.verdict === "fail" ? builtIn : withFindings(builtIn, await ports.queries(it));
};

const nextAlarmAt = (it: Rollout, now: number): number => {
  const { least, most, perAge } = watchIntervalMs;
  const age = now - (openStretch(it)?.since ?? now);
  const next = now + Math.max(least, Math.min(most, Math.round(age * perAge)));
  if (isWatched(it) && it.status === "running") return Math.max(now + 50, Math.min(next, watchEndsAt(it)));
  if (keepsSplit(it)) return next;
  if (isApplied(it)) return now + pollIntervalMs;
  const due = awaitsFronts(it, now) ? (it.assignment?.from ?? now + pollIntervalMs) : it.goal.notBefore;
  return Math.max(now + 50, Math.min(due, now + pollIntervalMs));
};
