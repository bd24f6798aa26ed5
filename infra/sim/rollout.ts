/** Simulates one rollout from start to end: control's own reducer and verdict over any simulated traffic. */
import { budgetOf } from "../../functions/control/model/attempt.ts";
import { criteriaOf } from "../../functions/control/model/criteria.ts";
import type { Verdict } from "../../functions/control/model/finding.ts";
import { evidenceTimeoutMs, stepsOf } from "../../functions/control/model/release.ts";
import { isOver, type Rollout } from "../../functions/control/model/rollout.ts";
import { nextAction, reduce } from "../../functions/control/rollout/reducer.ts";
import { indexOf } from "../../functions/control/stats/measures.ts";
import type { Settling, StageSummary } from "../../functions/control/stats/stage-summary.ts";
import { emptySample } from "../../functions/control/telemetry/counts/samples.ts";
import type { Stage } from "../../functions/control/verdict/evidence.ts";
import { judge } from "../../functions/control/verdict/verdict.ts";
import { intervalSeconds } from "./traffic/conditions.ts";
import { seededRandom } from "./traffic/random.ts";
import { canarySide, stableSide } from "./traffic/requests.ts";
import type { SimulatedStage, Traffic, TrafficSource } from "./worlds/traffic.ts";
import type { Release } from "./worlds/world.ts";

/** The defaults of a manifest. */
export const release = {
  steps: ["0%", "1%", "10%", "50%", "100%"],
  bake: "5m",
  tolerate: { errors: "+0.5pp", p99: "+20%", refusals: "+1pp" },
} as const;

/** A paused rollout is still judged, and may come back by itself. */
const watchedPauseMs = 1_800_000;

/** After the bake, a pass is looked for this often. */
const passIntervalMs = 30_000;

/** What control's store of telemetry begins a stage with. */
export const settling: Settling = { requests: 30_000, latency: 120_000 };

export const rolloutEnds = ["promoted", "rolled-back", "paused"] as const;
export type RolloutEnd = (typeof rolloutEnds)[number];

export interface RunResult {
  readonly end: RolloutEnd;
  /** Seconds. */
  readonly took: number;
  /** The canary's share of users at the end. */
  readonly share: number;
  /** Requests that the canary reported. */
  readonly exposed: number;
  /** Criteria that failed, or that held the rollout or were undecided when it paused. */
  readonly criteria: readonly string[];
  readonly why: string;
}

/** Looks at the evidence, each time that it is evaluated. */
export type Observe = (stages: readonly Stage[], now: number, isLast: boolean) => void;

export const run = (source: TrafficSource, settings: Release, seed: number, observe?: Observe): RunResult => {
  const { attempt = 1, bake = release.bake, steps = release.steps, watch } = settings;
  const criteria = criteriaOf({ ...release, attempt: { budget: budgetOf(attempt) } });
  const traffic = source(seededRandom(seed));
  const evidence = evidenceOf();
  let state = newRollout({ bake, steps: [...steps], watch });
  let now = 0;
  let paused: { readonly at: number; readonly verdict: Verdict | null } | undefined;
  for (;;) {
    state = applyDueActions(state, now, traffic, evidence);
    const share = (state.stretches.at(-1)?.share ?? 0) / 100;
    if (state.status === "paused") paused ??= { at: now, verdict: state.verdict };
    const isLast = isOver(state) || (paused !== undefined && now - paused.at >= watchedPauseMs);
    if (observe || isLast) {
      const stages = evidence.stages(false);
      observe?.(stages, now, isLast);
      if (isLast) return resultOf(state, now, share, stages, paused?.verdict ?? null);
    }
    now += intervalSeconds * 1000;
    evidence.close(traffic.advance(now / 1000), now);
    if (nextAction(state, now)?.kind !== "judge") continue;
    const beyondBake = now - (state.stretches.at(-1)?.since ?? now) - (state.steps[state.step]?.bakeMs ?? 0);
    // A paused rollout may only fail.
    const mayPass = !paused && beyondBake >= 0 && beyondBake % passIntervalMs === 0;
    const decide = (bounds: boolean): Verdict => judge(evidence.stages(bounds), criteria);
    // Bounds cost most, and without them more fails and nothing passes: they are computed where they matter.
    const first = decide(mayPass);
    const verdict = first.verdict === "fail" || (first.verdict === "hold" && !paused) ? decide(true) : first;
    state = reduce(state, { kind: "judged", seq: state.goal.seq, verdict }, now, 0).state;
  }
};

/** The evidence of all stages of a rollout. */
const evidenceOf = () => {
  const all: { readonly of: SimulatedStage; until: number; summary: StageSummary | undefined }[] = [];
  return {
    add: (of: SimulatedStage): void => void all.push({ of, until: of.since * 1000, summary: undefined }),
    close: (changed: ReturnType<Traffic["advance"]>, now: number): void => {
      for (const [index, it] of all.entries()) {
        if (index === all.length - 1) it.until = now;
        if (!changed.has(it.of.evidence)) continue;
        it.of.evidence.close(now - it.of.since * 1000);
        it.summary = undefined;
      }
    },
    stages: (bounds: boolean): Stage[] =>
      all.map((it, index) => {
        const isNewest = index === all.length - 1;
        const summary = it.summary ?? it.of.evidence.summary(bounds || !isNewest);
        if (!isNewest) it.summary = summary;
        const { share, since, witnessed } = it.of;
        return {
          ...{ share, since: since * 1000, until: it.until },
          ...{ units: [summary], stable: emptySample, canary: emptySample },
          witnessed: { stable: witnessed[stableSide] ?? 0, canary: witnessed[canarySide] ?? 0 },
        };
      }),
  };
};

/** Runs due actions immediately: the simulated platform never fails. */
const applyDueActions = (
  initial: Rollout,
  now: number,
  traffic: Traffic,
  evidence: ReturnType<typeof evidenceOf>,
): Rollout => {
  let state = initial;
  for (let action = nextAction(state, now); action && action.kind !== "judge"; action = nextAction(state, now)) {
    const seq = state.goal.seq;
    if (action.kind === "smoke")
      state = reduce(state, { kind: "smoked", seq, ok: true, why: "it answers" }, now, 0).state;
    if (action.kind !== "split") continue;
    state = reduce(state, { kind: "split", seq, worker: action.subject.worker, deployment: `${seq}` }, now, 0).state;
    const share = action.share / 100;
    if (share > 0 && share < 1) evidence.add(traffic.begin(share, now / 1000));
  }
  return state;
};

const newRollout = (
  given: Required<Pick<Release, "bake">> & { readonly steps: string[]; readonly watch: Release["watch"] },
): Rollout => ({
  id: "simulated",
  tier: "tier",
  subjects: [{ worker: "gate", stable: "stable", canary: "canary" }],
  steps: stepsOf(given),
  tolerate: release.tolerate,
  smoke: [],
  by: "simulation",
  reason: "",
  startedAt: 0,
  endedAt: null,
  status: "running",
  step: 0,
  goal: { seq: 1, share: 0, done: [], attempts: 0, notBefore: 0 },
  foreign: false,
  smoked: false,
  known: {},
  stretches: [],
  verdict: null,
  why: "",
  patienceMs: evidenceTimeoutMs({ ...release, ...given }),
  notes: [],
});

/** @param paused the verdict when it paused: later ones say only whether it fails */
const resultOf = (
  state: Rollout,
  now: number,
  share: number,
  stages: readonly Stage[],
  paused: Verdict | null,
): RunResult => {
  const isPaused = state.status === "paused";
  const blocking = isPaused ? ["hold", "not-enough"] : ["fail"];
  return {
    end: state.status === "promoted" ? "promoted" : isPaused ? "paused" : "rolled-back",
    took: now / 1000,
    share: state.status === "promoted" ? 1 : share,
    exposed: stages.reduce(
      (all, { units }) => all + units.reduce((sum, { canary }) => sum + (canary.totals[indexOf.requests] ?? 0), 0),
      0,
    ),
    criteria: ((isPaused ? paused : state.verdict)?.findings ?? [])
      .filter(({ verdict }) => blocking.includes(verdict))
      .map(({ criterion, verdict }) => (verdict === "hold" ? `${criterion} (hold)` : criterion)),
    why: state.why,
  };
};
