/** What both versions of a rollout did so far, as people look at it. */
import { type Bins, type Group, msOf, type Sample } from "../../gateway/observability/samples.ts";
import { sumOfBins, sumOfSamples } from "../telemetry/samples.ts";
import type { Stage } from "./evidence.ts";

export interface Measurement {
  /** Requests of users that the new version has had, at any share. */
  readonly exposed: number;
  /** Both at the same times, while each of them had users. */
  readonly stable: VersionStats;
  readonly canary: VersionStats;
}

export interface VersionStats {
  readonly requests: number;
  readonly errors: number;
  readonly refusals: number;
  readonly abandoned: number;
  /** Of warm isolates. */
  readonly latency: Bins;
  /** Milliseconds, five per cent too long at most; null where there is no request. */
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p99: number | null;
}

/** @param exposed all that the new version did since the rollout began */
export const measurementOf = (stages: readonly Stage[], exposed: Sample): Measurement => ({
  exposed: total(exposed, "requests"),
  stable: statsOf(stages.map(({ stable }) => stable)),
  canary: statsOf(stages.map(({ canary }) => canary)),
});

const statsOf = (samples: readonly Sample[]): VersionStats => {
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

/** The upper edge of the bin that it lies in, in milliseconds. */
const quantile = (bins: Bins, part: number): number | null => {
  const least = part * bins.reduce((all, [, count]) => all + count, 0);
  let below = 0;
  for (const [bin, count] of bins) {
    below += count;
    if (below >= least) return msOf(bin);
  }
  return null;
};
