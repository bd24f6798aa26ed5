/**
 * Tests whether the canary's error rate is larger than stable's, and bounds by how much.
 *
 * *Larger* is tested on the failures alone: if both versions fail equally often, a failure is the canary's with the same
 * probability as any request is, at every moment of a stage and however the common rate moves. So an incident of both
 * versions is no evidence. (Lindon and Malek 2022, on Poisson processes of varying intensity; for rates that are not small the bet
 * is conservative, since a hypergeometric count scatters less than a binomial.) The canary's share of requests is the
 * observed one: it is assumed constant within a stage, which holds except for noise because users are sticky. Half of the
 * stake is on all groups of the canary, half on all but its worst.
 *
 * *By how much* is the difference between a bound of the canary's rate and one of stable's, each at α/2.
 */
import { groups } from "../../gateway/observability/samples.ts";
import { effectOf, type GroupCounts, sum, weightsOf } from "./counts.ts";
import { atLeast, atMost, logWealth, root } from "./wealth.ts";

/** Counts of both versions in one stage. */
export interface RatePair {
  readonly stable: GroupCounts;
  readonly canary: GroupCounts;
}

export interface Rates {
  readonly stable: number;
  readonly canary: number;
  readonly stableRequests: number;
  readonly canaryRequests: number;
  /** Bounds of the canary's rate minus stable's. */
  readonly low: number;
  readonly high: number;
  /** The canary's rate is significantly larger. */
  readonly larger: boolean;
  /** Counts divided by the design effects, from which the bounds come. */
  readonly effective: { readonly stable: Total; readonly canary: Total };
}

/**
 * @param evidence logarithm of 1/α for "larger"
 * @param bounds logarithm of 1/α for each of the two bounds of the difference
 */
export const ratesOf = (pairs: readonly RatePair[], evidence: number, bounds: number): Rates => {
  const effect = {
    stable: effectOf(pairs.map(({ stable }) => stable)),
    canary: effectOf(pairs.map(({ canary }) => canary)),
  };
  const totals = pairs.map(({ stable, canary }) => ({
    stable: { hits: sum(stable.hits), of: sum(stable.of) },
    canary: { hits: sum(canary.hits), of: sum(canary.of) },
  }));
  const weights = weightsOf(totals.map(({ stable, canary }) => ({ stable: stable.of, canary: canary.of })));
  const stable = { hits: 0, of: 0, requests: 0 };
  const canary = { hits: 0, of: 0 };
  for (const [index, it] of totals.entries()) {
    const weight = weights[index] ?? 0;
    stable.hits += weight * it.stable.hits;
    stable.of += weight * it.stable.of;
    stable.requests += it.stable.of;
    canary.hits += it.canary.hits;
    canary.of += it.canary.of;
  }
  const rate = { stable: ratio(stable), canary: ratio(canary) };

  const evidenceAgainst = evidenceOf(
    totals.map((it) => it.stable),
    effect.stable,
    pairs.map((it) => it.canary),
  );
  const larger = rate.canary > rate.stable && evidenceAgainst(1) >= evidence;
  const effective = { stable: times(stable, 1 / effect.stable), canary: times(canary, 1 / effect.canary) };
  const low =
    atLeast(effective.canary.hits, effective.canary.of, bounds) -
    atMost(effective.stable.hits, effective.stable.of, bounds);
  return {
    stable: rate.stable,
    canary: rate.canary,
    stableRequests: stable.requests,
    canaryRequests: canary.of,
    low: larger
      ? Math.max(low, leastExcess(evidenceAgainst, evidence) * rate.stable, Number.MIN_VALUE)
      : Math.min(low, 0),
    high: highest(effective, bounds),
    larger,
    effective,
  };
};

/** The upper bound of canary minus stable; of `more` times as many requests at the same rates. */
export const highest = ({ stable, canary }: Rates["effective"], bounds: number, more = 1): number =>
  atMost(canary.hits * more, canary.of * more, bounds) - atLeast(stable.hits * more, stable.of * more, bounds);

interface Total {
  readonly hits: number;
  readonly of: number;
}

const times = ({ hits, of }: Total, factor: number): Total => ({ hits: hits * factor, of: of * factor });

/**
 * The evidence against "the canary's rate is at most so many times stable's": the mean wealth of a bet on all groups of the
 * canary and of one on all but its worst.
 */
const evidenceOf = (
  stable: readonly Total[],
  stableEffect: number,
  canary: readonly GroupCounts[],
): ((times: number) => number) => {
  const canaries = [canary, withoutWorst(canary)].map((stages) => ({
    effect: effectOf(stages),
    stages: stages.map(({ hits, of }): Total => ({ hits: sum(hits), of: sum(of) })),
  }));
  return (times) =>
    logMean(
      canaries.map(({ effect, stages }) =>
        logWealth(
          "more",
          stable.map((it, index) => {
            const mine = stages[index] ?? { hits: 0, of: 0 };
            const hits = mine.hits / effect;
            const weight = (times * mine.of) / effect;
            const all = weight + it.of / stableEffect;
            return { hits, of: hits + it.hits / stableEffect, chance: all > 0 ? weight / all : 0 };
          }),
        ),
      ),
    );
};

const ratio = ({ hits, of }: { readonly hits: number; readonly of: number }): number => (of > 0 ? hits / of : 0);

const logMean = (logs: readonly number[]): number => {
  const max = Math.max(...logs);
  return max + Math.log(logs.reduce((all, it) => all + Math.exp(it - max), 0) / logs.length);
};

/**
 * Removes the group that fails most. One busy user who fails often makes the variance so large that the failures of all
 * others hardly count. Without that group the difference is smaller, so a bet on the rest is conservative.
 */
const withoutWorst = (stages: readonly GroupCounts[]): GroupCounts[] => {
  const excess = new Float64Array(groups);
  for (const { hits, of } of stages) {
    const rate = ratio({ hits: sum(hits), of: sum(of) });
    for (let group = 0; group < groups; group++)
      excess[group] = (excess[group] ?? 0) + (hits[group] ?? 0) - rate * (of[group] ?? 0);
  }
  const worst = excess.indexOf(Math.max(...excess));
  return stages.map(({ hits, of }) => ({ hits: hits.with(worst, 0), of: of.with(worst, 0) }));
};

/** Lower bound of the excess over stable's rate, as a multiple of that rate. */
const leastExcess = (evidenceAgainst: (times: number) => number, evidence: number): number => {
  const max = Math.log(1e4);
  const excess = (log: number) => evidenceAgainst(Math.exp(log)) - evidence;
  return excess(max) >= 0 ? 1e4 - 1 : Math.exp(root(excess, 0, max)) - 1;
};
