/** Sample series and tallies of a tier's telemetry store. */
import type { StoredSeries, StoredTally } from "../../functions/control/telemetry/store-tables.ts";
import { binOf } from "../../functions/gateway/observability/samples.ts";

export const since = Date.UTC(2026, 10, 1);
export const now = since + 60_000;

export const series = (over: Partial<StoredSeries> = {}): StoredSeries => ({
  version: "v1",
  route: "balance",
  method: "GET",
  status: "200",
  verdict: "passed",
  by: "",
  code: "",
  upstream: "accounts",
  count: 3,
  latency: [
    [binOf(8), 2],
    [binOf(700), 1],
  ],
  upstreamMs: 1500,
  bytesIn: 10,
  bytesOut: 3_000_000_000,
  since,
  heard: now,
  ...over,
});

export const tally = (over: Partial<StoredTally> = {}): StoredTally => ({
  name: "cpu",
  version: "v1",
  labels: { route: "balance" },
  since,
  heard: now,
  value: 12.5,
  ...over,
});
