/** The latency model: log-normal around a client's distance, in the bins of gates; and how often a threshold is exceeded. */

import type { Measure } from "../../../functions/control/stats/measures.ts";
import { maxBin } from "../../../functions/gateway/observability/samples.ts";
import { distances } from "./clients.ts";

const perBin = Math.log(1.05);
/** Milliseconds, and the standard deviation of its logarithm. */
const median = 40;
const spread = 0.5;
/** Bins from one distance to the next, 10 %: a gate sees the way to the upstream, and nothing of a client's own network. */
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

/** By which requests are slow; the first is never raised, the others are for the canary, by what is tolerated. */
const quantiles = [0.99, 0.5, 0.9, 0.99] as const;
export const thresholdsPerRoute = quantiles.length;
/** The counts of requests that exceed each threshold. */
export const slowMeasures = ["slow99", "over50", "over90", "over99"] as const satisfies readonly Measure[];

/** What stable's requests on a route were like before the rollout; grows with what is added. */
export interface PastLatency {
  readonly bins: Float64Array;
}

export const noPast = (): PastLatency => ({ bins: new Float64Array(maxBin + 1) });

/** A quantile of fewer requests says little. */
const minRequests = 200;

/** @param weights requests by distance that got a response */
export const addPast = (past: PastLatency, shape: LatencyShape, weights: ArrayLike<number>, slow: number): void => {
  for (const [distance, bins] of shape.entries())
    for (let bin = 0; bin <= maxBin; bin++) {
      const to = Math.min(maxBin, bin + slow);
      past.bins[to] = (past.bins[to] ?? 0) + (weights[distance] ?? 0) * (bins[bin] ?? 0);
    }
};

/** The bins of the quantiles of what did not fail; undefined without a past, as a route has that stable does not know. */
export const thresholdsOf = ({ bins }: PastLatency): readonly number[] | undefined => {
  const all = bins.reduce((sum, it) => sum + it, 0);
  if (all < minRequests) return undefined;
  return quantiles.map((quantile) => {
    let below = 0;
    for (let bin = 0; bin < maxBin; bin++) {
      below += bins[bin] ?? 0;
      if (below >= quantile * all) return bin;
    }
    return maxBin;
  });
};

/** @param bins by which the canary's are raised */
export const raised = (thresholds: readonly number[], bins: number): number[] =>
  thresholds.map((it, index) => (index === 0 ? it : Math.min(maxBin, it + bins)));

/**
 * By distance and threshold, the probability that a request exceeds it.
 * @param slow bins that all latencies are moved by
 */
export const exceedingOf = (shape: LatencyShape, thresholds: readonly number[], slow: number): Float64Array => {
  const exceeding = new Float64Array(shape.length * thresholds.length);
  for (const [distance, bins] of shape.entries())
    for (const [index, threshold] of thresholds.entries()) {
      let above = 0;
      for (let bin = Math.max(0, threshold - slow + 1); bin <= maxBin; bin++) above += bins[bin] ?? 0;
      exceeding[distance * thresholds.length + index] = threshold >= maxBin ? 0 : above;
    }
  return exceeding;
};
