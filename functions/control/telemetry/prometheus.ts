/** The sums of all tiers in Prometheus' text format (exposition formats, version 0.0.4). */
import type { Series } from "../../gateway/telemetry.ts";
import { type Bins, msOf } from "../../gateway/telemetry-samples.ts";

export interface TierSeries {
  readonly tier: string;
  readonly series: readonly (Series & { readonly version: string })[];
}

/** In seconds. */
const bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export const prometheus = (tiers: readonly TierSeries[]): string => {
  const rows = tiers.flatMap(({ tier, series }) => series.map((it) => ({ tier, ...it })));
  const labelled = rows.map((it) => {
    const { tier, route, version, status, verdict, by, code } = it;
    return { it, labels: labels({ tier, route, version, status, verdict, by, code }) };
  });
  return [
    ...family("postern_requests_total", "counter", "Requests that were answered, or that their client left"),
    ...labelled.map(({ it, labels }) => `postern_requests_total{${labels}} ${it.count}`),
    ...family("postern_upstream_seconds_total", "counter", "Time until the upstreams' headers"),
    ...labelled.map(({ it, labels }) => `postern_upstream_seconds_total{${labels}} ${it.upstreamMs / 1000}`),
    ...family("postern_request_bytes_total", "counter", "Bodies of requests, where their length was said"),
    ...labelled.map(({ it, labels }) => `postern_request_bytes_total{${labels}} ${it.bytesIn}`),
    ...family("postern_response_bytes_total", "counter", "Bodies of responses, where their length was said"),
    ...labelled.map(({ it, labels }) => `postern_response_bytes_total{${labels}} ${it.bytesOut}`),
    ...family("postern_latency_seconds", "histogram", "From a request to its response's headers, where it passed"),
    ...labelled.filter(({ it }) => it.latency.length > 0).flatMap(({ it, labels }) => histogram(labels, it.latency)),
    "",
  ].join("\n");
};

const family = (name: string, type: string, help: string): string[] => [
  `# HELP ${name} ${help}`,
  `# TYPE ${name} ${type}`,
];

const labels = (all: Readonly<Record<string, string>>): string =>
  Object.entries(all)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(",");

const escaped = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");

const histogram = (labels: string, bins: Bins): string[] => {
  const upTo = (seconds: number) =>
    bins.filter(([bin]) => msOf(bin) <= seconds * 1000).reduce((sum, [, count]) => sum + count, 0);
  const all = bins.reduce((sum, [, count]) => sum + count, 0);
  const time = bins.reduce((sum, [bin, count]) => sum + count * msOf(bin), 0) / 1000;
  return [
    ...bounds.map((bound) => `postern_latency_seconds_bucket{${labels},le="${bound}"} ${upTo(bound)}`),
    `postern_latency_seconds_bucket{${labels},le="+Inf"} ${all}`,
    `postern_latency_seconds_sum{${labels}} ${Number(time.toPrecision(6))}`,
    `postern_latency_seconds_count{${labels}} ${all}`,
  ];
};
