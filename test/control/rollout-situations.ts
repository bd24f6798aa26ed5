/** Rollouts in the situations that people meet, brought about by the controller, the reducer and the verdict, on a fixed clock. */
import { stepsOf } from "../../functions/control/model/release.ts";
import type { Rollout, RolloutStart } from "../../functions/control/model/rollout.ts";
import type { Notice } from "../../functions/control/notifications/notification.ts";
import type { Cause } from "../../functions/control/telemetry/counts/causes.ts";
import { emptySample, sumOfSamples } from "../../functions/control/telemetry/counts/samples.ts";
import { type Measurement, measurementOf } from "../../functions/control/verdict/measurement.ts";
import { type RolloutHarness, rolloutHarness } from "./rollout-harness.ts";
import { type Behaviour, stageOf, type Traffic } from "./rollout-traffic.ts";

const startedAt = Date.UTC(2026, 10, 30, 22, 14, 5);
const minute = 60_000;
/** Rarer than control, so that the test is quick. */
const pollMs = 20_000;
const cause = (it: Pick<Cause, "kind" | "route" | "count"> & Partial<Cause>): Cause => ({
  by: "",
  code: "",
  status: "",
  upstream: "",
  ...it,
});

const limited = cause({ kind: "refusals", route: "open/rates", by: "limit", code: "rate-limited", count: 0.002 });
const late = cause({
  kind: "errors",
  route: "open/rates",
  by: "rates",
  code: "upstream-timeout",
  upstream: "rates",
  count: 0.0005,
});
const usual: Behaviour = { errors: 0.0005, upstreamErrors: 0.0005, refusals: 0.002, causes: [limited, late] };
/** A version that lost a route, and whose upstream is slow. */
const bad: Behaviour = {
  ...usual,
  refusals: 0.562,
  causes: [cause({ kind: "refusals", route: "open", code: "route-unknown", count: 0.56 }), limited, late],
};
const busy: Traffic = { requestsPerSecond: 900, stable: usual, canary: usual };

const steps: RolloutStart["steps"] = [0, 1, 10, 50, 100].map((share) => ({
  share,
  bakeMs: 5 * minute,
  hold: share === 10,
}));

export interface Situation {
  readonly rollout: Rollout;
  readonly measured: Measurement;
  readonly now: number;
  /** The newest notice. */
  readonly notice: Notice;
  /** A person resumes it. */
  readonly resume: () => Promise<Rollout>;
}

const reconcileFor = async (it: RolloutHarness, ms: number): Promise<void> => {
  for (const end = it.now() + ms; it.now() < end; it.advance(pollMs)) await it.reconcile();
};

const reconcileUntil = async (
  it: RolloutHarness,
  holds: (rollout: Rollout) => boolean,
  everyMs = pollMs,
): Promise<void> => {
  for (let polls = 0; !holds(it.state()); polls++) {
    if (polls > 5000) throw new Error("it never came to this");
    await it.reconcile();
    it.advance(everyMs);
  }
};

const situation = async (
  traffic: Traffic,
  play: (it: RolloutHarness) => Promise<void>,
  planned = steps,
): Promise<Situation> => {
  const it = rolloutHarness(["gate-open-production"], undefined, () => ({
    stable: "64fdeeea-1f0a-4c8e-9d6b-2f1f4b7c9e01",
    canary: "1a7c0e55-93b2-4e55-8a43-7f0a6e3c2d10",
  }));
  it.advance(startedAt - it.now());
  it.scenario.evidence = (stretch) => stageOf(traffic, stretch, it.now());
  const reason = "new exchange rates";
  await it.start({
    tier: "open",
    reason,
    steps: planned,
    patienceMs: 60 * minute,
    tolerate: { errors: "+0.5pp", p99: "+20%", refusals: "+1pp" },
  });
  await play(it);
  const rollout = it.state();
  const stages = rollout.stretches
    .filter(({ share }) => share > 0)
    .map((stretch) => stageOf(traffic, stretch, it.now()));
  const exposed = stages.map(({ canary }) => canary).reduce(sumOfSamples, emptySample);
  return {
    rollout,
    measured: measurementOf(stages, exposed),
    now: it.now(),
    notice: it.notices.at(-1) as Notice,
    resume: () => it.command("resume"),
  };
};

const at =
  (share: number) =>
  ({ stretches }: Rollout): boolean =>
    stretches.at(-1)?.share === share;

const endless = Array.from({ length: 20 }, () => ({ status: 503, code: null, message: "the platform answered 503" }));

/** By name: what people see of each stands in `test/golden/rollouts`. */
const plays = {
  early: () =>
    situation({ ...busy, requestsPerSecond: 40 }, async (it) => {
      await reconcileUntil(it, at(1));
      await reconcileFor(it, 20_000);
    }),
  healthy: () =>
    situation(busy, async (it) => {
      await reconcileUntil(it, at(10));
      await reconcileFor(it, 2 * minute);
    }),
  "not-enough": () =>
    situation({ ...busy, requestsPerSecond: 120 }, async (it) => {
      await reconcileUntil(it, at(1));
      await reconcileFor(it, 8 * minute);
    }),
  failing: () =>
    situation({ ...busy, canary: bad }, async (it) => {
      await reconcileUntil(it, at(1));
      it.scenario.faults.push(...endless);
      await reconcileUntil(it, ({ status }) => status === "returning");
    }),
  held: () =>
    situation(busy, async (it) => {
      await reconcileUntil(it, at(10));
      await reconcileFor(it, 12 * minute);
    }),
  paused: () =>
    situation({ ...busy, requestsPerSecond: 4 }, async (it) => {
      await reconcileUntil(it, ({ status }) => status === "paused", minute);
      await reconcileFor(it, 14 * minute);
    }),
  "foreign-deploy": () =>
    situation(busy, async (it) => {
      await reconcileUntil(it, at(10));
      await reconcileFor(it, minute);
      it.deployForeign();
      await reconcileFor(it, 3 * minute);
    }),
  "rolled-back": () =>
    situation({ ...busy, canary: { ...bad, slower: 1.6 } }, async (it) => {
      await reconcileUntil(it, ({ status }) => status === "rolled-back");
      it.advance(5 * 60 * minute);
    }),
  watched: () =>
    situation(
      busy,
      async (it) => {
        await reconcileUntil(it, at(95));
        await reconcileFor(it, 12 * minute);
      },
      stepsOf({ steps: ["0%", "10%", "100%"], bake: "5m", watch: { for: "1h", "hold-back": "5%" } }),
    ),
} satisfies Readonly<Record<string, () => Promise<Situation>>>;

export type SituationName = keyof typeof plays;

export const situationNames = Object.keys(plays) as readonly SituationName[];

const played = new Map<SituationName, Promise<Situation>>();

/** Played once for all tests. */
export const situationOf = (name: SituationName): Promise<Situation> => {
  const known = played.get(name);
  if (known) return known;
  const it = plays[name]();
  played.set(name, it);
  return it;
};
