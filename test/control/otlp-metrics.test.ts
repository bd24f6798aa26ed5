/** OTLP metrics of a tier, checked with OpenTelemetry's own message classes. */
import { expect, it } from "vitest";
import { metricsOf } from "../../functions/control/exporters/otlp/metrics.ts";
import { instruments, instrumentsOf } from "../../functions/control/telemetry/instruments.ts";
import type { StoredSeries, StoredTally } from "../../functions/control/telemetry/store-tables.ts";
import { decodeOtlp } from "./otlp.ts";
import { now, series, since, tally } from "./series.ts";

const context = {
  environment: "production",
  tier: "wallet",
  paths: { balance: "/wallet/v1/accounts/{id}/balance" },
  scheme: "https",
  now,
};

interface Attributes {
  readonly attributes: readonly { readonly key: string; readonly value: Record<string, unknown> }[];
}
interface Metric {
  readonly name: string;
  readonly unit: string;
  readonly sum?: {
    readonly isMonotonic: boolean;
    readonly aggregationTemporality: number;
    readonly dataPoints: Data[];
  };
  readonly histogram?: { readonly aggregationTemporality: number; readonly dataPoints: Data[] };
}
type Data = Attributes & Record<string, unknown>;

const attributesOf = ({ attributes }: Attributes) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

const decodedMetrics = (
  counts: { series?: readonly StoredSeries[]; tallies?: readonly StoredTally[] },
  versions = ["v1"],
) =>
  metricsOf(instruments({ series: [], tallies: [], ...counts }), context, new Set(versions)).map(
    ({ message, points }) => {
      const { resourceMetrics } = decodeOtlp("metrics", JSON.stringify(message)) as {
        resourceMetrics: { resource: Attributes; scopeMetrics: { metrics: Metric[] }[] }[];
      };
      const [only] = resourceMetrics;
      return {
        points,
        resource: only && attributesOf(only.resource),
        metrics: new Map(only?.scopeMetrics.flatMap(({ metrics }) => metrics.map((it) => [it.name, it] as const))),
      };
    },
  );

it("exports the tier as a service, with the gate's version, and sums with their start time", () => {
  const [message] = decodedMetrics({ series: [series()], tallies: [tally()] });
  expect(message?.resource).toEqual({
    "service.name": "wallet",
    "service.namespace": "postern",
    "service.version": "v1",
    "deployment.environment.name": "production",
  });
  const requests = message?.metrics.get("postern.requests");
  expect(requests).toMatchObject({ unit: "{request}", sum: { isMonotonic: true, aggregationTemporality: 2 } });
  expect(requests?.sum?.dataPoints).toMatchObject([
    { asInt: "3", startTimeUnixNano: `${since}000000`, timeUnixNano: `${now}000000` },
  ]);
  expect(attributesOf(requests?.sum?.dataPoints[0] as Data)).toEqual({
    "http.request.method": "GET",
    "http.response.status_code": "200",
    "http.route": "/wallet/v1/accounts/{id}/balance",
    "url.scheme": "https",
    "postern.route": "balance",
    "postern.verdict": "passed",
    "postern.upstream": "accounts",
  });
  expect(message?.metrics.get("postern.upstream")?.sum?.dataPoints).toMatchObject([{ asDouble: 1.5 }]);
  expect(message?.metrics.get("postern.cpu")?.sum?.dataPoints).toMatchObject([{ asDouble: 0.0125 }]);
});

it("exports the front's duration by its version and the class of the status", () => {
  const stored = { series: [series({ version: "f1", status: "2xx" })], tallies: [] };
  const [message] = metricsOf(
    instrumentsOf("front", stored),
    { ...context, tier: "front", paths: {} },
    new Set(["f1"]),
  );
  const { resourceMetrics } = decodeOtlp("metrics", JSON.stringify(message?.message)) as {
    resourceMetrics: { resource: Attributes; scopeMetrics: { metrics: Metric[] }[] }[];
  };
  const [metric] = resourceMetrics[0]?.scopeMetrics[0]?.metrics ?? [];
  expect(attributesOf(resourceMetrics[0]?.resource as Attributes)).toMatchObject({
    "service.name": "front",
    "service.version": "f1",
  });
  expect(metric).toMatchObject({ name: "postern.front.duration", unit: "s" });
  expect(attributesOf(metric?.histogram?.dataPoints[0] as Data)).toEqual({ "postern.class": "2xx" });
});

it("exports latency as a histogram in seconds, with one more bucket than bounds", () => {
  const [message] = decodedMetrics({ series: [series()] });
  const it = message?.metrics.get("http.server.request.duration");
  expect(it).toMatchObject({ unit: "s", histogram: { aggregationTemporality: 2 } });
  const point = it?.histogram?.dataPoints[0] as Data & {
    bucketCounts: string[];
    explicitBounds: number[];
    sum: number;
    count: string;
  };
  expect(point.bucketCounts).toHaveLength(point.explicitBounds.length + 1);
  const filled = point.bucketCounts.flatMap((count, index) =>
    count === "0" ? [] : [[point.explicitBounds[index], count]],
  );
  expect(filled).toEqual([
    [0.01, "2"],
    [0.75, "1"],
  ]);
  expect(point.count).toBe("3");
  expect(Math.abs(point.sum / 0.716 - 1)).toBeLessThan(0.03);
});

it("sets error.type for errors, and no status if the client disconnected", () => {
  const [message] = decodedMetrics({
    series: [
      series({ status: "502", verdict: "failed", code: "upstream-unreachable" }),
      series({ status: "499", verdict: "left" }),
    ],
  });
  const [failed, left] = (message?.metrics.get("postern.requests")?.sum?.dataPoints ?? []).map(attributesOf);
  expect(failed).toMatchObject({ "http.response.status_code": "502", "error.type": "upstream-unreachable" });
  expect(left).not.toHaveProperty("http.response.status_code");
});

it("exports each active version as its own resource, and no inactive one", () => {
  const all = [series(), series({ version: "v2" }), series({ version: "old" })];
  expect(decodedMetrics({ series: all }, ["v1", "v2"]).map(({ resource }) => resource?.["service.version"])).toEqual([
    "v1",
    "v2",
  ]);
});

it("splits many points into several messages, each point once", () => {
  const many = Array.from({ length: 4500 }, (_, index) => series({ route: `r${index}` }));
  const messages = decodedMetrics({ series: many });
  expect(messages.every(({ points }) => points <= 2000)).toBe(true);
  expect(messages.reduce((sum, { points }) => sum + points, 0)).toBe(4500 * 5);
});
