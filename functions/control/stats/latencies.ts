/** Latencies of one version in one stage, as bins and as counts above thresholds, by group. */
import { groups, mostBin, type Sample } from "../../gateway/telemetry-samples.ts";
import { eachGroup } from "./counts.ts";

/** Thresholds are this many bins apart: 22 %. */
export const step = 4;
export const thresholds = Math.ceil((mostBin + 1) / step);

/** One version's in one stage. */
export interface Latencies {
  readonly bins: Float64Array;
  readonly count: number;
  /** Requests of each group. */
  readonly of: Float64Array;
  /** Of each threshold and group, how many are above: threshold-major. */
  readonly above: readonly Float64Array[];
}

/** @param stretch bins that thresholds are moved up by */
export const latenciesOf = (sample: Sample, stretch: number): Latencies => {
  const bins = new Float64Array(mostBin + 1);
  const of = new Float64Array(groups);
  const above = Array.from({ length: thresholds }, () => new Float64Array(groups));
  eachGroup(sample, (group, { latency }) => {
    let all = 0;
    for (const [bin, count] of latency) {
      const at = Math.min(Math.max(bin, 0), mostBin);
      bins[at] = (bins[at] ?? 0) + count;
      all += count;
      // Threshold t is the upper edge of bin t·step, so this is above all thresholds lower than its own bin.
      const slot = Math.ceil((at - stretch) / step) - 1;
      const cell = slot >= 0 ? above[slot] : undefined;
      if (cell) cell[group] = (cell[group] ?? 0) + count;
    }
    of[group] = all;
  });
  for (let slot = thresholds - 2; slot >= 0; slot--) {
    const [here, higher] = [above[slot], above[slot + 1]];
    if (here && higher)
      for (let group = 0; group < groups; group++) here[group] = (here[group] ?? 0) + (higher[group] ?? 0);
  }
  return { bins, count: total(of), of, above };
};

export const total = (numbers: Float64Array): number => numbers.reduce((all, it) => all + it, 0);
