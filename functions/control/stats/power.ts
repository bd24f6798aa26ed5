/**
 * What the bets of a stage can see: the smallest harm that they almost always establish, before anything is released.
 *
 * An approximation: clusters of four kinds of activity, hits that are independent given the version, and Poisson counts whose
 * quantiles are taken at the most probable point of failure (first-order reliability: Hasofer and Lind, "Exact and Invariant
 * Second-Moment Code Format", 1974). The bets themselves are those of `evidence.ts`; test/control/release-plan.test.ts
 * compares it with simulated stages.
 */
import { levels } from "./crossings.ts";
import { trimmed } from "./difference.ts";
import { neededWealth, oddsExcess, rateExcess, type Voters } from "./evidence.ts";
import { logWealth } from "./wealth.ts";
import { wholeStage, windowLengths, windowsFrom } from "./windows.ts";

/** The requests of a tier. */
export interface Load {
  readonly requestsPerSecond: number;
  /** Parties that send requests: consumers, and networks of anonymous clients. */
  readonly clusters: number;
  /** The part of them that is authenticated. */
  readonly authenticated: number;
  /** The part of the requests that are dealt a version one by one. */
  readonly dealt: number;
}

/** A stage before it begins. */
export interface PlannedStage {
  /** Of the users, in (0, 1). */
  readonly share: number;
  /** Stages in which both versions had users before it. */
  readonly index: number;
  readonly ms: number;
}

/** What clusters do: part of all clusters, and requests of one in units of the mean. The busiest hundredth sends a quarter. */
export const activities = [
  { part: 0.6, times: 0.3 },
  { part: 0.3, times: 1 },
  { part: 0.09, times: 3 },
  { part: 0.01, times: 25 },
] as const;

/** Requests per second of a mean cluster, without those that are dealt. */
export const requestsOfCluster = ({ requestsPerSecond, clusters, dealt }: Load): number =>
  clusters > 0 ? (requestsPerSecond * (1 - dealt)) / clusters : 0;

/** The part of the clusters that have at least so many hits in a time. */
export const crossingPart = (load: Load, rate: number, ms: number, level: number): number => {
  const mean = (requestsOfCluster(load) * rate * ms) / 1000;
  return activities.reduce((sum, { part, times }) => sum + part * atLeast(mean * times, level), 0);
};

/** Standard errors of 99 %. */
const confidence = 2.326;
/** Points of the circle of equal probability, from "the canary has few hits" to "stable has many". */
const angles = [0, 0.25, 0.5, 0.75, 1].map((it) => (it * Math.PI) / 2);
const searchSteps = 20;
const least = 1e-5;

/**
 * The smallest increase of a rate that these voters establish with a probability of 99 % by the end of the stage.
 *
 * @param rate of stable: hits per request
 * @param tolerate an increase that is known to be smaller is no harm
 * @returns null if none would be
 */
export const smallestHarm = (
  load: Load,
  stage: PlannedStage,
  { rate, budget, voters, tolerate }: Criterion,
): number | null => {
  const isSeen = (increase: number) => isEstablished(load, stage, { rate, budget, voters, tolerate }, increase);
  const most = 1 - rate;
  if (most <= least || !isSeen(most)) return null;
  let [low, high] = [Math.log(least), Math.log(most)];
  for (let step = 0; step < searchSteps; step++) {
    const middle = (low + high) / 2;
    if (isSeen(Math.exp(middle))) high = middle;
    else low = middle;
  }
  return Math.exp(high);
};

export interface Criterion {
  readonly rate: number;
  /** Probability of a false alarm. */
  readonly budget: number;
  readonly voters: Voters;
  readonly tolerate: number;
}

/** Clusters with hits on the canary alone that a rollback needs at least. None on stable has any. */
export const harmedClients = ({ share, index }: Pick<PlannedStage, "share" | "index">, budget: number): number => {
  const needed = neededWealth(budget, index, wholeStage.cost, 1);
  let clients = trimmed + 1;
  while (clients < maxClients && wealthOf(clients, clients, share) < needed) clients++;
  return clients;
};

const maxClients = 10_000;

const isEstablished = (load: Load, stage: PlannedStage, criterion: Criterion, increase: number): boolean =>
  windowsOf(stage.ms).some(({ ms, cost }) => {
    const needed = neededWealth(criterion.budget, stage.index, cost, 1);
    return levels.some((_, level) => isWonBy(load, { ...stage, ms }, criterion, increase, level, needed));
  });

/** The whole stage, and the shorter windows within it. */
const windowsOf = (ms: number): { readonly ms: number; readonly cost: number }[] => [
  { ms, cost: wholeStage.cost },
  ...windowLengths
    .filter((length) => length * 1.5 <= ms)
    .map((length) => ({
      ms: length,
      cost:
        windowsFrom(length / 2).find(({ from, until }) => until - from === length)?.cost ?? Number.POSITIVE_INFINITY,
    })),
];

const isWonBy = (
  load: Load,
  stage: PlannedStage,
  { rate, voters, tolerate }: Criterion,
  increase: number,
  level: number,
  needed: number,
): boolean => {
  const { share } = stage;
  const worse = Math.min(1, rate + increase);
  const crossed = {
    stable: crossedBy(load, stage, { voters, level, rate }) * (1 - share),
    canary: crossedBy(load, stage, { voters, level, rate: worse }) * share,
  };
  const hits = {
    stable: hitsOf(load, stage, 1 - share, rate),
    canary: hitsOf(load, stage, share, worse),
  };
  return angles.every((angle) => {
    const unlucky = -confidence * Math.cos(angle);
    const few = quantile(crossed.canary, unlucky);
    const all = few + quantile(crossed.stable, confidence * Math.sin(angle));
    if (wealthOf(few, all, share) < needed) return false;
    const canary = { ...hits.canary, hits: quantile(hits.canary.hits, unlucky) };
    const excess = level === 0 ? oddsExcess(few, all, share, hits.stable) : rateExcess({ ...hits, canary });
    return excess >= tolerate;
  });
};

/** Clusters of these voters that reach the level at this rate, if all of them have it, and requests that were dealt. */
const crossedBy = (
  load: Load,
  { ms }: PlannedStage,
  { voters, level, rate }: { readonly voters: Voters; readonly level: number; readonly rate: number },
): number => {
  const clusters = load.clusters * (voters === "all" ? 1 : load.authenticated);
  const dealt = level === 0 ? (load.requestsPerSecond * load.dealt * ms) / 1000 : 0;
  return clusters * crossingPart(load, rate, ms, levels[level] ?? 1) + dealt * rate;
};

const hitsOf = (load: Load, { ms }: PlannedStage, part: number, rate: number) => {
  const requests = (load.requestsPerSecond * part * ms) / 1000;
  return { hits: rate * requests, of: requests };
};

const wealthOf = (canary: number, all: number, share: number): number =>
  canary > trimmed ? logWealth("more", [{ hits: canary - trimmed, of: all, chance: share }]) : 0;

/** A Poisson count so many standard errors from its mean, by the square root that makes its variance the same everywhere. */
export const quantile = (mean: number, errors: number): number =>
  Math.max(0, Math.max(0, Math.sqrt(mean + 3 / 8) + errors / 2) ** 2 - 3 / 8);

/** Probability that a Poisson count is at least so large. */
const atLeast = (mean: number, level: number): number => {
  if (mean > 10 * level + 100) return 1;
  let [term, below] = [Math.exp(-mean), 0];
  for (let count = 0; count < level; count++) {
    below += term;
    term *= mean / (count + 1);
  }
  return Math.max(0, 1 - below);
};
