/** Counts latencies of one version in one stage: in bins, and above thresholds by group. */
import { groups, maxBin, type Sample } from "../../gateway/observability/samples.ts";
import { forEachGroup, sum } from "./counts.ts";

/** Thresholds are this many bins apart: 22 %. */
export const binsPerThreshold = 4;
export const thresholds = Math.ceil((maxBin + 1) / binsPerThreshold);

/** Latencies of one version in one stage. */
export interface Latencies {
  readonly bins: Float64Array;
  readonly count: number;
  /** Requests of each group. */
  readonly of: Float64Array;
  /** For each threshold, the number of latencies above it. */
  readonly above: Float64Array;
  /** The same for one threshold, by group. */
  readonly by: (threshold: number) => Float64Array;
}

/** @param stretch number of bins by which thresholds are raised */
export const latenciesOf = (sample: Sample, stretch: number): Latencies => {
  const bins = new Float64Array(maxBin + 1);
  const of = new Float64Array(groups);
  const cells = new Float64Array(thresholds * groups);
  const above = new Float64Array(thresholds);
  let highest = -1;
  forEachGroup(sample, (group, { latency }) => {
    let all = 0;
    // An iterator for each pair would take most of a verdict's time.
    for (let index = 0; index < latency.length; index++) {
      const pair = latency[index];
      const count = pair?.[1] ?? 0;
      const bin = Math.min(Math.max(pair?.[0] ?? 0, 0), maxBin);
      bins[bin] = (bins[bin] ?? 0) + count;
      all += count;
      // Threshold t is the upper edge of bin t·step, so this is above all thresholds lower than its own bin.
      const slot = Math.ceil((bin - stretch) / binsPerThreshold) - 1;
      if (slot < 0) continue;
      const cell = slot * groups + group;
      cells[cell] = (cells[cell] ?? 0) + count;
      if (slot > highest) highest = slot;
    }
    of[group] = all;
  });
  for (let slot = highest; slot >= 0; slot--) {
    let all = 0;
    for (let cell = slot * groups; cell < (slot + 1) * groups; cell++) {
      const count = (cells[cell] ?? 0) + (slot < highest ? (cells[cell + groups] ?? 0) : 0);
      cells[cell] = count;
      all += count;
    }
    above[slot] = all;
  }
  return {
    bins,
    count: sum(of),
    of,
    above,
    by: (threshold) => cells.subarray(threshold * groups, (threshold + 1) * groups),
  };
};
