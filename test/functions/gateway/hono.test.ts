/** The adapter for Hono middleware: requests, responses and errors pass unchanged. */
import type { MiddlewareHandler } from "hono";
import { HTTPException } from "hono/http-exception";
import { requestId } from "hono/request-id";
import { expect, it } from "vitest";
import { type Codes, Fault, refuse } from "../../../functions/gateway/core/problems.ts";
import type { Context, Handler } from "../../../functions/gateway/core/types.ts";
import { fromHono } from "../../../functions/gateway/hono-adapter.ts";
import { caller, type GateOptions, gateHarness } from "../gate-harness.ts";

const codes = { "not-here": { status: 403, title: "Not here" } } as const satisfies Codes;

const layer = (middleware: MiddlewareHandler) =>
  fromHono(middleware, "it", (_, context) => refuse(context, codes, "not-here"));

const gate = (middleware: MiddlewareHandler, setting: GateOptions = {}) =>
  gateHarness({ it: () => layer(middleware) }, { filters: { it: { kind: "layer" } }, ...setting });

const passes: MiddlewareHandler = (_, next) => next();

const context = (): Context => ({
  caller,
  started: 0,
  url: new URL("https://gate.example/"),
  route: { tier: "t", name: "r" },
  captures: {},
  signal: undefined,
  facts: new Map(),
  outbound: [],
  inbound: [],
  outcome: { verdict: "passed" },
});

it("streams responses", async () => {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const response = await layer(passes)(async () => new Response(readable))(new Request("https://a.example"), context());
  const reader = response.body?.getReader();
  for (const piece of ["first", "second"]) {
    void writer.write(new TextEncoder().encode(piece));
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe(piece);
  }
  void writer.close();
  expect((await reader?.read())?.done).toBe(true);
});

it("streams requests, with their context", async () => {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const original = context();
  const next: Handler = async (request, context) => {
    expect(context).toBe(original);
    const reader = request.body?.getReader();
    void writer.write(new TextEncoder().encode("first"));
    return new Response((await reader?.read())?.value);
  };
  const request = new Request("https://a.example", { method: "POST", body: readable });
  expect(await (await layer(passes)(next)(request, original)).text()).toBe("first");
});

it.each(["/", "/a/b.c", "/%E2%80%A8x", "/a%20b/", "/%F0%9F%98%80", "/:x/*", "/a?b=1"])(
  "runs the middleware for every path: %s",
  async (path) => {
    const { send } = gate(() => Promise.reject(new HTTPException(403)));
    expect(await send(`POST ${path}`)).toMatchObject({ status: 403, code: "not-here", upstream: [] });
  },
);

it.each(["GET", "HEAD", "POST", "OPTIONS", "PROPFIND"])("passes %s unchanged", async (method) => {
  const methods: string[] = [];
  const { send } = gate((c, next) => {
    methods.push(c.req.method);
    return next();
  });
  const received = await send(`${method} /a?b=1`);
  expect([received.status, methods, received.upstream.map((it) => it.method)]).toEqual([200, [method], [method]]);
});

it("forwards the request that the middleware substitutes", async () => {
  const { send } = gate((c, next) => {
    c.req.raw = new Request(c.req.raw, { headers: { "x-a": "2" } });
    return next();
  });
  const { upstream } = await send("POST /", { body: "body", headers: { "x-a": "1" } });
  expect(upstream).toMatchObject([{ headers: { "x-a": "2" }, body: "body" }]);
});

it("keeps status, cookies and headers of the service, and adds the middleware's", async () => {
  const replies = async () =>
    new Response("made", {
      status: 201,
      statusText: "Made",
      headers: [
        ["set-cookie", "a=1"],
        ["set-cookie", "b=2"],
        ["content-type", "text/x"],
      ],
    });
  const through = layer(async (c, next) => {
    c.header("set-cookie", "early=1", { append: true });
    c.header("x-early", "1");
    await next();
    c.header("set-cookie", "late=1", { append: true });
    c.res.headers.set("x-late", "1");
  })(replies);
  const response = await through(new Request("https://a.example"), context());
  const { headers } = response;
  expect([response.status, await response.text()]).toEqual([201, "made"]);
  expect(["content-type", "x-early", "x-late"].map((name) => headers.get(name))).toEqual(["text/x", "1", "1"]);
  expect(headers.getSetCookie().toSorted()).toEqual(["a=1", "b=2", "early=1", "late=1"]);
});

it("runs another built-in middleware of Hono", async () => {
  const { send } = gate(requestId({ headerName: "x-trace", generator: () => "made-here" }));
  expect((await send("GET /")).headers["x-trace"]).toBe("made-here");
});

it("passes a WebSocket", async () => {
  const [client] = Object.values(new WebSocketPair());
  const through = layer(passes)(async () => new Response(null, { status: 101, webSocket: client as WebSocket }));
  const response = await through(new Request("https://a.example"), context());
  expect([response.status, response.webSocket]).toEqual([101, client]);
});

it("records a response of the middleware as answered, without calling the service", async () => {
  const received = await gate(async (c) => c.text("closed", 503, { "retry-after": "9" })).send("GET /");
  expect(received).toMatchObject({ status: 503, text: "closed", headers: { "retry-after": "9" }, upstream: [] });
  expect(received.line).toMatchObject({ verdict: "answered", by: "it" });
});

it("attributes a guard's response to the guard", async () => {
  const { send } = gateHarness(
    { it: () => layer(passes), inner: () => () => new Response("inner") },
    { filters: { it: { kind: "layer" } } },
  );
  expect((await send("GET /")).line).toMatchObject({ verdict: "answered", by: "inner" });
});

it("turns an HTTPException into the filter's own refusal, without its text", async () => {
  const res = new Response("internal words", { headers: { "x-internal": "1", "www-authenticate": "Basic" } });
  const received = await gate(() => Promise.reject(new HTTPException(401, { message: "internal", res }))).send("GET /");
  expect(received).toMatchObject({ status: 403, code: "not-here", upstream: [] });
  expect(received.line).toMatchObject({ verdict: "refused", by: "it", code: "not-here" });
  expect(JSON.stringify([received.headers, received.text])).not.toContain("internal");
});

it("drops the service's headers on a refusal after its response", async () => {
  const late: MiddlewareHandler = async (_, next) => {
    await next();
    throw new HTTPException(403);
  };
  const received = await gate(late, { replies: () => new Response("a", { headers: { "x-own": "1" } }) }).send("GET /");
  expect([received.status, received.code, received.headers["x-own"]]).toEqual([403, "not-here", undefined]);
});

it("treats an unexpected refusal as a failure", async () => {
  const { send } = gateHarness(
    { it: () => fromHono(() => Promise.reject(new HTTPException(403)), "it") },
    { filters: { it: { kind: "layer" } } },
  );
  expect(await send("GET /")).toMatchObject({ status: 500, code: "internal", line: { verdict: "failed", by: "it" } });
});

it("does not attribute an inner HTTPException to the middleware", async () => {
  const inner: GateOptions["upstream"] = () => () => Promise.reject(new HTTPException(418));
  expect(await gate(passes, { upstream: inner }).send("GET /")).toMatchObject({
    status: 500,
    code: "internal",
    line: { verdict: "failed", by: "service" },
  });
});

it("rethrows the same inner Fault", async () => {
  const fault = new Fault(codes, "not-here");
  const through = layer(passes)(() => Promise.reject(fault));
  await expect(through(new Request("https://a.example"), context())).rejects.toBe(fault);
});

it("rethrows values that are not Errors", async () => {
  const through = layer(passes)(() => Promise.reject("a text"));
  await expect(through(new Request("https://a.example"), context())).rejects.toBe("a text");
});

it("fails when the middleware swallows an error", async () => {
  const swallows: MiddlewareHandler = async (_, next) => {
    await next().catch(() => {});
  };
  expect(await gate(swallows, { replies: () => Promise.reject(new Error("down")) }).send("GET /")).toMatchObject({
    status: 500,
    line: { verdict: "failed" },
  });
});

it("calls the service once when next() is called twice", async () => {
  const twice: MiddlewareHandler = async (_, next) => {
    await next();
    await next();
  };
  const received = await gate(twice).send("GET /");
  expect([received.status, received.code, received.upstream.length]).toEqual([500, "internal", 1]);
  expect(received.line).toMatchObject({ verdict: "failed", by: "it" });
});

it("passes the deadline's abort to inner handlers", async () => {
  const abort = new AbortController();
  const waits: Handler = (_, { signal }) =>
    new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
  const through = layer(passes)(waits)(new Request("https://a.example"), { ...context(), signal: abort.signal });
  abort.abort(new Fault(codes, "not-here"));
  await expect(through).rejects.toMatchObject({ code: "not-here" });
});
