/**
 * What an isolate of a gate told, as data points of Analytics Engine: for questions over months and over all tiers, which
 * nothing here decides by. Source: Workers Analytics Engine, "Limits" (20 blobs, 20 doubles, an index of 96 bytes; 250
 * points of one invocation).
 */
import type { Report } from "../../gateway/observability/metrics.ts";
import { bounds, histogram } from "../telemetry/histogram.ts";

export interface DataPoint {
  /** The tier: points are sampled by it. */
  readonly indexes: [string];
  /** version, route, method, status, verdict, by, code, upstream */
  readonly blobs: string[];
  /** requests, seconds of the upstream, bytes in, bytes out, seconds until the headers, and how many of these were within each bound */
  readonly doubles: number[];
}

const maxPoints = 250;
/** Of latency: as many as there is room for. */
const exportedBounds = bounds.slice(0, 15);

/** @returns the points, and how many there would be besides */
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
