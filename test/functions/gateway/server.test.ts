/** A gate as a whole: unmatched requests, failures and the access log. */
import { describe, expect, it } from "vitest";
import { Fault } from "../../../functions/gateway/core/problems.ts";
import { clusterName, networkCluster } from "../../../functions/gateway/observability/clusters.ts";
import { fakeDeps, gateHarness } from "../gate-harness.ts";

const shop = (more = {}) =>
  gateHarness(
    {},
    {
      routes: {
        item: { match: "GET /items/{id}" },
        add: { match: "POST /items" },
        live: { match: "GET /live", upgrade: "websocket" },
        ...more,
      },
    },
  );

describe("unmatched requests", () => {
  it("answers 404 to an unknown path, with the request id", async () => {
    const { status, code, text, headers, upstream } = await shop().send("GET /nothing");
    expect({ status, code }).toEqual({ status: 404, code: "route-unknown" });
    expect(JSON.parse(text)).toEqual({
      type: "urn:postern:problem:route-unknown",
      title: "No route matches this path",
      status: 404,
      code: "route-unknown",
      "request-id": "00000000-0000-4000-8000-00000000cafe",
    });
    expect(headers["x-request-id"]).toBe("00000000-0000-4000-8000-00000000cafe");
    expect(headers["cache-control"]).toBe("no-store");
    expect(upstream).toHaveLength(0);
  });

  it("answers 404 to another host, ignoring case and trailing dot", async () => {
    const { send } = shop();
    expect((await send("GET https://other.example/items/7")).code).toBe("host-unknown");
    expect((await send("GET https://GATE.example./items/7")).status).toBe(200);
    expect((await send("GET https://gate.example:8443/items/7")).status).toBe(200);
  });

  it("answers 405 with Allow to another method", async () => {
    const { status, headers, code } = await shop().send("DELETE /items/7");
    expect({ status, code, allow: headers.allow }).toEqual({
      status: 405,
      code: "method-not-allowed",
      allow: "GET, HEAD, OPTIONS",
    });
  });

  it("answers OPTIONS with Allow, and HEAD by GET", async () => {
    const { send } = shop();
    const options = await send("OPTIONS /items/7");
    expect([options.status, options.headers.allow]).toEqual([204, "GET, HEAD, OPTIONS"]);
    const head = await send("HEAD /items/7");
    expect([head.status, head.upstream[0]?.method]).toEqual([200, "HEAD"]);
  });

  it.each(["/items/..%2f..%2fadmin", "/items/a%5Cb", "/items/a%00"])("%s is ambiguous", async (path) => {
    const { status, code, upstream } = await shop().send(`GET ${path}`);
    expect({ status, code, seen: upstream.length }).toEqual({ status: 400, code: "path-ambiguous", seen: 0 });
  });

  it("resolves dot segments before matching", async () => {
    expect((await shop().send("GET /items/../admin")).status).toBe(404);
    expect((await shop().send("GET /x/%2e%2e/items/7")).status).toBe(200);
  });

  it("allows an upgrade only if the route does", async () => {
    const { send } = shop();
    expect((await send("GET /items/7", { headers: { upgrade: "websocket" } })).code).toBe("upgrade-not-allowed");
    expect((await send("GET /live", { headers: { upgrade: "websocket" } })).status).toBe(200);
  });
});

describe("failures", () => {
  const failing = (error: unknown) => gateHarness({}, { upstream: () => () => Promise.reject(error) });

  it("answers 500 to an unexpected error, and logs the cause", async () => {
    const { send, fakeDeps } = failing(new Error("secret detail"));
    const { status, code, text } = await send("GET /");
    expect({ status, code }).toEqual({ status: 500, code: "internal" });
    expect(text).not.toContain("secret");
    expect(fakeDeps.lines).toContainEqual(
      expect.objectContaining({ type: "fault", code: "internal", cause: "Error: secret detail" }),
    );
    expect(fakeDeps.lines.at(-1)).toMatchObject({ verdict: "failed", by: "service", code: "internal" });
  });

  it("a Fault keeps its code and detail", async () => {
    const fault = new Fault({ "ledger-closed": { status: 503, title: "Closed" } }, "ledger-closed", {
      detail: "until noon",
      headers: { "retry-after": "60" },
    });
    const { status, code, text, headers } = await failing(fault).send("GET /");
    expect({ status, code, detail: JSON.parse(text).detail, retry: headers["retry-after"] }).toEqual({
      status: 503,
      code: "ledger-closed",
      detail: "until noon",
      retry: "60",
    });
  });

  it("answers 504 when an upstream is too slow, and aborts the call", async () => {
    const time = fakeDeps();
    const { send } = gateHarness({}, { fakeDeps: time, timeout: "800ms", replies: () => new Promise(() => {}) });
    const answer = send("GET /");
    await time.advance(799);
    expect(await Promise.race([answer, Promise.resolve("waiting")])).toBe("waiting");
    await time.advance(1);
    expect(await answer).toMatchObject({ status: 504, code: "upstream-timeout", line: { by: "service", ms: 800 } });
  });
});

describe("the upstream's path", () => {
  const aimed = (path: string, target: string) => gateHarness({}, { routes: { it: { match: `GET ${path}`, target } } });

  it("answers 400 to an absent or unsafe value", async () => {
    const { send } = aimed("/a", "/x/{query.id}");
    expect(await send("GET /a")).toMatchObject({ status: 400, code: "reference-malformed", upstream: [] });
    expect(await send("GET /a?id=")).toMatchObject({ status: 400, upstream: [] });
    expect(await send("GET /a?id=..")).toMatchObject({ status: 400, code: "reference-malformed", upstream: [] });
    expect(await send("GET /a?id=%2e%2e")).toMatchObject({ status: 400, upstream: [] });
    expect(await send("GET /a?id=7")).toMatchObject({ status: 200 });
  });

  it("a value next to a dot cannot form a dot segment", async () => {
    const { send } = aimed("/a", "/b/.{query.x}/c");
    expect(await send("GET /a?x=.")).toMatchObject({ status: 400, upstream: [] });
    expect(await send("GET /a?x=hidden")).toMatchObject({ status: 200 });
  });
});

describe("the access log", () => {
  it("has one line per request, without path, query, header or body", async () => {
    const { send, fakeDeps } = gateHarness({});
    await send("POST /secret-path?token=s3cret", { headers: { authorization: "s3cret" }, body: "s3cret" });
    expect(fakeDeps.lines).toEqual([
      {
        type: "access",
        time: "2026-11-01T00:00:00.000Z",
        tier: "tier",
        route: "all",
        version: "v1",
        method: "POST",
        status: 200,
        verdict: "passed",
        by: undefined,
        code: undefined,
        ms: 0,
        upstream: "service",
        upstreamMs: 0,
        consumer: undefined,
        cluster: clusterName(networkCluster("203.0.113.0", false)),
        shadow: undefined,
        request: "00000000-0000-4000-8000-00000000cafe",
        trace: "0af7651916cd43dd8448eb211c80319c",
        span: "b7ad6b7169203331",
        sampled: true,
      },
    ]);
    expect(JSON.stringify(fakeDeps.lines)).not.toContain("s3cret");
  });

  it("is sampled, but failures are always logged", async () => {
    const quiet = gateHarness({}, { sample: "40%" });
    await quiet.send("GET /");
    expect(quiet.fakeDeps.lines).toHaveLength(0);
    const failing = gateHarness({}, { sample: "0%", replies: () => Promise.reject(new Error("down")) });
    await failing.send("GET /");
    expect(failing.fakeDeps.lines.at(-1)).toMatchObject({ type: "access", status: 502 });
  });
});
