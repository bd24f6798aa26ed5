/** What both versions of a rollout did so far, as people look at it. */
import { type Bins, type Group, msOf, type Sample } from "../../gateway/observability/samples.ts";
import { sum, sumOfBins } from "../telemetry/samples.ts";
import type { Stage } from "./evidence.ts";

export interface Measured {
  /** Requests of users that the new version has had, at any share. */
  readonly exposed: number;
  /** Both at the same times, while each of them had users. */
  readonly stable: Side;
  readonly canary: Side;
}

export interface Side {
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
export const measuredOf = (stages: readonly Stage[], exposed: Sample): Measured => ({
  exposed: total(exposed, "requests"),
  stable: sideOf(stages.map(({ stable }) => stable)),
  canary: sideOf(stages.map(({ canary }) => canary)),
});

const sideOf = (samples: readonly Sample[]): Side => {
  const whole = samples.reduce(sum, { groups: {}, cold: 0 });
  const latency = Object.values(whole.groups)
    .map((it) => it.latency)
    .reduce(sumOfBins, []);
  return {
    requests: total(whole, "requests"),
    errors: total(whole, "errors"),
    refusals: total(whole, "refusals"),
    abandoned: total(whole, "abandoned"),
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
