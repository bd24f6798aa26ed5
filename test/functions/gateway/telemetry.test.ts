/** Telemetry of a gate: what is counted and reported, and what never is. */
import { describe, expect, it } from "vitest";
import { Consumer } from "../../../functions/gateway/core/facts.ts";
import type { Context } from "../../../functions/gateway/core/types.ts";
import { type CellsAt, cellMs, maxCells, unmeasured } from "../../../functions/gateway/observability/cells.ts";
import { isCounted, kindOf, networkCluster } from "../../../functions/gateway/observability/clusters.ts";
import { frontOutcomes } from "../../../functions/gateway/observability/front-counts.ts";
import { telemetry } from "../../../functions/gateway/observability/metrics.ts";
import { outcomeOf } from "../../../functions/gateway/observability/outcome-of.ts";
import type { Report } from "../../../functions/gateway/observability/report.ts";
import { binOf } from "../../../functions/gateway/observability/samples.ts";
import { broughtKeyMark } from "../../../functions/gateway/proxy/forwarding.ts";
import { caller, fakeDeps, gateHarness } from "../gate-harness.ts";

const requestOf = (method: string, headers: Record<string, string>) =>
  new Request("https://gate.example/secret/path?token=hidden", {
    method,
    headers: { "content-length": "7", "x-key": "hidden", ...headers },
  });
/** Made once: some tests send very many. */
const plainRequest = requestOf("GET", {});
const plainResponse = new Response("ok", { headers: { "content-length": "2" } });

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
      /** The gray key. */
      user?: string | null;
      ip?: string;
      consumer?: string;
      /** Names from the front. */
      names?: readonly string[];
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
      ip = caller.ip,
      consumer,
      names = [],
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
      caller: { ...caller, grayKey: user, ip, tester, frontVersion: front, gateOnlyHeaders: names },
      route: { tier: "tier", name: route },
      facts: new Map(consumer === undefined ? [] : [[Consumer, { id: consumer, labels: {} }]]),
      outcome: { verdict: "passed", ...outcome },
    } as unknown as Context;
    const incoming =
      over.method === undefined && over.headers === undefined ? plainRequest : requestOf(method, headers);
    recordRequest(incoming, plainResponse, status, context, it.now() - ms);
  };
  const flushed = async () => {
    await it.advance(2000);
    await Promise.all(deferred.splice(0));
    return reports.at(-1) as Report;
  };
  return { request, recordStreamEnd, recordBodyFailure, flushed, reports, sink, deferred, fakeDeps: it };
};

/** The context of a response of the upstream `it`. */
const bodyContext = (started: number): Context =>
  ({
    caller,
    started,
    route: { tier: "tier", name: "r" },
    facts: new Map(),
    outcome: { verdict: "passed", upstream: "it" },
  }) as unknown as Context;

/** What the cells of a report count, by measure. */
const totals = ({ series, cells }: Report): Record<string, number> => {
  const sums: Record<string, number> = {};
  for (const [index, , , count] of cells.flatMap((it) => it.cells))
    for (const measure of ["requests", ...outcomeOf(series[index] as Report["series"][number])])
      sums[measure] = (sums[measure] ?? 0) + count;
  return sums;
};

const clustersIn = ({ cells }: Report) => new Set(cells.flatMap((it) => it.cells.map(([, cluster]) => cluster)));

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
    const outcomes = fronts.map(({ version, groups, cells, every }) => [
      ...[version, groups, every],
      ...cells.flatMap((at) => at.cells.map(([outcome, cluster, count]) => [frontOutcomes[outcome], cluster, count])),
    ]);
    const here = networkCluster(caller.ip, false);
    expect(outcomes).toEqual([
      ["f1", {}, 1, ["ok", here, 1], ["refused", here, 2], ["abandoned", here, 1]],
      ["f2", {}, 1, ["upstream-error", here, 1]],
      ["f3", {}, 1, ["ok", here, 1]],
    ]);
    request();
    expect((await flushed()).fronts).toEqual([]);
  });

  it("take no request for dealt to the front whose client chose the front's version by a key of its own", async () => {
    const { request, flushed } = telemetryHarness();
    request({ user: null, front: "f1" });
    request({ user: null, front: "f2", names: [broughtKeyMark] });
    const { cells, fronts } = await flushed();
    const kindsIn = (some: readonly CellsAt<readonly number[]>[]) =>
      some.flatMap((it) => it.cells.map(([, cluster = 0]) => kindOf(cluster)));
    expect(kindsIn(cells)).toEqual(["dealt"]);
    expect(fronts.map((it) => kindsIn(it.cells))).toEqual([["dealt"], ["anonymous"]]);
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

  it("count a body that failed against its version, once, when its request started", async () => {
    const { request, recordBodyFailure, flushed, fakeDeps: it } = telemetryHarness();
    request();
    const started = it.now() - 60_500;
    const context = bodyContext(started);
    recordBodyFailure(context, "cut", 200);
    // Its status counts already.
    recordBodyFailure(context, "stalled", 503);
    recordBodyFailure({ ...context, caller: { ...context.caller, tester: true } }, "cut", 200);
    const report = await flushed();
    expect(report.bodies).toEqual([
      { route: "r", upstream: "it", how: "cut", count: 1 },
      { route: "r", upstream: "it", how: "stalled", count: 1 },
    ]);
    const at = started - (started % cellMs);
    expect(report.brokenBodies).toEqual([{ at, cluster: networkCluster(caller.ip, false), count: 1 }]);
    expect(totals(report)).toEqual({ requests: 1 });
    request();
    expect(await flushed()).toMatchObject({ bodies: [], brokenBodies: [] });
  });

  it("count outcomes by cluster, every two seconds", async () => {
    const { request, flushed, reports, deferred } = telemetryHarness();
    request();
    request({ ip: "198.51.100.1", status: 502, outcome: { verdict: "failed", upstreamMs: 3 } });
    request({ status: 500, outcome: { verdict: "failed", code: "internal" } });
    request({ status: 401, outcome: { verdict: "refused", by: "jwt", code: "token-missing" } });
    request({ status: 404 });
    request({ status: 499, outcome: { verdict: "left" } });
    expect(deferred).toHaveLength(1);
    const report = await flushed();
    expect(reports).toHaveLength(1);
    expect(totals(report)).toEqual({ requests: 6, errors: 2, faults: 1, refusals: 1, clientErrors: 1, abandoned: 1 });
    expect(clustersIn(report)).toEqual(new Set([caller.ip, "198.51.100.9"].map((ip) => networkCluster(ip, false))));
    expect(report.sample.groups).toEqual({});
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
    expect(totals(await flushed())).toEqual({ requests: 1 });
  });

  it("count a request in the interval in which it started, however late it ends", async () => {
    const { request, flushed, fakeDeps: it } = telemetryHarness();
    request({ ms: 0 });
    request({ ms: 1 });
    request({ ms: 30_000 });
    const now = it.now();
    const { cells } = await flushed();
    expect(now % cellMs).toBe(0);
    expect(cells.map(({ at }) => at - now)).toEqual([0, -cellMs, -30_000]);
  });

  it("tell one client with many keys from many clients, consumers and requests that were dealt", async () => {
    const { request, flushed } = telemetryHarness();
    for (let index = 0; index < 40; index++) request({ user: `key-${index}` });
    expect(clustersIn(await flushed()).size).toBe(1);
    for (let index = 0; index < 40; index++) request({ ip: `10.0.${index}.1` });
    expect(clustersIn(await flushed()).size).toBe(40);
    request({ consumer: "shop" });
    request({ user: null });
    expect([...clustersIn(await flushed())].map(kindOf)).toEqual(["authenticated", "dealt"]);
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
    const { sample, cells } = await flushed();
    const measured = cells.flatMap((it) => it.cells.map(([, , bin, count]) => [bin, count]));
    expect([sample.cold, measured]).toEqual([
      20,
      [
        [unmeasured, 20],
        [binOf(10), 5],
      ],
    ]);
  });

  it("exclude testers", async () => {
    const { request, deferred } = telemetryHarness();
    request({ tester: true });
    expect(deferred).toHaveLength(0);
  });

  it("count an untrusted caller with the tester's header", async () => {
    const { request, flushed } = telemetryHarness();
    request({ user: null, headers: { "x-postern-smoke": "1" } });
    expect(totals(await flushed())).toEqual({ requests: 1 });
  });

  it("contain nothing of a request but its outcome", async () => {
    const { request, flushed } = telemetryHarness();
    request({ user: "hidden-user" });
    expect(JSON.stringify(await flushed())).not.toMatch(/hidden|secret|path/);
  });

  it("are bounded, and keep what became of requests beyond the bound of series", async () => {
    const { request, flushed } = telemetryHarness();
    for (let index = 0; index < 20_000; index++) request({ route: `r${index}`, status: index % 2 === 0 ? 200 : 502 });
    request({ route: "last", status: 500, outcome: { verdict: "failed", code: "internal" } });
    const report = await flushed();
    expect(report.series).toHaveLength(503);
    expect(report.series.slice(500).map(({ route, status, code, count }) => [route, status, code, count])).toEqual([
      ["other", "2xx", "", 9750],
      ["other", "5xx", "", 9750],
      ["other", "5xx", "internal", 1],
    ]);
    expect(report.series.reduce((sum, { count }) => sum + count, 0)).toBe(20_001);
    expect(totals(report)).toEqual({ requests: 20_001, errors: 10_001, faults: 1 });
  });

  it("of 100,000 clients leave out whole clusters", async () => {
    const { request, flushed } = telemetryHarness();
    const ipOf = (index: number) => `${10 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}.1`;
    const wanted = new Map<number, number>();
    for (let index = 0; index < 100_000; index++) {
      request({ ip: ipOf(index), ms: index % 3000, status: index % 5 === 0 ? 404 : 200 });
      const cluster = networkCluster(ipOf(index), false);
      wanted.set(cluster, (wanted.get(cluster) ?? 0) + 1);
    }
    const report = await flushed();
    const cells = report.cells.flatMap((it) => it.cells);
    expect(cells.length).toBeLessThanOrEqual(maxCells);
    expect(report.every).toBeGreaterThan(1);
    const sums = new Map<number, number>();
    for (const [, cluster, , count] of cells) sums.set(cluster, (sums.get(cluster) ?? 0) + count);
    const complete = [...wanted].filter(([cluster]) => isCounted(cluster, report.every));
    expect([...sums].toSorted(([a], [b]) => a - b)).toEqual(complete.toSorted(([a], [b]) => a - b));
    expect(JSON.stringify(report).length).toBeLessThan(200_000);
    request();
    expect(await flushed()).toMatchObject({ every: 1 });
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
