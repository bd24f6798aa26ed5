/** Builders for the tests of the telemetry store: cells as a gate's report has them, and a store in a Durable Object. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { emptySample } from "../../../../functions/control/telemetry/counts/samples.ts";
import { cellsOfGate } from "../../../../functions/control/telemetry/evidence/report-cells.ts";
import type { StageQuery } from "../../../../functions/control/telemetry/evidence/stage-table.ts";
import type { TelemetryStore } from "../../../../functions/control/telemetry/store.ts";
import type { Cell, Series } from "../../../../functions/gateway/observability/report.ts";

export const begin = Date.UTC(2026, 10, 1);

/** Opening a store again is like a restart: only storage survives. */
export const inDurableObject = <T>(work: (state: DurableObjectState) => T | Promise<T>): Promise<T> => {
  const { COUNTERS } = env as unknown as { readonly COUNTERS: DurableObjectNamespace };
  return runInDurableObject(COUNTERS.getByName(crypto.randomUUID()), (_, state) => work(state)) as Promise<T>;
};

export const seriesOf = (over: Partial<Series> = {}): Series => ({
  ...{ route: "r", method: "GET", status: "200", verdict: "passed", by: "", code: "", upstream: "u", count: 1 },
  ...{ latency: [[10, 1]], upstreamMs: 2, bytesIn: 3, bytesOut: 4 },
  ...over,
});

/** What the requests of a report may have come to, in this order. */
export const outcomes: readonly Series[] = [
  seriesOf(),
  seriesOf({ status: "503", verdict: "failed", by: "u", code: "upstream-unreachable" }),
  seriesOf({ status: "401", verdict: "refused", code: "token-missing", upstream: "" }),
  seriesOf({ status: "404" }),
  seriesOf({ status: "499", verdict: "left" }),
  seriesOf({ status: "500", verdict: "failed", code: "internal", upstream: "" }),
  seriesOf({ route: "new" }),
];
export const [ok, failed, refused, notFound, left, internal, onNewRoute] = [0, 1, 2, 3, 4, 5, 6] as const;

/** @param cells by the start of their interval: outcome, cluster, bin, count */
export const report = (
  store: TelemetryStore,
  version: string,
  cells: Readonly<Record<number, readonly Cell[]>>,
  now: number,
  every = 1,
): void => {
  const all = Object.entries(cells).map(([at, some]) => ({ at: Number(at), cells: some }));
  const started = cellsOfGate({ sample: emptySample, series: outcomes, cells: all, every, brokenBodies: [] });
  store.take(version, emptySample, [], now, { tier: "wallet", tallies: [] }, [], started);
};

/** Stable's past on the route `r`: 50 of 100 within bin 10, 90 within 20, 99 within 30. */
export const past = (store: TelemetryStore, version: string, now: number, times = 10): void => {
  const latency = [
    [10, 50],
    [20, 40],
    [30, 9],
    [40, 1],
  ] as const;
  const bins = latency.map(([bin, count]) => [bin, count * times] as const);
  store.take(version, emptySample, [seriesOf({ count: 100 * times, latency: bins })], now);
};

export const queryOf = (over: Partial<StageQuery> = {}): StageQuery => ({
  ...{ stable: "v1", canary: "v2", since: begin, until: null, stretch: 4, isOneRoute: false, bounds: true },
  settling: { requests: 0, latency: 0 },
  ...over,
});
