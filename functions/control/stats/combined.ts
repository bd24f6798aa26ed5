/** Sums and means over the stores of telemetry of one stage, and the bounds that a pass rests on. */
import { indexOf, type Measure, type Rate, type Side } from "./measures.ts";
import { maxTop, type RateSummary, type StageSummary } from "./stage-summary.ts";

/**
 * Standard errors of a bound: 98.6 % of a normal distribution. It is read at a few times that are far apart, so that all
 * together keep 95 %.
 */
const standardErrors = 2.2;

export const totalOf = (units: readonly StageSummary[], side: Side, measure: Measure): number =>
  units.reduce((sum, it) => sum + (it[side].totals[indexOf[measure]] ?? 0), 0);

/** The rate over all stores, weighted by the canary's requests. Undefined if no store has computed it. */
export const combinedRate = (units: readonly StageSummary[], rate: Rate): RateSummary | undefined =>
  combined(units.flatMap(({ rates }) => (rates ? [rates[rate]] : [])));

/** The same of authenticated clusters and dealt requests alone. */
export const trustedRate = (units: readonly StageSummary[], rate: Rate): RateSummary | undefined =>
  combined(
    units.flatMap(({ rates }) => {
      const trusted = rates?.[rate].trusted;
      return trusted ? [{ ...trusted, clients: 0, top: [] }] : [];
    }),
  );

const combined = (all: readonly RateSummary[]): RateSummary | undefined => {
  const [first, ...others] = all.filter(({ weight }) => weight > 0);
  if (!first) return all[0];
  if (others.length === 0) return first;
  const some = [first, ...others];
  const weight = some.reduce((sum, it) => sum + it.weight, 0);
  const mean = (read: (it: RateSummary) => number, power = 1) =>
    some.reduce((sum, it) => sum + (it.weight / weight) ** power * read(it), 0);
  return {
    weight,
    stable: mean((it) => it.stable),
    canary: mean((it) => it.canary),
    variance: { stable: mean((it) => it.variance.stable, 2), canary: mean((it) => it.variance.canary, 2) },
    units: some.reduce((sum, it) => sum + it.units, 0),
    // The stores may have seen the same ones.
    clients: Math.max(...some.map((it) => it.clients)),
    top: some
      .flatMap(({ top }) => top)
      .toSorted((a, b) => b.hits - a.hits)
      .slice(0, maxTop),
  };
};

export interface Bounds {
  readonly low: number;
  readonly high: number;
}

/**
 * Bounds of canary minus stable, after `times` as much evidence at the same rates. One more hit of the canary is always possible:
 * none of a hundred is not none at all.
 */
export const boundsOf = (
  { stable, canary, variance, weight }: Pick<RateSummary, "stable" | "canary" | "variance" | "weight">,
  times = 1,
): Bounds => {
  if (weight === 0) return { low: -1, high: 1 };
  const one = 1 / (weight * times);
  const margin = standardErrors * Math.sqrt((variance.stable + variance.canary) / times + one ** 2);
  const difference = canary - stable;
  return { low: Math.max(-1, difference - margin), high: Math.min(1, difference + one + margin) };
};

/** Whether the canary has more by a standard error, which one of six equal versions has by chance: too many for a verdict, enough for a doubt. */
export const seemsMore = ({ stable, canary, variance, weight }: RateSummary): boolean =>
  weight > 0 && canary - stable > Math.sqrt(variance.stable + variance.canary + 1 / weight ** 2);

/**
 * The requests that the canary's rate is worth: as many independent ones as have its variance. At most those that it has.
 */
export const effectiveRequests = ({ canary, variance, weight }: RateSummary): number =>
  variance.canary > 0 && canary > 0 && canary < 1
    ? Math.min(weight, (canary * (1 - canary)) / variance.canary)
    : weight;

export interface ShareOfRequests {
  /** The canary's requests, as a part of those that its share of the users should send. */
  readonly part: number;
  /** Its standard error, by the random assignment of clusters alone. */
  readonly error: number;
}

/** Undefined if nothing is expected. */
export const shareOfRequests = (units: readonly StageSummary[], share: number): ShareOfRequests | undefined => {
  const sum = { all: 0, canary: 0, squares: 0 };
  for (const { requests } of units) {
    sum.all += requests?.all ?? 0;
    sum.canary += requests?.canary ?? 0;
    sum.squares += requests?.squares ?? 0;
  }
  const expected = share * sum.all;
  if (expected === 0) return undefined;
  return { part: sum.canary / expected, error: Math.sqrt(share * (1 - share) * sum.squares) / expected };
};
