/** Simulates one rollout from start to end: control's own reducer and verdict over simulated traffic. */
import { budgetOf } from "../../functions/control/model/attempt.ts";
import { criteriaOf } from "../../functions/control/model/criteria.ts";
import { evidenceTimeoutMs, stepsOf } from "../../functions/control/model/release.ts";
import { isOver, type Rollout } from "../../functions/control/model/rollout.ts";
import { nextAction, reduce } from "../../functions/control/rollout/reducer.ts";
import type { Stage } from "../../functions/control/verdict/evidence.ts";
import { judge } from "../../functions/control/verdict/verdict.ts";
import { type Random, seededRandom } from "./random.ts";
import type { RolloutEnd, Scenario } from "./scenarios.ts";
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

export const run = ({ rate, attempt = 1 }: Scenario, users: Users, kinds: VersionModels, seed: number): RunResult => {
  const criteria = criteriaOf({ ...release, attempt: { budget: budgetOf(attempt) } });
  const random = seededRandom(seed);
  const positions = assignPositions(users, random);
  const conditionsAt = conditionsOverTime(random);
  const stages: Stage[] = [];
  let split: Split | undefined;
  let state = newRollout();
  let now = 0;
  for (;;) {
    ({ state, split } = applyDueActions(state, now, {
      users,
      positions,
      rate,
      kinds,
      random,
      stages,
      split,
    }));
    const share = (state.stretches.at(-1)?.share ?? 0) / 100;
    if (isOver(state) || state.status === "paused") return resultOf(state, now, share, stages);
    now += intervalSeconds * 1000;
    const since = state.stretches.at(-1)?.since ?? 0;
    split?.advance((now - since) / 1000, conditionsAt(now / 1000));
    const stage = stages.at(-1);
    if (stage) stages[stages.length - 1] = { ...stage, until: now };
    if (nextAction(state, now)?.kind === "judge")
      state = reduce(state, { kind: "judged", seq: state.goal.seq, verdict: judge(stages, criteria) }, now, 0).state;
  }
};

interface SimulatedWorld {
  readonly users: Users;
  /** Each user's position in [0, 1): the canary has those below its share. */
  readonly positions: Float64Array;
  readonly rate: number;
  readonly kinds: VersionModels;
  readonly random: Random;
  /** Grows by one with each split. */
  readonly stages: Stage[];
  readonly split: Split | undefined;
}

/** Runs due actions immediately: the simulated platform never fails. */
const applyDueActions = (
  initial: Rollout,
  now: number,
  world: SimulatedWorld,
): { state: Rollout; split: Split | undefined } => {
  let [state, split] = [initial, world.split];
  for (let action = nextAction(state, now); action && action.kind !== "judge"; action = nextAction(state, now)) {
    const seq = state.goal.seq;
    if (action.kind === "smoke")
      state = reduce(state, { kind: "smoked", seq, ok: true, why: "it answers" }, now, 0).state;
    if (action.kind !== "split") continue;
    state = reduce(state, { kind: "split", seq, worker: action.subject.worker, deployment: `${seq}` }, now, 0).state;
    const share = action.share / 100;
    if (share <= 0 || share >= 1) continue;
    split = splitOf(groupSharesOf(world.users, world.positions, share), world.rate, world.kinds, world.random);
    world.stages.push({ share, since: now, until: now, stable: split.stable, canary: split.canary });
  }
  return { state, split };
};

const newRollout = (): Rollout => ({
  id: "simulated",
  tier: "tier",
  subjects: [{ worker: "gate", stable: "stable", canary: "canary" }],
  steps: stepsOf(release),
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
  patienceMs: evidenceTimeoutMs(release),
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
