/** Telemetry of the front, on behalf of gates that cannot report. */

import { expect, it } from "vitest";
import {
  type DeadRequest,
  type FrontAnswer,
  type FrontReport,
  frontTelemetry,
} from "../../../functions/front/telemetry.ts";
import { unmeasured } from "../../../functions/gateway/observability/cells.ts";
import { frontOutcomes } from "../../../functions/gateway/observability/front-counts.ts";
import { binOf } from "../../../functions/gateway/observability/samples.ts";
import { callerFromFront } from "../../../functions/gateway/proxy/forwarding.ts";

const telemetryHarness = () => {
  const reports: FrontReport[] = [];
  const deferred: Promise<unknown>[] = [];
  const state = { isDown: false };
  const telemetry = frontTelemetry({ sleep: async () => {}, now: () => 10, version: "f1" });
  const control = {
    fetch: async (_: unknown, init?: { readonly body?: unknown }) => {
      if (state.isDown) throw new Error("gone");
      reports.push(JSON.parse(String(init?.body)) as FrontReport);
      return new Response(null, { status: 204 });
    },
  } as unknown as Fetcher;
  const sink = { control, defer: (work: Promise<unknown>) => void deferred.push(work) };
  const flushed = async () => {
    while (deferred.length > 0) await Promise.all(deferred.splice(0));
    return reports.at(-1) as FrontReport;
  };
  return { telemetry, sink, flushed, state, reports, deferred };
};

/** A fake gate that tells testers its version. */
const gate = (probes: Headers[] = [], version: string | null = "v2") =>
  ({
    fetch: async (_: string, init: RequestInit) => {
      probes.push(new Headers(init.headers));
      return new Response(null, { status: 404, headers: version === null ? {} : { "postern-version": version } });
    },
  }) as unknown as Fetcher;

const user = (over: Record<string, string> = {}) =>
  new Headers({
    "x-postern-caller": "user-1",
    "x-request-id": "a",
    "cloudflare-workers-version-key": "salt-user-1",
    authorization: "s3cret",
    ...over,
  });

const dead = (tier: string, gateOfTier: Pick<Fetcher, "fetch">, headers = user()): DeadRequest => ({
  ...{ tier, gate: gateOfTier, headers, cluster: 40_001, started: 5999 },
});

const answer = (tier: string | null, status: number, code = "", over: Partial<FrontAnswer> = {}): FrontAnswer => ({
  ...{ tier, status, code, cluster: 7, choosesVersion: false, started: 0 },
  ...over,
});

it("counts by tier, status, and own problem code", async () => {
  const { telemetry, sink, flushed, deferred } = telemetryHarness();
  telemetry.recordAnswer(sink, answer("wallet", 200, ""));
  telemetry.recordAnswer(sink, answer("wallet", 200, ""));
  telemetry.recordAnswer(sink, answer("pay", 503, "gate-unavailable"));
  expect(deferred).toHaveLength(1);
  expect((await flushed()).counts).toEqual([
    { tier: "wallet", status: "200", code: "", count: 2 },
    { tier: "pay", status: "503", code: "gate-unavailable", count: 1 },
  ]);
});

it("is bounded, and loses no request", async () => {
  const { telemetry, sink, flushed } = telemetryHarness();
  for (let index = 0; index < 9000; index++)
    telemetry.recordAnswer(sink, answer(`t${index % 30}`, 100 + (index % 900), ""));
  const { counts } = await flushed();
  expect(counts.length).toBeLessThan(2031);
  expect(counts.reduce((sum, { count }) => sum + count, 0)).toBe(9000);
});

it("asks a crashed gate for its version with the user's key, and sends nothing else of the user", async () => {
  const { telemetry, sink, flushed } = telemetryHarness();
  const probes: Headers[] = [];
  telemetry.recordDeath(sink, dead("wallet", gate(probes)));
  const { deaths } = await flushed();
  expect(deaths).toEqual([{ tier: "wallet", version: "v2", cluster: 40_001, at: 4000, group: 40_001 % 32 }]);
  expect(probes[0]?.get("cloudflare-workers-version-key")).toBe("salt-user-1");
  expect(callerFromFront(probes[0] as Headers, () => "")).toMatchObject({ grayKey: "user-1", tester: true });
  expect(probes[0]?.get("authorization")).toBeNull();
});

it("reports a gate that does not answer without a version", async () => {
  const { telemetry, sink, flushed } = telemetryHarness();
  telemetry.recordDeath(sink, dead("wallet", gate([], null)));
  telemetry.recordDeath(sink, dead("wallet", { fetch: () => Promise.reject(new Error("dead")) } as unknown as Fetcher));
  expect((await flushed()).deaths.map(({ version }) => version)).toEqual(["", ""]);
});

it("asks at most fifty times, and assigns further crashes to the known versions", async () => {
  const { telemetry, sink, flushed } = telemetryHarness();
  const probes: Headers[] = [];
  for (let index = 0; index < 2000; index++)
    telemetry.recordDeath(sink, dead("wallet", gate(probes, index % 5 === 0 ? "v1" : "v2")));
  telemetry.recordDeath(sink, dead("pay", gate(probes)));
  const { deaths } = await flushed();
  expect([probes.length, deaths.length]).toEqual([50, 1000]);
  expect(deaths.filter(({ version }) => version === "v1")).toHaveLength(200);
  expect(deaths.filter(({ version }) => version === "v2")).toHaveLength(800);
});

it("counts no testers, and nothing without control", async () => {
  const { telemetry, sink, deferred } = telemetryHarness();
  telemetry.recordDeath(sink, dead("wallet", gate(), user({ "x-postern-smoke": "1" })));
  telemetry.recordAnswer({ ...sink, control: undefined }, answer("wallet", 200, ""));
  expect(deferred).toEqual([]);
});

it("counts undelivered reports", async () => {
  const { telemetry, sink, flushed, state } = telemetryHarness();
  state.isDown = true;
  telemetry.recordAnswer(sink, answer("wallet", 200, ""));
  await flushed();
  state.isDown = false;
  telemetry.recordAnswer(sink, answer("wallet", 200, ""));
  expect(await flushed()).toMatchObject({ lost: 1 });
  telemetry.recordAnswer(sink, answer("wallet", 200, ""));
  expect(await flushed()).toMatchObject({ lost: 0 });
});

it("reports its version: what it answered itself, and how long all took, by cluster and by the start of the request", async () => {
  const { telemetry, sink, flushed } = telemetryHarness();
  for (let index = 0; index < 30; index++) telemetry.recordAnswer(sink, answer("wallet", 200));
  telemetry.recordAnswer(sink, answer("wallet", 404));
  telemetry.recordAnswer(sink, answer("wallet", 502));
  telemetry.recordAnswer(sink, answer(null, 404, "route-unknown", { started: 2001 }));
  telemetry.recordAnswer(sink, answer("wallet", 503, "gate-unavailable", { cluster: 40_001 }));
  telemetry.recordAnswer(sink, answer(null, 500, "internal"));
  const { version, sample, cells, every, answers, counts } = await flushed();
  expect([version, sample, every]).toEqual(["f1", { groups: {}, cold: 20 }, 1]);
  const named = cells.flatMap(({ at, cells: some }) =>
    some.map(([outcome, ...rest]) => [at, frontOutcomes[outcome], ...rest]),
  );
  // The first twenty of an isolate have no latency.
  expect(named).toEqual([
    [0, "forwarded", 7, unmeasured, 20],
    [0, "forwarded", 7, binOf(10), 11],
    [0, "forwarded-failed", 7, binOf(10), 1],
    [0, "error", 40_001, binOf(10), 1],
    [0, "fault", 7, binOf(10), 1],
    [2000, "refused", 7, 0, 1],
  ]);
  expect(answers.map(({ status, count }) => [status, count])).toEqual([
    ["2xx", 30],
    ["4xx", 2],
    ["5xx", 3],
  ]);
  expect(counts.map(({ tier }) => tier)).not.toContain(null);
  telemetry.recordAnswer(sink, answer("wallet", 200));
  expect((await flushed()).answers).toMatchObject([{ status: "2xx", count: 1 }]);
});

it("does not measure its version by requests that chose it", async () => {
  const { telemetry, sink, flushed } = telemetryHarness();
  telemetry.recordAnswer(sink, answer("wallet", 500, "internal", { choosesVersion: true }));
  expect(await flushed()).toMatchObject({ counts: [{ status: "500" }], cells: [], answers: [] });
});
