/** The text of `/metrics`, checked with a parser of Prometheus' format. */
import parse from "parse-prometheus-text-format";
import { expect, it } from "vitest";
import { prometheusText } from "../../functions/control/exporters/prometheus.ts";
import { instruments, instrumentsOf } from "../../functions/control/telemetry/instruments.ts";
import { series } from "./series.ts";

type TierTelemetry = readonly [tier: string, kept: Partial<Parameters<typeof instruments>[0]>];

const metricsText = (...tiers: readonly TierTelemetry[]): string =>
  prometheusText(
    tiers.map(([tier, counts]) => ({ tier, instruments: instruments({ series: [], tallies: [], ...counts }) })),
  );

const parsedMetrics = (...tiers: readonly TierTelemetry[]) => parse(metricsText(...tiers));

const family = (name: string, all: ReturnType<typeof parse>) => all.find((it) => it.name === name);

it("writes each family once, with type, help and the samples of all tiers", () => {
  const all = parsedMetrics(["wallet", { series: [series()] }], ["pay", { series: [series({ count: 5 })] }]);
  expect(family("postern_requests_total", all)).toMatchObject({
    type: "COUNTER",
    help: "Requests that a gate answered or whose client disconnected",
    metrics: [
      { value: "3", labels: { tier: "wallet", version: "v1", route: "balance", status: "200", upstream: "accounts" } },
      { value: "5", labels: { tier: "pay" } },
    ],
  });
  expect(all.every(({ help, metrics }) => help !== "" && metrics.length > 0)).toBe(true);
});

it("writes the front's duration by its version and the class of the status, under a name of its own", () => {
  const stored = {
    series: [series({ version: "f1", status: "2xx" }), series({ version: "f2", status: "5xx" })],
    tallies: [],
  };
  const text = prometheusText([{ tier: "front", instruments: instrumentsOf("front", stored) }]);
  expect(text).toContain('postern_front_duration_seconds_count{tier="front",version="f1",class="2xx"} 3\n');
  expect(text).toContain('postern_front_duration_seconds_count{tier="front",version="f2",class="5xx"} 3\n');
  // Its requests are counted at the gates already.
  expect(text).not.toContain("postern_requests_total");
});

it("writes cumulative buckets, of which the last one is the count", () => {
  const text = metricsText(["wallet", { series: [series()] }]);
  const name = "http_server_request_duration_seconds";
  expect(family(name, parse(text))?.type).toBe("HISTOGRAM");
  // The parser drops labels of histograms, so it parses the text again with each part as a family.
  const apart = parse(text.replaceAll(/^# .*\n/gm, ""));
  const buckets =
    family(`${name}_bucket`, apart)?.metrics.map(({ labels, value }) => [labels?.le, Number(value)]) ?? [];
  expect(buckets.filter(([le]) => ["0.005", "0.01", "0.5", "0.75", "+Inf"].includes(String(le)))).toEqual([
    ["0.005", 0],
    ["0.01", 2],
    ["0.5", 2],
    ["0.75", 3],
    ["+Inf", 3],
  ]);
  const labels = { tier: "wallet", version: "v1", route: "balance", method: "GET", status: "200", verdict: "passed" };
  expect(family(`${name}_count`, apart)?.metrics).toEqual([{ value: "3", labels }]);
  expect(Number(family(`${name}_sum`, apart)?.metrics[0]?.value)).toBeCloseTo(0.716, 1);
});

it("escapes label values", () => {
  const odd = 'a"b\\c\nd}, evil{x="y"} 1\n# TYPE evil counter';
  const all = parsedMetrics(["wallet", { series: [series({ code: odd })] }]);
  expect(family("postern_requests_total", all)?.metrics).toMatchObject([{ value: "3", labels: { code: odd } }]);
  expect(family("evil", all)).toBeUndefined();
});

it("writes no two samples of a family with the same labels", () => {
  const many = ["a", "b"].flatMap((code) =>
    ["v1", "v2"].map((version) => series({ code, version, verdict: "refused", status: "401" })),
  );
  const all = parsedMetrics(["wallet", { series: many }]);
  for (const { metrics } of all) {
    const labels = metrics.map((it) => JSON.stringify(it.labels));
    expect(new Set(labels).size).toBe(labels.length);
  }
  expect(family("postern_response_bytes_total", all)?.metrics.map(({ value }) => value)).toEqual([
    "6000000000",
    "6000000000",
  ]);
});

it("writes nothing without counts", () => {
  expect(parsedMetrics(["wallet", {}])).toEqual([]);
});
