/** The latency model: log-normal around a user's distance, in the bins of samples. */
import { maxBin } from "../../functions/gateway/observability/samples.ts";
import { distances } from "./users.ts";

const perBin = Math.log(1.05);
/** Milliseconds, and the standard deviation of its logarithm. */
const median = 40;
const spread = 0.5;
/** Bins from one distance to the next, 10 %: a gate sees the way to the upstream, and nothing of a user's own network. */
const binsPerDistance = 2;
/** From which quantile on a slow version is slow: 1.2816 is the 90th percentile, 2.3263 the 99th. */
const [slowFrom, slowAt] = [1.2816, 2.3263];

/** By distance, what share of requests falls into each bin. */
export type LatencyShape = readonly Float64Array[];

/**
 * @param slower how many times as long the slowest hundredth takes; the faster nine tenths are as they were
 * @param times how many times as long all requests take
 */
export const shapeOf = (slower: number, times = 1): LatencyShape =>
  Array.from({ length: distances }, (_, distance) => {
    const bins = new Float64Array(maxBin + 1);
    let all = 0;
    for (let z = -4.5; z < 4.5; z += 0.01) {
      const stretched = Math.log(slower) * Math.min(1, Math.max(0, (z - slowFrom) / (slowAt - slowFrom)));
      const at =
        (Math.log(median * times) + spread * z + stretched) / perBin +
        binsPerDistance * (distance - (distances - 1) / 2);
      const bin = Math.min(maxBin, Math.max(0, Math.ceil(at)));
      const density = Math.exp(-(z * z) / 2);
      bins[bin] = (bins[bin] ?? 0) + density;
      all += density;
    }
    return bins.map((it) => it / all);
  });

/** Draws bins in constant time (Walker's method of aliases). */
export interface AliasTable {
  readonly first: number;
  readonly keep: Float64Array;
  readonly other: Uint16Array;
}

/** @param distance share of requests by distance, of any sum */
export const aliasTableOf = (shape: LatencyShape, distance: Float64Array): AliasTable => {
  const weights = new Float64Array(maxBin + 1);
  for (let it = 0; it < distances; it++) {
    const part = distance[it] ?? 0;
    const bins = shape[it];
    if (part > 0 && bins)
      for (let bin = 0; bin <= maxBin; bin++) weights[bin] = (weights[bin] ?? 0) + part * (bins[bin] ?? 0);
  }
  const first = Math.max(
    0,
    weights.findIndex((it) => it > 0),
  );
  const last = weights.findLastIndex((it) => it > 0);
  const size = Math.max(1, last - first + 1);
  const all = weights.reduce((sum, it) => sum + it, 0) || 1;
  const keep = Float64Array.from({ length: size }, (_, index) => ((weights[first + index] ?? 0) * size) / all);
  const other = Uint16Array.from({ length: size }, (_, index) => index);
  const [small, large]: [number[], number[]] = [[], []];
  for (const [index, it] of keep.entries()) (it < 1 ? small : large).push(index);
  while (small.length > 0 && large.length > 0) {
    const [less, more] = [small.pop() ?? 0, large.pop() ?? 0];
    other[less] = more;
    keep[more] = (keep[more] ?? 0) - (1 - (keep[less] ?? 0));
    ((keep[more] ?? 0) < 1 ? small : large).push(more);
  }
  for (const index of [...small, ...large]) keep[index] = 1;
  return { first, keep, other };
};

export const sampleBin = ({ first, keep, other }: AliasTable, uniform: number): number => {
  const position = uniform * keep.length;
  const index = Math.floor(position);
  return first + (position - index < (keep[index] ?? 1) ? index : (other[index] ?? index));
};
