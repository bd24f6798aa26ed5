/** The controller of a tier's rollouts: stores the state, observes the platform and runs due actions. A crash at any point loses nothing and repeats nothing. */

import { type RolloutPosition, versionMismatch } from "../model/approval.ts";
import type { Finding, Verdict } from "../model/finding.ts";
import type { Platform } from "../model/platform.ts";
import { Refusal } from "../model/refusal.ts";
import {
  type Candidate,
  isOver,
  isRunning,
  messageOf,
  type Rollout,
  type RolloutStart,
  type Stretch,
  type Subject,
  splitOf,
} from "../model/rollout.ts";
import { type Notify, rolloutNotice } from "../notifications/notification.ts";
import { storedState } from "../notifications/stored-state.ts";

import { describeVersion, findReleasable } from "./candidates.ts";
import type { RolloutNotice } from "./events.ts";
import type { Stage } from "./evidence.ts";
import { nextAction, type RolloutCommand, type RolloutEvent, reduce } from "./reducer.ts";
import { withFindings } from "./verdict.ts";

export interface RolloutPorts {
  readonly storage: Pick<DurableObjectStorage, "get" | "put" | "setAlarm">;
  readonly platform: Platform;
  readonly evidence: (it: Rollout, stretch: Stretch) => Promise<Stage>;
  readonly judge: (it: Rollout, stages: readonly Stage[]) => Verdict;
  /** Findings of the release's own Prometheus queries. */
  readonly queries: (it: Rollout) => Promise<readonly Finding[]>;
  readonly smoke: (it: Rollout) => Promise<{ readonly ok: boolean; readonly why: string }>;
  /** Delivers each notice at least once. */
  readonly notify: Notify;
  readonly now: () => number;
  readonly random: () => number;
  readonly uuid: () => string;
}

/** Interval between reconciliations of a running rollout. */
const pollIntervalMs = 2000;
const maxPast = 50;
/** Characters of the past rollouts' JSON: a stored value has 2 MiB at most, and a character may take two bytes. */
const maxPastChars = 800_000;
/** Actions per reconciliation: one or two decisions for each Worker of a tier. */
const maxActions = 300;

const undecided = { verdict: "not-enough" } as const;

const past = "past";

export const rolloutController = (ports: RolloutPorts) => {
  const { storage, now, random } = ports;
  const history = async () => (await storage.get<readonly Rollout[]>(past)) ?? [];
  const stored = storedState<Rollout>(storage, ports.notify);
  const { runExclusive, load } = stored;
  const save = (it: Rollout, notice?: RolloutNotice): Promise<void> =>
    stored.save(it, notice && ((count) => rolloutNotice(notice.kind, it, notice.by, count, now())));

  const applyEvent = (event: RolloutEvent): Promise<void> =>
    runExclusive(async () => {
      const it = await load();
      if (!it) return;
      const { state: next, notice } = reduce(it, event, now(), random());
      if (next !== it) await save(next, notice);
    });

  /** @returns whether the platform answered for every Worker */
  const observeDeployments = async ({ subjects }: Rollout): Promise<boolean> => {
    for (const { worker } of subjects) {
      const answer = await ports.platform.deployments(worker);
      if (!answer.ok) return false;
      const [deployment] = answer.result;
      if (deployment) await applyEvent({ kind: "seen", worker, deployment });
    }
    return true;
  };

  const applySplit = async (it: Rollout, subject: Subject, share: number): Promise<void> => {
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

  const evaluate = async (it: Rollout): Promise<Verdict> => {
    const stages = await Promise.all(
      it.stretches.filter(({ share }) => share > 0).map((stretch) => ports.evidence(it, stretch)),
    );
    const builtIn = ports.judge(it, stages);
    // A failure needs no further evidence, so the queries are skipped.
    return builtIn.verdict === "fail" ? builtIn : withFindings(builtIn, await ports.queries(it));
  };

  const judgeEvidence = async (it: Rollout): Promise<void> => {
    // Without telemetry the verdict stays open. Throwing would use up the alarm's few retries.
    const verdict = await evaluate(it).catch((): Verdict => ({ ...undecided, findings: it.verdict?.findings ?? [] }));
    await applyEvent({ kind: "judged", seq: it.goal.seq, verdict });
  };

  /** Observes the platform and the evidence, and runs the due actions. */
  const runDueActions = async (): Promise<void> => {
    const before = await load();
    if (!isRunning(before)) return;
    await storage.setAlarm(now() + pollIntervalMs);
    if (!(await observeDeployments(before))) return;
    for (let count = 0; count < maxActions; count++) {
      const it = stored.latest() as Rollout;
      const action = nextAction(it, now());
      if (!action) break;
      if (action.kind === "smoke") await applyEvent({ kind: "smoked", seq: it.goal.seq, ...(await ports.smoke(it)) });
      else if (action.kind === "split") await applySplit(it, action.subject, action.share);
      else await judgeEvidence(it);
      const { goal } = stored.latest() as Rollout;
      // Nothing was decided: retry the platform later, and wait for more evidence.
      if (goal.seq === it.goal.seq && (action.kind === "judge" || goal.attempts > it.goal.attempts)) break;
    }
    const after = stored.latest() as Rollout;
    if (isRunning(after)) await storage.setAlarm(nextAlarmAt(after, now()));
  };

  return {
    reconcile: async (): Promise<void> => {
      await runDueActions();
      // Notices are sent after the due actions.
      if (!(await stored.notify()) && !isRunning(stored.latest())) await storage.setAlarm(now() + pollIntervalMs);
    },
    status: load,
    history: async () => [...(await history()), ...([await load()].filter(Boolean) as Rollout[])].toReversed(),
    /** What `start` would release now. @throws Refusal if there is nothing to release */
    candidates: async ({ tier, facts }: Pick<RolloutStart, "tier" | "facts">): Promise<readonly Candidate[]> =>
      Promise.all(
        (await findReleasable(tier, facts, ports.platform)).map(({ subject }) =>
          describeVersion(subject, ports.platform),
        ),
      ),
    /** @throws Refusal if a rollout is running, there is nothing to release, or the versions differ from the approved ones */
    start: ({ facts, wave, approved, ...request }: RolloutStart): Promise<Rollout> =>
      runExclusive(async () => {
        const before = await load();
        if (before && wave !== undefined && before.wave === wave) return before;
        if (before && !isOver(before)) throw new Refusal(`a rollout of ${before.tier} is under way, by ${before.by}`);
        const found = await findReleasable(request.tier, facts, ports.platform);
        const subjects = found.map(({ subject }) => subject);
        const mismatch = approved && versionMismatch(approved, subjects);
        if (mismatch) throw new Refusal(`what was approved does not hold: ${mismatch}; propose it again`);
        if (before) await storage.put(past, newestThatFit([...(await history()), before]));
        const at = now();
        const it: Rollout = {
          ...request,
          id: ports.uuid().slice(0, 8),
          subjects,
          ...(wave !== undefined && { wave }),
          startedAt: at,
          endedAt: null,
          status: "running",
          step: 0,
          goal: { seq: 1, share: request.steps[0]?.share ?? 100, done: [], attempts: 0, notBefore: 0 },
          foreign: false,
          smoked: false,
          known: Object.fromEntries(found.map(({ subject, deployment }) => [subject.worker, deployment])),
          stretches: [],
          verdict: null,
          why: "started",
          notes: [{ at, what: `started: ${request.reason}`, by: request.by }],
        };
        await save(it, { kind: "started", by: request.by });
        await storage.setAlarm(at);
        return it;
      }),
    /**
     * @param wave refuses if another wave, or none, started the rollout
     * @param approved refuses if the rollout's position has changed
     * @throws Refusal
     */
    ask: async (
      command: RolloutCommand,
      by: string,
      reason: string,
      wave?: string,
      approved?: RolloutPosition,
    ): Promise<Rollout> => {
      const before = await load();
      if (!before) throw new Refusal("this tier has no rollout");
      if (wave !== undefined && before.wave !== wave) throw new Refusal("another rollout has been started since");
      await applyEvent({ kind: "asked", command, by, reason, approved });
      // Wakes the controller even if no action is due: the notice has to be sent.
      await storage.setAlarm(now());
      return stored.latest() as Rollout;
    },
  };
};

/** The newest past rollouts that fit into the stored value. */
const newestThatFit = (all: readonly Rollout[]): readonly Rollout[] => {
  const sizes = all.map((it) => JSON.stringify(it).length);
  let from = all.length;
  for (let chars = 0; from > Math.max(0, all.length - maxPast); from--) {
    chars += sizes[from - 1] as number;
    if (chars > maxPastChars) break;
  }
  return all.slice(from);
};

const nextAlarmAt = (it: Rollout, now: number): number =>
  it.goal.done.length < it.subjects.length ? Math.max(now + 50, it.goal.notBefore) : now + pollIntervalMs;
