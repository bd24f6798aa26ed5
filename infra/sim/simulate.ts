/** Many rollouts of each scenario, and what they came to. */
import { chanceOf } from "./random.ts";
import { shapeOf } from "./latency.ts";
import { type Course, run } from "./rollout.ts";
import { type End, type Scenario, sound } from "./scenarios.ts";
import { usersOf } from "./users.ts";

export interface Figures {
  readonly name: string;
  readonly runs: number;
  /** Requests a second. */
  readonly rate: number;
  readonly users: number;
  /** Shares of rollouts. */
  readonly ends: Readonly<Record<End, number>>;
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

/** @param seed the same for all scenarios: each begins with the same dice */
export const simulate = (scenario: Scenario, runs: number, seed: number, tell: (done: number) => void): Figures => {
  const behaviour = { ...sound, ...scenario.canary };
  const kinds = {
    stable: { behaviour: sound, shape: shapeOf(sound.slower) },
    canary: { behaviour, shape: shapeOf(behaviour.slower) },
  };
  const users = usersOf(scenario.users, chanceOf(seed));
  const courses: Course[] = [];
  for (let index = 1; index <= runs; index++) {
    courses.push(run(scenario, users, kinds, seed * 1_000_003 + index));
    tell(index);
  }
  return figuresOf(scenario, courses);
};

const figuresOf = ({ name, rate, users, bounds }: Scenario, courses: readonly Course[]): Figures => {
  const part = (end: End) => courses.filter((it) => it.end === end).length / courses.length;
  const ends = { promoted: part("promoted"), "rolled-back": part("rolled-back"), paused: part("paused") };
  const seconds = sorted(courses.map(({ took }) => took));
  const shares = sorted([...new Set(courses.map(({ share }) => share))]);
  return {
    name,
    runs: courses.length,
    rate,
    users,
    ends,
    shares: shares.map((share) => ({ share, rollouts: courses.filter((it) => it.share === share).length })),
    medianShare: at(sorted(courses.map(({ share }) => share)), 0.5),
    medianSeconds: at(seconds, 0.5),
    mostSeconds: at(seconds, 0.95),
    medianRequests: at(sorted(courses.map(({ exposed }) => exposed)), 0.5),
    criteria: Object.fromEntries(
      [...new Set(courses.flatMap(({ criteria }) => criteria))].map((criterion) => [
        criterion,
        courses.filter(({ criteria }) => criteria.includes(criterion)).length,
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
