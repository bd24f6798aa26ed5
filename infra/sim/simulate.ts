/** Simulates many rollouts of each scenario and aggregates the results. */

import { shapeOf } from "./latency.ts";
import { seededRandom } from "./random.ts";
import { alikeUsers, type RunResult, run } from "./rollout.ts";
import { healthy, type RolloutEnd, type Scenario } from "./scenarios.ts";
import { usersOf } from "./users.ts";

export interface Figures {
  readonly name: string;
  readonly runs: number;
  /** Requests a second. */
  readonly rate: number;
  readonly users: number;
  /** Shares of rollouts. */
  readonly ends: Readonly<Record<RolloutEnd, number>>;
  /** By the largest share of users that the canary had. */
  readonly shares: readonly { readonly share: number; readonly rollouts: number }[];
  readonly medianShare: number;
  readonly medianSeconds: number;
  /** Nineteen in twenty took no longer. */
  readonly mostSeconds: number;
  readonly medianRequests: number;
  /** How often a criterion failed, or was what a paused rollout waited for. */
  readonly criteria: Readonly<Record<string, number>>;
  /** Bounds that were missed, as sentences. */
  readonly missed: readonly string[];
}

/** @param seed the same for all scenarios, so that they start with the same random numbers */
export const simulate = (
  scenario: Scenario,
  runs: number,
  seed: number,
  onProgress: (done: number) => void,
): Figures => {
  const behaviour = { ...healthy, ...scenario.canary };
  const kinds = {
    stable: { behaviour: healthy, shape: shapeOf(healthy.slower) },
    canary: { behaviour, shape: shapeOf(behaviour.slower) },
  };
  const users = usersOf(scenario.users, seededRandom(seed));
  const source = alikeUsers(users, scenario.rate, kinds);
  const results: RunResult[] = [];
  for (let index = 1; index <= runs; index++) {
    results.push(run(source, scenario, seed * 1_000_003 + index));
    onProgress(index);
  }
  return figuresOf(scenario, results);
};

export const figuresOf = (
  { name, rate, users, bounds }: Pick<Scenario, "name" | "rate" | "users" | "bounds">,
  results: readonly RunResult[],
): Figures => {
  const part = (end: RolloutEnd) => results.filter((it) => it.end === end).length / results.length;
  const ends = { promoted: part("promoted"), "rolled-back": part("rolled-back"), paused: part("paused") };
  const seconds = sorted(results.map(({ took }) => took));
  const shares = sorted([...new Set(results.map(({ share }) => share))]);
  return {
    name,
    runs: results.length,
    rate,
    users,
    ends,
    shares: shares.map((share) => ({ share, rollouts: results.filter((it) => it.share === share).length })),
    medianShare: at(sorted(results.map(({ share }) => share)), 0.5),
    medianSeconds: at(seconds, 0.5),
    mostSeconds: at(seconds, 0.95),
    medianRequests: at(sorted(results.map(({ exposed }) => exposed)), 0.5),
    criteria: Object.fromEntries(
      [...new Set(results.flatMap(({ criteria }) => criteria))].map((criterion) => [
        criterion,
        results.filter(({ criteria }) => criteria.includes(criterion)).length,
      ]),
    ),
    missed: bounds.flatMap(({ end, least = 0, most = 1 }) =>
      ends[end] < least || ends[end] > most
        ? [`${name}: ${percent(ends[end])} ${end}, where ${percent(least)} to ${percent(most)} was promised`]
        : [],
    ),
  };
};

const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;
const sorted = (numbers: readonly number[]): number[] => numbers.toSorted((a, b) => a - b);
const at = (numbers: readonly number[], quantile: number): number =>
  numbers[Math.min(numbers.length - 1, Math.floor(numbers.length * quantile))] ?? 0;
