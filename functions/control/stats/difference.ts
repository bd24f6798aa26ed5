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
  const part = sides.canary.clusters.length > 0 ? trimmed / sides.canary.clusters.length : 0;
  const [one, other] = [meanOf(sides.stable, Math.min(0.5, part)), meanOf(sides.canary, Math.min(0.5, part))];
  return {
    stable: one.mean,
    canary: other.mean,
    variance: { stable: one.variance, canary: other.variance },
    units: sides.canary.clusters.length + sides.canary.dealt.of,
    weight: other.weight,
  };
};

interface Weighted {
  readonly hits: number;
  readonly of: number;
}

interface SideTotals {
  readonly clusters: readonly Weighted[];
  /** Requests that were dealt one by one. */
  readonly dealt: Weighted;
}

const sideOf = (mine: ClusterTotals, other: ClusterTotals, active: ArrayLike<number>): SideTotals => {
  const clusters: Weighted[] = [];
  const dealt = { hits: 0, of: 0 };
  let [all, count] = [0, 0];
  for (let index = 0; index < active.length; index++) {
    const cluster = active[index] ?? 0;
    if (cluster >= dealtFrom) continue;
    all += (mine.of[cluster] ?? 0) + (other.of[cluster] ?? 0);
    count++;
  }
  const most = count > 0 ? (maxWeight * all) / count : 0;
  for (let index = 0; index < active.length; index++) {
    const cluster = active[index] ?? 0;
    const of = mine.of[cluster] ?? 0;
    if (of === 0) continue;
    const hits = Math.min(mine.hits[cluster] ?? 0, of);
    if (cluster >= dealtFrom) {
      dealt.hits += hits;
      dealt.of += of;
      continue;
    }
    const weight = Math.min(1, most / (of + (other.of[cluster] ?? 0)));
    clusters.push({ hits: hits * weight, of: of * weight });
  }
  return { clusters, dealt };
};

const meanOf = (
  { clusters, dealt }: SideTotals,
  part: number,
): { readonly mean: number; readonly variance: number; readonly weight: number } => {
  const whole = ratioOf([...clusters, dealt]);
  const excess = ({ hits, of }: Weighted) => hits - whole * of;
  const left = Math.round(part * clusters.length);
  const kept =
    left === 0 ? clusters : clusters.toSorted((a, b) => excess(a) - excess(b)).slice(0, clusters.length - left);
  const mean = ratioOf([...kept, dealt]);
  const weight = kept.reduce((sum, { of }) => sum + of, dealt.of);
  if (weight === 0) return { mean: 0, variance: 0, weight };
  const squares = kept.reduce((sum, { hits, of }) => sum + (hits - mean * of) ** 2, 0);
  const count = kept.length;
  const perRequest = dealt.of * mean * (1 - mean);
  return { mean, variance: (squares * (count > 1 ? count / (count - 1) : 1) + perRequest) / weight ** 2, weight };
};

const ratioOf = (all: readonly Weighted[]): number => {
  let [hits, of] = [0, 0];
  for (const it of all) {
    hits += it.hits;
    of += it.of;
  }
  return of > 0 ? hits / of : 0;
};
