/** Cutover: which users are moved, what the previous gateway receives, and how both are counted. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RouteClosure } from "../../../functions/gateway/core/plan.ts";
import type { Caller, Context } from "../../../functions/gateway/core/types.ts";
import { labelHeader } from "../../../functions/gateway/identity/label.ts";
import { kindOf } from "../../../functions/gateway/observability/clusters.ts";
import { bySide } from "../../../functions/gateway/observability/cutover-telemetry.ts";
import { telemetry } from "../../../functions/gateway/observability/metrics.ts";
import { outcomeOf } from "../../../functions/gateway/observability/outcome-of.ts";
import type { Report, Series } from "../../../functions/gateway/observability/report.ts";
import { applyOverlay, type OverlayChange } from "../../../functions/gateway/overlay/overlay.ts";
import { trafficShift } from "../../../functions/gateway/overlay/traffic-shift.ts";
import { cutoverSide } from "../../../functions/gateway/service/cutover.ts";
import { caller, fakeDeps, type GateOptions, gateHarness, planAndParts, type RouteOptions } from "../gate-harness.ts";

const share = () => fc.integer({ min: 0, max: 10_000 }).map((all) => all / 10_000);

describe("the gateway of a user", () => {
  it("stays the new one while the share does not shrink", () => {
    const user = fc.record({ grayKey: fc.option(fc.string()), ip: fc.option(fc.ipV4()) });
    fc.assert(
      fc.property(user, share(), share(), (one, a, b) => {
        const [less, more] = [Math.min(a, b), Math.max(a, b)];
        if (cutoverSide("wallet", one, less) === "gate") expect(cutoverSide("wallet", one, more)).toBe("gate");
      }),
      { seed: 6, numRuns: 2000 },
    );
  });

  it.each([0, 0.001, 0.1, 0.5, 0.9, 1])("is the new one for a share of %f", (moved) => {
    const users = Array.from({ length: 50_000 }, (_, index) => ({ grayKey: `user-${index}`, ip: null }));
    const found = users.filter((one) => cutoverSide("wallet", one, moved) === "gate").length / users.length;
    // Five standard deviations of a fair draw; exact for 0 and 1.
    expect(Math.abs(found - moved)).toBeLessThanOrEqual(5 * Math.sqrt((moved * (1 - moved)) / users.length));
  });

  it("is hashed per tier, so that different users come first", () => {
    const users = Array.from({ length: 10_000 }, (_, index) => ({ grayKey: `user-${index}`, ip: null }));
    const first = users.filter((one) => cutoverSide("wallet", one, 0.1) === "gate");
    const both = first.filter((one) => cutoverSide("open", one, 0.1) === "gate").length / first.length;
    expect(both).toBeGreaterThan(0.05);
    expect(both).toBeLessThan(0.15);
  });

  it("is chosen by address without a gray key, and moves last without either", () => {
    const ips = Array.from({ length: 1000 }, (_, index) => ({ grayKey: null, ip: `192.0.2.${index}` }));
    expect(new Set(ips.map((one) => cutoverSide("wallet", one, 0.5)))).toEqual(new Set(["gate", "legacy"]));
    const nobody = { grayKey: null, ip: null };
    expect([0, 0.9999, 1].map((moved) => cutoverSide("wallet", nobody, moved))).toEqual(["legacy", "legacy", "gate"]);
  });
});

/** The previous gateway is at /other, the base path of that service. */
const gate = (percent: string, route: Partial<RouteOptions> = {}, setting: GateOptions = {}) =>
  gateHarness(
    { stamp: () => (_, context) => void context.outbound.push(["set", "x-stamp", "gate"]) },
    {
      ...setting,
      routes: {
        it: {
          match: "ANY /a/{rest*}",
          filters: ["stamp"],
          target: "/new/{path.rest}",
          cutover: { legacy: "other", percent },
          ...route,
        },
      },
    },
  );

describe("the previous gateway", () => {
  it("receives the request unmodified, without filters and rewrites", async () => {
    const { status, upstream, line } = await gate("0%").send("POST /a/x?q=1", {
      body: "hello",
      headers: { authorization: "Bearer token", cookie: "sid=1", "content-length": "5" },
    });
    const [seen] = upstream;
    expect([status, seen?.method, seen?.url, seen?.body]).toEqual([
      200,
      "POST",
      "https://service.example/other/a/x?q=1",
      "hello",
    ]);
    expect(seen?.headers).toMatchObject({ authorization: "Bearer token", cookie: "sid=1" });
    expect(seen?.headers["x-stamp"]).toBeUndefined();
    expect(line).toMatchObject({ side: "legacy", verdict: "passed" });
  });

  it("gets forwarding headers from the gate, and nothing internal", async () => {
    const { upstream } = await gate("0%").send("GET /a/x", {
      headers: {
        "x-forwarded-for": "10.0.0.1",
        "x-postern-caller": "x",
        [labelHeader]: "x",
        "x-real-ip": "10.0.0.1",
      },
    });
    const headers = upstream[0]?.headers ?? {};
    expect(headers).toMatchObject({ "x-forwarded-for": caller.ip, "x-forwarded-host": "gate.example" });
    for (const name of ["x-postern-caller", labelHeader, "x-real-ip"]) expect(headers[name]).toBeUndefined();
  });

  it("is subject to the body limit and the timeout", async () => {
    const limits = { body: "4B" };
    const { status, code, upstream } = await gate("0%", {}, { limits }).send("POST /a/x", {
      body: "hello",
      headers: { "content-length": "5" },
    });
    expect([status, code, upstream.length]).toEqual([413, "body-too-large", 0]);
    const it = fakeDeps();
    const late = gate("0%", {}, { fakeDeps: it, timeout: "2s", replies: () => new Promise<Response>(() => {}) });
    const received = late.send("GET /a/x");
    await it.advance(0);
    await it.advance(2000);
    expect((await received).code).toBe("upstream-timeout");
  });

  it("answers preflights as well, without the filters' headers", async () => {
    const preflight = { headers: { origin: "https://app.example", "access-control-request-method": "PUT" } };
    const { upstream } = await gate("0%").send("OPTIONS /a/x", preflight);
    expect(upstream[0]?.method).toBe("OPTIONS");
    expect((await gate("100%").send("OPTIONS /a/x", preflight)).upstream).toEqual([]);
  });

  it("is closed as well when the route is closed", async () => {
    const closed: RouteClosure = { detail: "later" };
    for (const percent of ["0%", "100%"]) {
      const { status, code, upstream } = await gate(percent, { closed }).send("GET /a/x");
      expect([status, code, upstream.length]).toEqual([503, "route-closed", 0]);
    }
  });
});

describe("the gate", () => {
  it("serves moved users with its filters", async () => {
    const { upstream, line } = await gate("100%").send("GET /a/x");
    expect(upstream[0]).toMatchObject({ url: "https://service.example/new/x", headers: { "x-stamp": "gate" } });
    expect(line).toMatchObject({ side: "gate" });
  });

  it("serves testers also at 0 %", async () => {
    const { line } = await gate("0%", {}, { caller: { tester: true } }).send("GET /a/x");
    expect(line).toMatchObject({ side: "gate" });
  });
});

describe("an overlay", () => {
  const { plan } = planAndParts(
    {},
    {
      routes: {
        moved: { match: "GET /1", cutover: { legacy: "other", percent: "10%" } },
        split: {
          match: "GET /2",
          goes: {
            to: [
              ["service", 90],
              ["other", 10],
            ],
          },
        },
        plain: { match: "GET /3" },
      },
    },
  );

  const overlaidPlan = (changes: readonly OverlayChange[]) => applyOverlay(plan, changes, trafficShift);

  it("moves users, and sets weights in the manifest's order", () => {
    const { routes } = overlaidPlan([
      { kind: "cutover", route: "moved", percent: "50%" },
      { kind: "weights", route: "split", weights: { other: 30, service: 70 } },
    ]);
    expect(routes.moved?.cutover).toEqual({ legacy: "other", percent: "50%" });
    expect(routes.split?.goes).toEqual({
      to: [
        ["service", 70],
        ["other", 30],
      ],
    });
  });

  it("skips changes that do not fit the plan", () => {
    expect(
      overlaidPlan([
        { kind: "cutover", route: "plain", percent: "50%" },
        { kind: "cutover", route: "constructor", percent: "50%" },
        { kind: "weights", route: "plain", weights: { service: 1, other: 1 } },
        { kind: "weights", route: "split", weights: { service: 1 } },
        { kind: "weights", route: "split", weights: { service: 0, other: 0 } },
      ]),
    ).toEqual(plan);
  });

  it("that closes a route closes it for both gateways", () => {
    const { routes } = overlaidPlan([
      { kind: "close", route: "moved", closed: {} },
      { kind: "cutover", route: "moved", percent: "0%" },
    ]);
    expect(routes.moved?.closed).toEqual({});
  });
});

describe("telemetry", () => {
  const telemetryHarness = () => {
    const it = fakeDeps();
    const reports: Report[] = [];
    const deferred: Promise<unknown>[] = [];
    const { recordRequest, recordBodyFailure } = bySide(telemetry)("tier", it, {
      send: async (report) => void reports.push(structuredClone(report)),
      defer: (work) => void deferred.push(work),
    });
    const contextOf = (outcome: Context["outcome"], over: Partial<Caller> = {}) => {
      const route = { tier: "tier", name: "r" };
      const made = { caller: { ...caller, ...over }, started: it.now(), route, facts: new Map(), outcome };
      return made as unknown as Context;
    };
    const request = (status: number, outcome: Context["outcome"], over?: Partial<Caller>) =>
      recordRequest(
        new Request("https://gate.example/"),
        new Response("ok"),
        status,
        contextOf(outcome, over),
        it.now(),
      );
    const breakBody = (outcome: Context["outcome"]) => recordBodyFailure(contextOf(outcome), "cut", 200);
    const flushed = async () => {
      await it.advance(2000);
      await Promise.all(deferred);
      return Object.fromEntries(reports.map((report) => [report.version, report]));
    };
    return { request, breakBody, flushed };
  };
  /** Requests and refusals of the cells. */
  const sums = (report: Report | undefined) => {
    const series = report?.causes ?? report?.series ?? [];
    const all = (report?.cells ?? []).flatMap((it) => it.cells);
    const refused = all.filter(([index]) => outcomeOf(series[index] as Series).includes("refusals"));
    return [all, refused].map((some) => some.reduce((sum, [, , , count]) => sum + count, 0));
  };

  it("counts each request by version, and again by gateway", async () => {
    const { request, flushed } = telemetryHarness();
    request(200, { verdict: "passed", side: "gate" });
    request(200, { verdict: "passed", side: "legacy" });
    request(200, { verdict: "passed", side: "legacy" });
    request(200, { verdict: "passed" });
    const { v1, "cutover:r:gate": here, "cutover:r:legacy": there } = await flushed();
    expect([sums(v1)[0], sums(here)[0], sums(there)[0]]).toEqual([4, 1, 2]);
    // The version's own series must not be reported twice.
    expect([v1?.series[0]?.count, here?.series, there?.series]).toEqual([4, [], []]);
    // For the causes of a verdict alone.
    expect([v1?.causes, here?.causes?.[0]?.count, there?.causes?.[0]]).toMatchObject([
      undefined,
      1,
      { route: "r", status: "200", count: 2, latency: [] },
    ]);
  });

  it("counts every 4xx as refused for both gateways", async () => {
    const { request, flushed } = telemetryHarness();
    request(401, { verdict: "passed", side: "legacy" });
    request(404, { verdict: "passed", side: "gate" });
    request(403, { verdict: "refused", by: "jwt", side: "gate" });
    request(499, { verdict: "left", side: "gate" });
    const { v1, "cutover:r:gate": here, "cutover:r:legacy": there } = await flushed();
    expect([sums(v1)[1], sums(here)[1], sums(there)[1]]).toEqual([1, 2, 1]);
  });

  it("counts a body that failed for its gateway, too", async () => {
    const { breakBody, flushed } = telemetryHarness();
    breakBody({ verdict: "passed", side: "legacy" });
    const { v1, "cutover:r:legacy": there } = await flushed();
    expect([v1?.bodies.length, v1?.brokenBodies.length]).toEqual([1, 1]);
    expect([there?.bodies.length, there?.brokenBodies.length]).toEqual([0, 1]);
  });

  it("takes no request for dealt, since an address decides the gateway of a request without a gray key", async () => {
    const { request, flushed } = telemetryHarness();
    request(200, { verdict: "passed", side: "gate" }, { grayKey: null, gateOnlyHeaders: [] });
    const { v1, "cutover:r:gate": here } = await flushed();
    const kinds = [v1, here].map((it) => it?.cells.flatMap(({ cells }) => cells.map(([, cluster]) => kindOf(cluster))));
    expect(kinds).toEqual([["dealt"], ["anonymous"]]);
  });
});
