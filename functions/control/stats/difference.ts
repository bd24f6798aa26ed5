/**
 * The difference of a rate between both versions, as a mean over clusters, and its variance.
 *
 * Clusters are winsorised: none weighs more than ten mean ones, whichever version it has. The worst ones are left out, the same
 * part of both versions (trimmed means: Wilcox, "Introduction to Robust Estimation and Hypothesis Testing", 2017, section 5.3), so that two
 * clusters alone move nothing. The variance is that of a ratio over clusters (Cochran, "Sampling Techniques", 1977, section
 * 6.3), which covers any dependence among one cluster's requests. It is an approximation for many clusters: a pass rests on it, a
 * failure does not.
 */
import { dealtFrom } from "./crossings.ts";

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
const maxWeight = 10;
/** The canary's worst clusters that never count. */
export const trimmed = 2;

/** @param active numbers of the clusters with requests */
export const differenceOf = (stable: ClusterTotals, canary: ClusterTotals, active: ArrayLike<number>): Difference => {
  const sides = { stable: sideOf(stable, canary, active), canary: sideOf(canary, stable, active) };
  const clusters = sides.canary.of.length;
  const part = clusters > 0 ? trimmed / clusters : 0;
  const [one, other] = [meanOf(sides.stable, Math.min(0.5, part)), meanOf(sides.canary, Math.min(0.5, part))];
  return {
    stable: one.mean,
    canary: other.mean,
    variance: { stable: one.variance, canary: other.variance },
    units: clusters + sides.canary.dealt.of,
    weight: other.weight,
  };
};

/** Clusters of one version by weight. Typed arrays, as there are tens of thousands, and a verdict needs nine rates of both versions. */
interface SideTotals {
  readonly hits: Float64Array;
  readonly of: Float64Array;
  /** Requests that were dealt one by one. */
  readonly dealt: { readonly hits: number; readonly of: number };
}

const sideOf = (mine: ClusterTotals, other: ClusterTotals, active: ArrayLike<number>): SideTotals => {
  const most = maxWeight * meanRequests(mine, other, active);
  const [hits, of] = [new Float64Array(active.length), new Float64Array(active.length)];
  const dealt = { hits: 0, of: 0 };
  let count = 0;
  for (let index = 0; index < active.length; index++) {
    const cluster = active[index] as number;
    const requests = mine.of[cluster] as number;
    if (requests === 0) continue;
    const hit = Math.min(mine.hits[cluster] as number, requests);
    if (cluster >= dealtFrom) {
      dealt.hits += hit;
      dealt.of += requests;
      continue;
    }
    const weight = Math.min(1, most / (requests + (other.of[cluster] as number)));
    hits[count] = hit * weight;
    of[count++] = requests * weight;
  }
  return { hits: hits.subarray(0, count), of: of.subarray(0, count), dealt };
};

/** Of a cluster, under both versions together. */
const meanRequests = (mine: ClusterTotals, other: ClusterTotals, active: ArrayLike<number>): number => {
  let [all, count] = [0, 0];
  for (let index = 0; index < active.length; index++) {
    const cluster = active[index] as number;
    if (cluster >= dealtFrom) continue;
    all += (mine.of[cluster] as number) + (other.of[cluster] as number);
    count++;
  }
  return count > 0 ? all / count : 0;
};

/** @param part of the clusters that is left out: those with most hits beyond the mean */
const meanOf = (
  { hits, of, dealt }: SideTotals,
  part: number,
): { readonly mean: number; readonly variance: number; readonly weight: number } => {
  const whole = ratioOf(sum(hits) + dealt.hits, sum(of) + dealt.of);
  const excess = new Float64Array(hits.length);
  for (let index = 0; index < hits.length; index++) excess[index] = (hits[index] as number) - whole * (of[index] as number);
  const count = hits.length - Math.round(part * hits.length);
  const kept = leastOf(excess, count);
  const weight = sum(of, kept) + dealt.of;
  if (weight === 0) return { mean: 0, variance: 0, weight };
  const mean = ratioOf(sum(hits, kept) + dealt.hits, weight);
  let squares = 0;
  for (let index = 0; index < hits.length; index++)
    squares += (kept[index] as number) * ((hits[index] as number) - mean * (of[index] as number)) ** 2;
  const perRequest = dealt.of * mean * (1 - mean);
  return { mean, variance: (squares * (count > 1 ? count / (count - 1) : 1) + perRequest) / weight ** 2, weight };
};

/** One for each of the `count` least numbers, zero for others. */
const leastOf = (numbers: Float64Array, count: number): Uint8Array => {
  const kept = new Uint8Array(numbers.length);
  if (count === numbers.length) return kept.fill(1);
  const limit = count > 0 ? (numbers.toSorted()[count - 1] as number) : Number.NEGATIVE_INFINITY;
  let room = count;
  for (let index = 0; index < numbers.length; index++)
    if ((numbers[index] as number) < limit) {
      kept[index] = 1;
      room--;
    }
  for (let index = 0; room > 0; index++)
    if (numbers[index] === limit) {
      kept[index] = 1;
      room--;
    }
  return kept;
};

const sum = (numbers: Float64Array, kept?: Uint8Array): number => {
  let all = 0;
  for (let index = 0; index < numbers.length; index++) all += (numbers[index] as number) * (kept ? (kept[index] as number) : 1);
  return all;
};

const ratioOf = (hits: number, of: number): number => (of > 0 ? hits / of : 0);
