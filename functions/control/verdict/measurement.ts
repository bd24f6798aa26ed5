/** Measurements of both versions of a rollout so far, as displayed to people. */
import { type Bins, type Group, msOf, type Sample } from "../../gateway/observability/samples.ts";
import { sumOfBins, sumOfSamples } from "../telemetry/counts/samples.ts";
import type { Stage } from "./evidence.ts";

export interface Measurement {
  /** Requests that the new version has served, at any share. */
  readonly exposed: number;
  /** Both versions during the same time, while each of them had users. */
  readonly stable: VersionStats;
  readonly canary: VersionStats;
}

export interface VersionStats {
  readonly requests: number;
  readonly errors: number;
  readonly refusals: number;
  readonly abandoned: number;
  /** Latency in warm isolates. */
  readonly latency: Bins;
  /** Milliseconds, at most five per cent too high; null without requests. */
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p99: number | null;
}

/** @param exposed all samples of the new version since the rollout started */
export const measurementOf = (stages: readonly Stage[], exposed: Sample): Measurement => ({
  exposed: total(exposed, "requests"),
  stable: statsOf(stages.map(({ stable }) => stable)),
  canary: statsOf(stages.map(({ canary }) => canary)),
});

export const statsOf = (samples: readonly Sample[]): VersionStats => {
  const combined = samples.reduce(sumOfSamples, { groups: {}, cold: 0 });
  const latency = Object.values(combined.groups)
    .map((it) => it.latency)
    .reduce(sumOfBins, []);
  return {
    requests: total(combined, "requests"),
    errors: total(combined, "errors"),
    refusals: total(combined, "refusals"),
    abandoned: total(combined, "abandoned"),
    latency,
    p50: quantile(latency, 0.5),
    p90: quantile(latency, 0.9),
    p99: quantile(latency, 0.99),
  };
};

const total = ({ groups }: Sample, count: Exclude<keyof Group, "latency">): number =>
  Object.values(groups).reduce((all, it) => all + it[count], 0);

/** The upper edge of the quantile's bin, in milliseconds. */
const quantile = (bins: Bins, part: number): number | null => {
  const least = part * bins.reduce((all, [, count]) => all + count, 0);
  let below = 0;
  for (const [bin, count] of bins) {
    below += count;
    if (below >= least) return msOf(bin);
  }
  return null;
};
