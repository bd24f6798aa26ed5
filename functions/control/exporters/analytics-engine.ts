/**
 * Converts a gate's report into data points of Analytics Engine, for queries over months and over all tiers. No decision
 * depends on them. Source: Workers Analytics Engine, "Limits" (20 blobs, 20 doubles, an index of 96 bytes; 250
 * points of one invocation).
 */
import type { Report } from "../../gateway/observability/report.ts";
import { bounds, histogram } from "../telemetry/counts/histogram.ts";

export interface DataPoint {
  /** The tier. Analytics Engine samples points by this index. */
  readonly indexes: [string];
  /** version, route, method, status, verdict, by, code, upstream */
  readonly blobs: string[];
  /** requests, seconds of the upstream, bytes in, bytes out, seconds until the headers, and how many of these were within each bound */
  readonly doubles: number[];
}

const maxPoints = 250;
/** Latency bounds that fit into a data point. */
const exportedBounds = bounds.slice(0, 15);

/** @returns the points, and how many did not fit */
export const dataPoints = ({
  tier,
  version,
  series,
}: Pick<Report, "tier" | "version" | "series">): { readonly points: readonly DataPoint[]; readonly lost: number } => ({
  points: series.slice(0, maxPoints).map((it): DataPoint => {
    const { counts, sum } = histogram(it.latency);
    let within = 0;
    return {
      indexes: [tier],
      blobs: [version, it.route, it.method, it.status, it.verdict, it.by, it.code, it.upstream],
      doubles: [
        it.count,
        it.upstreamMs / 1000,
        it.bytesIn,
        it.bytesOut,
        sum,
        ...exportedBounds.map((_, index) => {
          within += counts[index] ?? 0;
          return within;
        }),
      ],
    };
  }),
  lost: Math.max(0, series.length - maxPoints),
});
