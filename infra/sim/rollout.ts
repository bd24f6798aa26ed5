/** Simulates one rollout from start to end: control's own reducer and verdict over any simulated traffic. */
import { budgetOf } from "../../functions/control/model/attempt.ts";
import { criteriaOf } from "../../functions/control/model/criteria.ts";
import { evidenceTimeoutMs, stepsOf } from "../../functions/control/model/release.ts";
import { isOver, type Rollout } from "../../functions/control/model/rollout.ts";
import { nextAction, reduce } from "../../functions/control/rollout/reducer.ts";
import type { Stage } from "../../functions/control/verdict/evidence.ts";
import { judge } from "../../functions/control/verdict/verdict.ts";
import { type Random, seededRandom } from "./random.ts";
import type { RolloutEnd } from "./scenarios.ts";
import { intervalSeconds, type Split, splitOf, type VersionModels } from "./traffic.ts";
import { conditionsOverTime } from "./traffic-conditions.ts";
import { assignPositions, groupSharesOf, type Users } from "./users.ts";

/** The defaults of a manifest. */
export const release = {
  steps: ["0%", "1%", "10%", "50%", "100%"],
  bake: "5m",
  tolerate: { errors: "+0.5pp", p99: "+20%", refusals: "+1pp" },
} as const;

export interface RunResult {
  readonly end: RolloutEnd;
  /** Seconds. */
  readonly took: number;
  /** The canary's share of users at the end. */
  readonly share: number;
  /** Requests that the canary served. */
  readonly exposed: number;
  /** Criteria that failed, or that were undecided when the rollout paused. */
  readonly criteria: readonly string[];
  readonly why: string;
}

/** Begins the traffic of one rollout: users are assigned to versions anew. Returns what begins a split at a share in (0, 1). */
export type TrafficSource = (random: Random) => (share: number, sinceStart: number) => Split;

/** The traffic of a scenario: alike users, and conditions that affect both versions. */
export const alikeUsers =
  (users: Users, rate: number, kinds: VersionModels): TrafficSource =>
  (random) => {
    const positions = assignPositions(users, random);
    const conditionsAt = conditionsOverTime(random);
    return (share) => splitOf(groupSharesOf(users, positions, share), rate, kinds, conditionsAt, random);
  };

interface Settings {
  /** Which rollout of the version it is; default: the first. */
  readonly attempt?: number | undefined;
  /** Default: that of a manifest. */
  readonly bake?: string | undefined;
}

export const run = (source: TrafficSource, { attempt = 1, bake = release.bake }: Settings, seed: number): RunResult => {
  const criteria = criteriaOf({ ...release, attempt: { budget: budgetOf(attempt) } });
  const beginSplit = source(seededRandom(seed));
  const stages: Stage[] = [];
  let split: Split | undefined;
  let state = newRollout(bake);
  let now = 0;
  for (;;) {
    ({ state, split } = applyDueActions(state, now, beginSplit, stages, split));
    const share = (state.stretches.at(-1)?.share ?? 0) / 100;
    if (isOver(state) || state.status === "paused") return resultOf(state, now, share, stages);
    now += intervalSeconds * 1000;
    const since = state.stretches.at(-1)?.since ?? 0;
    split?.advance((now - since) / 1000, now / 1000);
    const stage = stages.at(-1);
    if (stage) stages[stages.length - 1] = { ...stage, until: now };
    if (nextAction(state, now)?.kind === "judge")
      state = reduce(state, { kind: "judged", seq: state.goal.seq, verdict: judge(stages, criteria) }, now, 0).state;
  }
};

/**
 * Runs due actions immediately: the simulated platform never fails.
 * @param stages grows by one with each split
 */
const applyDueActions = (
  initial: Rollout,
  now: number,
  beginSplit: ReturnType<TrafficSource>,
  stages: Stage[],
  before: Split | undefined,
): { state: Rollout; split: Split | undefined } => {
  let [state, split] = [initial, before];
  for (let action = nextAction(state, now); action && action.kind !== "judge"; action = nextAction(state, now)) {
    const seq = state.goal.seq;
    if (action.kind === "smoke")
      state = reduce(state, { kind: "smoked", seq, ok: true, why: "it answers" }, now, 0).state;
    if (action.kind !== "split") continue;
    state = reduce(state, { kind: "split", seq, worker: action.subject.worker, deployment: `${seq}` }, now, 0).state;
    const share = action.share / 100;
    if (share <= 0 || share >= 1) continue;
    split = beginSplit(share, now / 1000);
    stages.push({ share, since: now, until: now, units: [], stable: split.stable, canary: split.canary });
  }
  return { state, split };
};

const newRollout = (bake: string): Rollout => ({
  id: "simulated",
  tier: "tier",
  subjects: [{ worker: "gate", stable: "stable", canary: "canary" }],
  steps: stepsOf({ ...release, bake }),
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
  patienceMs: evidenceTimeoutMs({ ...release, bake }),
  notes: [],
});

const resultOf = (state: Rollout, now: number, share: number, stages: readonly Stage[]): RunResult => ({
  end: state.status === "promoted" ? "promoted" : state.status === "paused" ? "paused" : "rolled-back",
  took: now / 1000,
  share: state.status === "promoted" ? 1 : share,
  exposed: stages.reduce(
    (all, { canary }) => all + Object.values(canary.groups).reduce((sum, it) => sum + it.requests, 0),
    0,
  ),
  criteria: (state.verdict?.findings ?? [])
    .filter(({ verdict }) => verdict === (state.status === "paused" ? "not-enough" : "fail"))
    .map(({ criterion }) => criterion),
  why: state.why,
});
