/** Test harness: a rollout on a fake platform that can fail, in a process that can die between any two effects. */

import type { RolloutPosition } from "../../functions/control/model/approval.ts";
import { criteriaOf } from "../../functions/control/model/criteria.ts";
import type { Finding, Verdict } from "../../functions/control/model/finding.ts";
import type { PlatformFailure } from "../../functions/control/model/platform.ts";
import type { Deployment, Rollout, RolloutStart, RolloutStep, Stretch } from "../../functions/control/model/rollout.ts";
import type { Notice } from "../../functions/control/notifications/notification.ts";
import type { RolloutCommand } from "../../functions/control/rollout/commands.ts";
import { rolloutController } from "../../functions/control/rollout/controller.ts";
import type { RolloutPorts } from "../../functions/control/rollout/ports.ts";
import type { Stage } from "../../functions/control/verdict/evidence.ts";
import { judge } from "../../functions/control/verdict/verdict.ts";

export class ProcessDeath extends Error {
  override readonly name = "ProcessDeath";
}

export const steps: readonly RolloutStep[] = [0, 1, 10, 50, 100].map((share) => ({ share, bakeMs: 5000, hold: false }));

export interface SplitCall {
  readonly worker: string;
  readonly share: number;
  readonly message: string;
  /** The share that was stored before. */
  readonly decidedShare: number | undefined;
}

export const verdictOf = (verdict: Verdict["verdict"], criterion: Finding["criterion"] = "errors"): Verdict => ({
  verdict,
  findings: [
    {
      criterion,
      verdict,
      stable: 0,
      canary: 0.02,
      low: null,
      high: null,
      tolerate: 0.005,
      why: "errors: 2 % against 0",
    },
  ],
});

/** @param idsOf ids of a Worker's versions */
export const rolloutHarness = (
  workers: readonly string[] = ["gate-a"],
  plannedSteps: readonly RolloutStep[] = steps,
  idsOf = (worker: string) => ({ stable: `${worker}-stable`, canary: `${worker}-canary` }),
) => {
  const stored = new Map<string, unknown>();
  const live = new Map<string, Deployment[]>();
  const splits: SplitCall[] = [];
  const notices: Notice[] = [];
  /** The epoch of each Worker, with the shares of its versions when it began. */
  const epochs = new Map<string, { readonly epoch: string; readonly shares: readonly number[] }>();
  let time = 1_000_000;
  let alarm: number | null = null;
  let count = 0;
  let dieAt = Number.POSITIVE_INFINITY;
  let observations = 0;
  const scenario = {
    verdict: "pass" as Verdict["verdict"],
    criterion: "errors" as Finding["criterion"],
    smoke: true,
    queries: [] as Finding[],
    /** The outbox is unavailable. */
    outboxDown: false,
    /** Telemetry is unavailable. */
    telemetryDown: false,
    /** The platform shows no deployments. */
    platformDown: false,
    /** The feed does not take epochs. */
    feedDown: false,
    /** Faults of the next calls to the platform. */
    faults: [] as (PlatformFailure | "lost")[],
    /** What both versions did; it is judged by control's own verdict, in place of `verdict`. */
    evidence: undefined as ((stretch: Stretch) => Stage) | undefined,
  };
  const deploy = (worker: string, versions: Deployment["versions"], message: string | null, author: string | null) => {
    const id = `d${++count}`;
    live.set(worker, [{ id, versions, message, author, trigger: null }, ...(live.get(worker) ?? [])]);
    return id;
  };
  /** Adds a new version at 0 %, as `postern deploy --split 0` does. */
  const upload = (): void => {
    for (const worker of workers)
      deploy(
        worker,
        [
          { version_id: idsOf(worker).stable, percentage: 100 },
          { version_id: idsOf(worker).canary, percentage: 0 },
        ],
        "postern deploy",
        "alice",
      );
  };
  upload();
  /** The process can die before each effect. */
  const effect = () => {
    if (--dieAt < 0) throw new ProcessDeath();
  };
  const shareIn = (worker: string, versions: Deployment["versions"]): number =>
    versions.find(({ version_id }) => version_id === idsOf(worker).canary)?.percentage ?? -1;
  const ports: RolloutPorts = {
    storage: {
      get: async (key: string) => structuredClone(stored.get(key)),
      put: async (keyOrEntries: string | Readonly<Record<string, unknown>>, value?: unknown) => {
        effect();
        // Several entries are written atomically.
        for (const [key, one] of Object.entries(
          typeof keyOrEntries === "string" ? { [keyOrEntries]: value } : keyOrEntries,
        ))
          stored.set(key, structuredClone(one));
        effect();
      },
      setAlarm: async (at: number) => {
        alarm = at;
      },
    } as unknown as RolloutPorts["storage"],
    platform: {
      deployments: async (worker) => {
        effect();
        observations++;
        if (scenario.platformDown) return { ok: false, status: 0, code: null, message: "no answer" };
        return { ok: true, result: live.get(worker) ?? [] };
      },
      split: async (worker, versions, message) => {
        effect();
        const fault = scenario.faults.shift();
        if (fault && fault !== "lost") return { ok: false, ...fault };
        const decided = (stored.get("current") as Rollout | undefined)?.goal.share;
        splits.push({ worker, share: shareIn(worker, versions), message, decidedShare: decided });
        const id = deploy(worker, versions, message, "token");
        effect();
        if (fault === "lost") return { ok: false, status: 0, code: null, message: "no answer" };
        return { ok: true, result: { id } };
      },
      version: async (_, version) => ({ ok: true, result: { tag: `digest of ${version}`, message: null } }),
    },
    evidence: async (_, stretch) => {
      if (scenario.telemetryDown) throw new Error("telemetry does not answer");
      return scenario.evidence?.(stretch) ?? ({} as Stage);
    },
    judge: (it, stages) =>
      scenario.evidence
        ? judge(stages, criteriaOf(it), { forecast: true })
        : verdictOf(scenario.verdict, scenario.criterion),
    queries: async () => scenario.queries,
    smoke: async () => {
      effect();
      return { ok: scenario.smoke, why: scenario.smoke ? "1 smoke test has passed" : "smoke test GET /: answered 500" };
    },
    publishEpoch: async (assigned, epoch) => {
      effect();
      if (scenario.feedDown) throw new Error("the feed does not answer");
      for (const worker of assigned)
        if (epochs.get(worker)?.epoch !== epoch)
          epochs.set(worker, { epoch, shares: live.get(worker)?.[0]?.versions.map((it) => it.percentage) ?? [] });
      effect();
    },
    notify: async (notice) => {
      effect();
      if (scenario.outboxDown) throw new Error("the outbox does not answer");
      notices.push(notice);
      effect();
    },
    now: () => time,
    random: () => 0.5,
    uuid: () => `id${++count}-0000`,
  };
  // The running process; its memory is lost when it dies.
  let process = rolloutController(ports);
  const start = (request: Partial<RolloutStart> = {}) =>
    process.start({
      tier: "a",
      facts: { workers },
      steps: plannedSteps,
      patienceMs: 20_000,
      tolerate: { errors: "+1pp", p99: "+20%", refusals: "+1pp" },
      smoke: [],
      by: "alice",
      reason: "a test",
      ...request,
    });
  return {
    ports,
    scenario,
    splits,
    notices,
    epochs,
    start,
    upload,
    command: (command: RolloutCommand, by = "bob", reason = "", approved?: RolloutPosition) =>
      process.ask(command, by, reason, undefined, approved),
    /** Calls for deployments of the platform. */
    observations: () => observations,
    now: () => time,
    advance: (ms: number) => {
      time += ms;
    },
    alarm: () => alarm,
    state: () => stored.get("current") as Rollout,
    history: () => process.history(),
    candidates: (request: Parameters<typeof process.candidates>[0]) => process.candidates(request),
    /** Changes what is stored, as if another release had written it. */
    restore: (key: "current" | "past", change: (value: never) => unknown) =>
      stored.set(key, change(stored.get(key) as never)),
    /** Deploys these versions, as a person would. */
    deployVersions: (worker: string, versions: Deployment["versions"]) => deploy(worker, versions, null, "alice"),
    /** @param shares of versions, in per cent */
    deployForeign: (
      worker = workers[0] as string,
      trigger: string | null = null,
      shares: Readonly<Record<string, number>> = { other: 100 },
    ) => {
      const versions = Object.entries(shares).map(([version_id, percentage]) => ({ version_id, percentage }));
      const id = deploy(worker, versions, null, "mallory");
      const [newest] = live.get(worker) as [Deployment];
      live.set(worker, [{ ...newest, id, trigger }, ...(live.get(worker) ?? []).slice(1)]);
    },
    share: (worker = workers[0] as string) => shareIn(worker, live.get(worker)?.[0]?.versions ?? []),
    newest: (worker = workers[0] as string) => live.get(worker)?.[0],
    /** One reconciliation; the process dies before its `n`-th effect. */
    reconcile: async (n = Number.POSITIVE_INFINITY): Promise<boolean> => {
      dieAt = n;
      try {
        await process.reconcile();
        return true;
      } catch (error) {
        if (!(error instanceof ProcessDeath)) throw error;
        process = rolloutController(ports);
        return false;
      } finally {
        dieAt = Number.POSITIVE_INFINITY;
      }
    },
  };
};

export type RolloutHarness = ReturnType<typeof rolloutHarness>;

/** Reconciles as often as the alarm would, for this time. */
export const runFor = async (it: RolloutHarness, ms: number): Promise<void> => {
  for (const end = it.now() + ms; it.now() < end; it.advance(1000)) await it.reconcile();
};
