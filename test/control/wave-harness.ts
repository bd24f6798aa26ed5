/** Test harness: a wave over many tiers with real rollouts on a fake platform, in one process that can die between any two effects. */

import type { ControlPlan, TierFacts } from "../../functions/control/model/plan.ts";
import { rolloutSettings } from "../../functions/control/model/release.ts";
import type { ReleaseConfig } from "../../functions/control/model/release-config.ts";
import { type Deployment, isOver, isWatched, type Rollout } from "../../functions/control/model/rollout.ts";
import type { Wave } from "../../functions/control/model/wave.ts";
import type { Notice } from "../../functions/control/notifications/notification.ts";
import { rolloutController } from "../../functions/control/rollout/controller.ts";
import type { RolloutPorts } from "../../functions/control/rollout/ports.ts";
import type { Stage } from "../../functions/control/verdict/evidence.ts";
import { waveController } from "../../functions/control/wave/controller.ts";
import { membersOf } from "../../functions/control/wave/members.ts";
import type { WavePorts } from "../../functions/control/wave/ports.ts";
import type { WaveCommand } from "../../functions/control/wave/reducer.ts";
import { summaryOf } from "../../functions/control/wave/summary.ts";
import { ProcessDeath, verdictOf } from "./rollout-harness.ts";

export interface TierSpec {
  readonly tier: string;
  readonly level: TierFacts["level"];
  /** By default a Worker of its own. */
  readonly worker?: string;
  readonly watch?: string;
}

const release: ReleaseConfig = {
  steps: ["0%", "50%", "100%"],
  bake: "5s",
  tolerate: { errors: "+1pp", p99: "+20%", refusals: "+1pp" },
};

export const planOf = (tiers: readonly TierSpec[]): Pick<ControlPlan, "tiers"> => ({
  tiers: Object.fromEntries(
    tiers.map(({ tier, level, worker = `gate-${tier}`, watch }) => [
      tier,
      { level, workers: [worker], release: { ...release, watch } } as unknown as TierFacts,
    ]),
  ),
});

/** A started rollout, and the state at that time. */
export interface StartedRollout {
  readonly tier: string;
  readonly wave: string | undefined;
  /** The stored wave. */
  readonly recorded: Wave | undefined;
  /** Tiers with a running rollout, itself included. */
  readonly open: readonly string[];
}

export const waveHarness = (tiers: readonly TierSpec[], concurrent: number) => {
  const plan = planOf(tiers);
  const names = tiers.map(({ tier }) => tier);
  let time = 1_000_000;
  let count = 0;
  let dieAt = Number.POSITIVE_INFINITY;
  /** The process can die before each effect. */
  const effect = () => {
    if (--dieAt < 0) throw new ProcessDeath();
  };
  const started: StartedRollout[] = [];
  /** Notices of the wave. */
  const notices: Notice[] = [];
  const scenario = {
    outboxGone: false,
    /** Tiers whose new version is bad. */
    bad: new Set<string>(),
    /** Tiers without enough evidence. */
    open: new Set<string>(),
    /** Faults of the next calls to rollouts. */
    faults: [] as ("lost before" | "lost after")[],
    /** The number of next observations that get no answer. */
    unseen: 0,
  };
  const live = new Map<string, Deployment[]>();
  for (const { tier, worker = `gate-${tier}` } of tiers)
    live.set(worker, [
      {
        id: `d${++count}`,
        versions: [
          { version_id: "stable", percentage: 100 },
          { version_id: "canary", percentage: 0 },
        ],
        message: "postern deploy",
        author: "alice",
        trigger: null,
      },
    ]);

  const store = () => {
    const stored = new Map<string, unknown>();
    const storage = {
      get: async (key: string) => structuredClone(stored.get(key)),
      put: async (given: string | object, value?: unknown) => {
        effect();
        const all = Object.entries(typeof given === "string" ? { [given]: value } : given);
        for (const [key, one] of all) stored.set(key, structuredClone(one));
        effect();
      },
      delete: async (key: string) => stored.delete(key),
      list: async ({ prefix = "" }) => new Map([...stored].filter(([key]) => key.startsWith(prefix)).sort()),
      setAlarm: async () => {},
    } as unknown as RolloutPorts["storage"] & WavePorts["storage"];
    return { kept: stored, storage };
  };
  const stores = new Map(names.map((tier) => [tier, store()]));
  const waveStore = store();
  const current = (tier: string) => stores.get(tier)?.kept.get("current") as Rollout | undefined;

  const rolloutPorts = (tier: string): RolloutPorts => ({
    storage: stores.get(tier)?.storage as RolloutPorts["storage"],
    platform: {
      deployments: async (worker) => {
        effect();
        return { ok: true, result: live.get(worker) ?? [] };
      },
      split: async (worker, versions, message) => {
        effect();
        const id = `d${++count}`;
        live.set(worker, [{ id, versions, message, author: "token", trigger: null }, ...(live.get(worker) ?? [])]);
        effect();
        return { ok: true, result: { id } };
      },
      version: async () => ({ ok: true, result: { tag: "digest", message: null } }),
    },
    evidence: async () => ({}) as Stage,
    queries: async () => [],
    judge: () => verdictOf(scenario.bad.has(tier) ? "fail" : scenario.open.has(tier) ? "not-enough" : "pass"),
    smoke: async () => ({ ok: true, why: "it answers" }),
    publishEpoch: async () => {},
    notify: async () => {},
    now: () => time,
    random: () => 0.5,
    uuid: () => `r${++count}-0000`,
  });

  const boot = () => {
    const all = new Map(names.map((tier) => [tier, rolloutController(rolloutPorts(tier))]));
    const of = (tier: string) => all.get(tier) as ReturnType<typeof rolloutController>;
    const faulty = async <T>(work: () => Promise<T>): Promise<T> => {
      const fault = scenario.faults.shift();
      if (fault === "lost before") throw new Error("no answer");
      const done = await work();
      effect();
      if (fault === "lost after") throw new Error("no answer");
      return done;
    };
    const ports: WavePorts = {
      storage: waveStore.storage,
      notify: async (notice) => {
        effect();
        if (scenario.outboxGone) throw new Error("the outbox does not answer");
        notices.push(notice);
        effect();
      },
      now: () => time,
      uuid: () => `w${++count}-0000`,
      rollouts: {
        runningRollout: async (tier) => {
          const it = await of(tier).status();
          return it && !isOver(it) && !isWatched(it) ? tier : undefined;
        },
        find: async ({ id }, { tier }) => {
          effect();
          if (scenario.unseen > 0) {
            scenario.unseen--;
            throw new Error("no answer");
          }
          const it = (await of(tier).history()).find(({ wave }) => wave === id);
          return it ? summaryOf(it) : null;
        },
        start: ({ id, by, reason }, { tier, release: written, approved }) =>
          faulty(async () => {
            effect();
            const before = current(tier)?.id;
            const facts = plan.tiers[tier] as TierFacts;
            const it = await of(tier).start({
              ...rolloutSettings(written),
              tier,
              facts,
              by,
              reason,
              wave: id,
              retry: true,
              approved,
            });
            if (it.id !== before)
              started.push({
                tier,
                wave: it.wave,
                recorded: structuredClone(waveStore.kept.get("current")) as Wave | undefined,
                open: names.filter((name) => {
                  const one = current(name);
                  return one?.wave === id && !isOver(one);
                }),
              });
            return summaryOf(it);
          }),
        abort: ({ id, by }, { tier }) => faulty(() => of(tier).ask("abort", by, "the wave", id)),
      },
    };
    return { of, wave: waveController(ports) };
  };
  // The running process; its memory is lost when it dies.
  let process = boot();

  const dieAfter = async (n: number, work: () => Promise<unknown>): Promise<boolean> => {
    dieAt = n;
    try {
      await work();
      return true;
    } catch (error) {
      if (!(error instanceof ProcessDeath)) throw error;
      process = boot();
      return false;
    } finally {
      dieAt = Number.POSITIVE_INFINITY;
    }
  };

  return {
    scenario,
    started,
    notices,
    names,
    plan,
    start: (steps: ReleaseConfig["steps"] = release.steps) =>
      process.wave.start({
        members: membersOf(plan, names).map((member) => ({ ...member, release: { ...member.release, steps } })),
        concurrent,
        selection: "--all",
        by: "alice",
        reason: "a test",
      }),
    /** Starts a rollout of one tier, without a wave. */
    startAlone: (tier: string) =>
      process.of(tier).start({
        ...rolloutSettings(release),
        tier,
        facts: plan.tiers[tier] as TierFacts,
        by: "alice",
        reason: "a test",
      }),
    command: (command: WaveCommand, all = false) => process.wave.ask({ command, all, by: "bob", reason: "" }),
    waves: () => process.wave,
    tier: (tier: string) => process.of(tier),
    rollout: current,
    wave: () => waveStore.kept.get("current") as Wave,
    /** Share of the new version, in per cent; -1 if it is not deployed. */
    share: (worker: string) =>
      live.get(worker)?.[0]?.versions.find(({ version_id }) => version_id === "canary")?.percentage ?? -1,
    deployments: (worker: string) => live.get(worker) ?? [],
    /** Uploads another version at 0 %. */
    upload: (worker: string, version: string) => {
      const versions = [
        { version_id: "stable", percentage: 100 },
        { version_id: version, percentage: 0 },
      ];
      const deployment = { id: `d${++count}`, versions, message: "postern deploy", author: "alice", trigger: null };
      live.set(worker, [deployment, ...(live.get(worker) ?? [])]);
    },
    advance: (ms: number) => {
      time += ms;
    },
    /** One reconciliation of the wave, or of a tier's rollout; the process dies before its `n`-th effect. */
    reconcile: (n = Number.POSITIVE_INFINITY) => dieAfter(n, () => process.wave.reconcile()),
    reconcileTier: (tier: string, n = Number.POSITIVE_INFINITY) => dieAfter(n, () => process.of(tier).reconcile()),
  };
};

export type WaveHarness = ReturnType<typeof waveHarness>;

/** Reconciles as often as alarms would, for this time. */
export const runWave = async (it: WaveHarness, ms: number): Promise<void> => {
  for (let passed = 0; passed < ms; passed += 2500) {
    it.advance(2500);
    for (const tier of it.names) await it.reconcileTier(tier);
    await it.reconcile();
  }
};
