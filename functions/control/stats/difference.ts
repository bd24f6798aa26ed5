/**
 * The difference of a rate between both versions, as a mean over clusters, and its variance.
 *
 * Clusters are winsorised: none weighs more than ten mean ones, whichever version it has. The worst ones are left out, the same
 * part of both versions (trimmed means: Wilcox, "Introduction to Robust Estimation and Hypothesis Testing", 2017, section 5.3), so that two
 * clusters alone move nothing. The variance is that of a ratio over clusters (Cochran, "Sampling Techniques", 1977, section
 * 6.3), which covers any dependence among one cluster's requests. It is an approximation for many clusters: a pass rests on it, a
 * failure does not.
 */
import { firstOf } from "../../gateway/observability/clusters.ts";

/** Hits and requests of one version by cluster. Those that were dealt one by one are clusters of their own, summed. */
export interface ClusterTotals {
  readonly hits: ArrayLike<number>;
  readonly of: ArrayLike<number>;
}

export interface Difference {
  /** Means over the clusters that count. */
  readonly stable: number;
  readonly canary: number;
  /** Of stable's mean and of the canary's. Versions are independent, so their sum is that of the difference. */
  readonly variance: { readonly stable: number; readonly canary: number };
  /** Clusters of the canary with requests, and dealt requests. */
  readonly units: number;
  /** The canary's requests that count, by weight. */
  readonly weight: number;
}

/** A cluster weighs this many mean ones at most. */
const usualWeight = 10;
/** The canary's worst clusters that never count. */
export const trimmed = 2;

/**
 * @param active numbers of the clusters that did anything, each once
 * @param most how many requests of a cluster count
 */
export const differenceOf = (
  stable: ClusterTotals,
  canary: ClusterTotals,
  active: ArrayLike<number>,
  most = mostRequests(stable.of, canary.of, active),
): Difference => {
  const sides = { stable: sideOf(stable, canary, active, most), canary: sideOf(canary, stable, active, most) };
  const part = Math.min(0.5, trimmed / Math.max(1, sides.canary.clusters));
  const [one, other] = [meanOf(sides.stable, part), meanOf(sides.canary, part)];
  return {
    stable: one.mean,
    canary: other.mean,
    variance: { stable: one.variance, canary: other.variance },
    units: sides.canary.clusters + sides.canary.dealt.of,
    weight: other.weight,
  };
};

/** The clusters of one version, in the order of `active`; verdicts are frequent, so there is no object for each. */
interface SideTotals {
  readonly hits: Float64Array;
  readonly of: Float64Array;
  readonly clusters: number;
  /** Requests that were dealt one by one. */
  readonly dealt: { readonly hits: number; readonly of: number };
}

/**
 * How many requests of a cluster count at most, under both versions: so many mean ones, of what counts. (A mean of all requests
 * would grow with the largest cluster, which then weighs more than all others of the canary together.) At most one in
 * `maxWeight` clusters has more.
 */
export const mostRequests = (
  one: ArrayLike<number>,
  other: ArrayLike<number>,
  active: ArrayLike<number>,
  maxWeight = usualWeight,
): number => {
  const requests = new Float64Array(active.length);
  let [count, left] = [0, 0];
  for (let index = 0; index < active.length; index++) {
    const cluster = active[index] ?? 0;
    if (cluster >= firstOf.dealt) continue;
    const all = (one[cluster] ?? 0) + (other[cluster] ?? 0);
    requests[count++] = all;
    left += all;
  }
  const sorted = requests.subarray(0, count).sort();
  // With `limited` clusters at the limit: limit = maxWeight * (left + limited * limit) / count.
  for (let limited = 0; limited * maxWeight < count; limited++) {
    const largest = sorted[count - 1 - limited] ?? 0;
    const limit = (maxWeight * left) / (count - maxWeight * limited);
    if (largest <= limit) return limit;
    left -= largest;
  }
  return 0;
};

const sideOf = (mine: ClusterTotals, other: ClusterTotals, active: ArrayLike<number>, most: number): SideTotals => {
  const side = { hits: new Float64Array(active.length), of: new Float64Array(active.length) };
  const dealt = { hits: 0, of: 0 };
  let clusters = 0;
  for (let index = 0; index < active.length; index++) {
    const cluster = active[index] ?? 0;
    const of = mine.of[cluster] ?? 0;
    if (of === 0) continue;
    const hits = Math.min(mine.hits[cluster] ?? 0, of);
    if (cluster >= firstOf.dealt) {
      dealt.hits += hits;
      dealt.of += of;
      continue;
    }
    const weight = Math.min(1, most / (of + (other.of[cluster] ?? 0)));
    side.hits[clusters] = hits * weight;
    side.of[clusters++] = of * weight;
  }
  return { hits: side.hits.subarray(0, clusters), of: side.of.subarray(0, clusters), clusters, dealt };
};

interface Mean {
  readonly mean: number;
  readonly variance: number;
  readonly weight: number;
}

/** @param part of the clusters that is left out: those with most hits beyond the mean */
const meanOf = ({ hits, of, clusters, dealt }: SideTotals, part: number): Mean => {
  const all = { hits: sum(hits) + dealt.hits, of: sum(of) + dealt.of };
  const whole = all.of > 0 ? all.hits / all.of : 0;
  const isLeft = worstOf(hits, of, whole, Math.round(part * clusters));
  let count = 0;
  for (let index = 0; index < clusters; index++) {
    if (isLeft[index] === 0) count++;
    else {
      all.hits -= hits[index] ?? 0;
      all.of -= of[index] ?? 0;
    }
  }
  if (all.of <= 0) return { mean: 0, variance: 0, weight: 0 };
  const mean = Math.max(0, all.hits / all.of);
  let squares = 0;
  for (let index = 0; index < clusters; index++)
    if (isLeft[index] === 0) squares += ((hits[index] ?? 0) - mean * (of[index] ?? 0)) ** 2;
  const correction = count > 1 ? count / (count - 1) : 1;
  const perRequest = dealt.of * mean * (1 - mean);
  return { mean, variance: (squares * correction + perRequest) / all.of ** 2, weight: all.of };
};

/**
 * Marks as many clusters with most hits beyond the rate; none that has no more. Of equal ones the first are marked, after all
 * that are worse.
 */
const worstOf = (hits: Float64Array, of: Float64Array, rate: number, count: number): Uint8Array => {
  const marks = new Uint8Array(hits.length);
  const excess = new Float64Array(hits.length);
  const excessAt = (index: number): number => (hits[index] ?? 0) - rate * (of[index] ?? 0);
  let worse = 0;
  for (let index = 0; index < hits.length; index++) {
    const more = excessAt(index);
    if (more > rounding * (of[index] ?? 0)) excess[worse++] = more;
  }
  const left = Math.min(worse, count);
  if (left === 0) return marks;
  const sorted = excess.subarray(0, worse).sort();
  const least = sorted[worse - left] ?? 0;
  let equal = sorted.subarray(worse - left).lastIndexOf(least) + 1;
  for (let index = 0; index < hits.length; index++) {
    const more = excessAt(index);
    if (more > least || (more === least && equal-- > 0)) marks[index] = 1;
  }
  return marks;
};

/** What is beyond the rate by less, as a part of the requests, is not beyond it. */
const rounding = 1e-12;

const sum = (numbers: Float64Array): number => {
  let all = 0;
  for (let index = 0; index < numbers.length; index++) all += numbers[index] ?? 0;
  return all;
};
