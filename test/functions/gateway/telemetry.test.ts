/** Telemetry of a gate: what is counted and reported, and what never is. */
import { describe, expect, it } from "vitest";
import type { Context } from "../../../functions/gateway/core/types.ts";
import { telemetry } from "../../../functions/gateway/observability/metrics.ts";
import type { Report } from "../../../functions/gateway/observability/report.ts";
import { caller, fakeDeps, gateHarness } from "../gate-harness.ts";

const telemetryHarness = () => {
  const it = fakeDeps();
  const reports: Report[] = [];
  const sink = { isDown: false };
  const deferred: Promise<unknown>[] = [];
  const { recordRequest, recordStreamEnd, recordBodyFailure } = telemetry("tier", it, {
    send: async (report) => {
      if (sink.isDown) throw new Error("gone");
      reports.push(structuredClone(report));
    },
    defer: (work) => void deferred.push(work),
  });
  const request = (
    over: {
      user?: string | null;
      tester?: boolean;
      front?: string;
      route?: string;
      status?: number;
      method?: string;
      ms?: number;
      outcome?: Partial<Context["outcome"]>;
      headers?: Record<string, string>;
    } = {},
  ) => {
    const {
      user = "user-1",
      route = "r",
      status = 200,
      method = "GET",
      ms = 10,
      outcome = {},
      headers = {},
      tester,
      front,
    } = over;
    const context = {
      caller: { ...caller, grayKey: user, tester, frontVersion: front },
      route: { tier: "tier", name: route },
      facts: new Map(),
      outcome: { verdict: "passed", ...outcome },
    } as unknown as Context;
    const incoming = new Request("https://gate.example/secret/path?token=hidden", {
      method,
      headers: { "content-length": "7", "x-key": "hidden", ...headers },
    });
    recordRequest(incoming, new Response("ok", { headers: { "content-length": "2" } }), status, context, it.now() - ms);
  };
  const flushed = async () => {
    await it.advance(2000);
    await Promise.all(deferred.splice(0));
    return reports.at(-1) as Report;
  };
  return { request, recordStreamEnd, recordBodyFailure, flushed, reports, sink, deferred, fakeDeps: it };
};

/** The context of a response of the upstream `it`. */
const bodyContext = (user: string): Context =>
  ({
    caller: { ...caller, grayKey: user },
    route: { tier: "tier", name: "r" },
    facts: new Map(),
    outcome: { verdict: "passed", upstream: "it" },
  }) as unknown as Context;

const total = ({ sample }: Report, key: "requests" | "errors" | "refusals" | "upstreamErrors" | "abandoned") =>
  Object.values(sample.groups).reduce((sum, group) => sum + group[key], 0);

it("clients cannot create labels: thousands of methods, paths, hosts and headers give a handful of series", async () => {
  const reports: Report[] = [];
  const deferred: Promise<unknown>[] = [];
  const it = fakeDeps();
  const telling = telemetry("tier", it, {
    send: async (report) => void reports.push(report),
    defer: (work) => void deferred.push(work),
  });
  const { send } = gateHarness(
    {},
    {
      fakeDeps: { ...it, recordRequest: telling.recordRequest },
      routes: { r: { match: "GET /r/{id}" }, any: { match: "ANY /any/{rest*}" } },
    },
  );
  for (let index = 0; index < 300; index++) {
    const headers = { "x-made-up": `h${index}`, "user-agent": `a${index}`, "x-request-id": `id${index}` };
    await send(`GET /r/${index}`, { headers });
    await send(`GET /nothing/${index}?q=${index}`, { headers });
    await send(`${["PROPFIND", "MKCOL", "LOCK", "REPORT"][index % 4]} /any/${index}`, { headers });
    await send(`GET https://h${index}.example/r/1`, { headers });
  }
  await it.advance(2000);
  await Promise.all(deferred);
  expect(reports[0]?.series.map((one) => [one.route, one.method, one.status, one.code, one.count]).sort()).toEqual([
    ["", "GET", "404", "route-unknown", 300],
    ["any", "_OTHER", "200", "", 300],
    ["r", "GET", "200", "", 300],
    ["r", "GET", "404", "host-unknown", 300],
  ]);
  expect(JSON.stringify(reports).includes("LOCK")).toBe(false);
});

describe("a gate's reports", () => {
  it("count requests by the front's version, three at most, and none of a request without one", async () => {
    const { request, flushed } = telemetryHarness();
    request({ front: "f1" });
    request({ front: "f1", status: 401, outcome: { verdict: "refused" } });
    // A service's 404: the front may have sent it elsewhere.
    request({ front: "f1", status: 404 });
    request({ front: "f1", status: 499, outcome: { verdict: "left" } });
    request({ front: "f2", status: 502, outcome: { verdict: "failed", upstreamMs: 3 } });
    request({ front: "f1", tester: true });
    request();
    for (const front of ["f3", "f4", "f5"]) request({ front });
    const { fronts } = await flushed();
    expect(fronts.map(({ version, groups }) => [version, ...Object.values(groups)])).toEqual([
      ["f1", { requests: 4, errors: 0, refusals: 2, upstreamErrors: 0, abandoned: 1 }],
      ["f2", { requests: 1, errors: 1, refusals: 0, upstreamErrors: 1, abandoned: 0 }],
      ["f3", { requests: 1, errors: 0, refusals: 0, upstreamErrors: 0, abandoned: 0 }],
    ]);
    request();
    expect((await flushed()).fronts).toEqual([]);
  });

  it("include streams that the gate ended, also without further requests", async () => {
    const { request, recordStreamEnd, flushed, deferred } = telemetryHarness();
    request();
    expect((await flushed()).streams).toEqual([]);
    recordStreamEnd("r", "aged", "events");
    recordStreamEnd("r", "aged", "events");
    recordStreamEnd("r", "aged", "websocket");
    recordStreamEnd("s", "aged", "events");
    expect(deferred).toHaveLength(1);
    expect((await flushed()).streams).toEqual([
      { route: "r", how: "aged", kind: "events", count: 2 },
      { route: "r", how: "aged", kind: "websocket", count: 1 },
      { route: "s", how: "aged", kind: "events", count: 1 },
    ]);
    request();
    expect((await flushed()).streams).toEqual([]);
  });

  it("count a body that failed against its version, once, without another request", async () => {
    const { request, recordBodyFailure, flushed } = telemetryHarness();
    request();
    const context = bodyContext("device-1");
    recordBodyFailure(context, "cut", 200);
    // Its status counts already.
    recordBodyFailure(context, "stalled", 503);
    recordBodyFailure({ ...context, caller: { ...context.caller, tester: true } }, "cut", 200);
    const report = await flushed();
    expect(report.bodies).toEqual([
      { route: "r", upstream: "it", how: "cut", count: 1 },
      { route: "r", upstream: "it", how: "stalled", count: 1 },
    ]);
    expect([total(report, "requests"), total(report, "errors"), total(report, "upstreamErrors")]).toEqual([1, 1, 1]);
    request();
    expect((await flushed()).bodies).toEqual([]);
  });

  it("count outcomes by user group, every two seconds", async () => {
    const { request, flushed, reports, deferred } = telemetryHarness();
    request();
    request({ user: "user-2", status: 502, outcome: { verdict: "failed", upstreamMs: 3 } });
    request({ status: 500, outcome: { verdict: "failed" } });
    request({ status: 401, outcome: { verdict: "refused", by: "jwt", code: "token-missing" } });
    request({ status: 499, outcome: { verdict: "left" } });
    expect(deferred).toHaveLength(1);
    const report = await flushed();
    expect(reports).toHaveLength(1);
    expect(
      ["requests", "errors", "upstreamErrors", "refusals", "abandoned"].map((key) => total(report, key as "requests")),
    ).toEqual([5, 2, 1, 1, 1]);
    expect(Object.keys(report.sample.groups)).toHaveLength(2);
    expect(report.series).toContainEqual(
      expect.objectContaining({
        route: "r",
        status: "401",
        by: "jwt",
        code: "token-missing",
        count: 1,
        bytesIn: 7,
        bytesOut: 2,
      }),
    );
    request();
    expect(total(await flushed(), "requests")).toBe(1);
  });

  it("include methods, upstreams, shadowed decisions and degraded filters", async () => {
    const { request, flushed } = telemetryHarness();
    const outcome = { upstream: "ledger", shadow: { limit: "rate-limited" }, degraded: ["nonce"] };
    request({ method: "POST", outcome });
    request({ method: "POST", outcome });
    request({ method: "PROPFIND" });
    const { series, marks } = await flushed();
    expect(series.map(({ method, upstream, count }) => [method, upstream, count])).toEqual([
      ["POST", "ledger", 2],
      ["_OTHER", "", 1],
    ]);
    expect(marks).toEqual([
      { kind: "shadow", route: "r", filter: "limit", decision: "rate-limited", count: 2 },
      { kind: "degraded", route: "r", filter: "nonce", decision: "", count: 2 },
    ]);
  });

  it("separate cold isolates from warm ones", async () => {
    const { request, flushed } = telemetryHarness();
    for (let index = 0; index < 25; index++) request();
    const { sample } = await flushed();
    const latencies = Object.values(sample.groups).flatMap(({ latency }) => latency.map(([, count]) => count));
    expect([sample.cold, latencies]).toEqual([20, [5]]);
  });

  it("exclude testers", async () => {
    const { request, deferred } = telemetryHarness();
    request({ tester: true });
    expect(deferred).toHaveLength(0);
  });

  it("count an untrusted caller with the tester's header", async () => {
    const { request, flushed } = telemetryHarness();
    request({ user: null, headers: { "x-postern-smoke": "1" } });
    expect(total(await flushed(), "requests")).toBe(1);
  });

  it("contain nothing of a request but its outcome", async () => {
    const { request, flushed } = telemetryHarness();
    request({ user: "hidden-user" });
    expect(JSON.stringify(await flushed())).not.toMatch(/hidden|secret|path/);
  });

  it("are bounded", async () => {
    const { request, flushed } = telemetryHarness();
    for (let index = 0; index < 20_000; index++) request({ user: `u${index}`, route: `r${index}` });
    const report = await flushed();
    expect([Object.keys(report.sample.groups).length, report.series.length]).toEqual([32, 501]);
    expect(report.series.reduce((sum, { count }) => sum + count, 0)).toBe(20_000);
  });

  it("are dropped when control is down, which is counted", async () => {
    const { request, flushed, sink } = telemetryHarness();
    sink.isDown = true;
    request();
    await flushed();
    sink.isDown = false;
    request();
    expect(await flushed()).toMatchObject({ lost: 1 });
  });
});
