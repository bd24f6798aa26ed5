/** The upstream `http`: forwarding, unreachable services and bodies of unknown length. */
import { describe, expect, it } from "vitest";
import { make, spec } from "../../../functions/upstreams/http.ts";
import { type GateOptions, gateHarness } from "../gate-harness.ts";

const service = (url: string, setting: GateOptions = {}) =>
  gateHarness({}, { ...setting, upstream: (_, deps) => make({ url }, deps) });

describe("calls the service", () => {
  it.each([
    ["https://service.example", "GET /a/b?c=d&e", "GET https://service.example/a/b?c=d&e"],
    ["https://service.example/", "GET /a", "GET https://service.example/a"],
    ["https://service.example/base/", "DELETE /a%20b", "DELETE https://service.example/base/a%20b"],
    ["http://service.example:8080", "GET /%61", "GET http://service.example:8080/a"],
  ])("at %s, %s → %s", async (url, line, expected) => {
    const { upstream } = await service(url).send(line);
    expect(upstream.map((it) => `${it.method} ${it.url}`)).toEqual([expected]);
  });

  it("with the body, the client's own headers and forwarding headers", async () => {
    const { upstream } = await service("https://service.example").send("POST /", {
      body: "hello",
      headers: {
        "content-length": "5",
        accept: "text/plain",
        "x-forwarded-for": "10.0.0.1",
        "x-postern-caller": "forged",
      },
    });
    expect(upstream[0]?.body).toBe("hello");
    expect(upstream[0]?.headers).toMatchObject({
      accept: "text/plain",
      "x-forwarded-for": "203.0.113.7",
      "x-forwarded-host": "gate.example",
    });
    expect(upstream[0]?.headers["x-postern-caller"]).toBeUndefined();
  });
});

it("passes redirects to the client", async () => {
  const replies = () => new Response(null, { status: 302, headers: { location: "http://internal.example/" } });
  const { status, headers } = await service("https://service.example", { replies }).send("GET /");
  expect([status, headers.location]).toEqual([302, "http://internal.example/"]);
});

it("answers 502 to an unreachable service, without its address", async () => {
  const replies = () => Promise.reject(new Error("connect ECONNREFUSED service.example:443"));
  const { status, code, text } = await service("https://service.example", { replies }).send("GET /");
  expect({ status, code }).toEqual({ status: 502, code: "upstream-unreachable" });
  expect(text).not.toContain("service.example");
});

describe("a body of unknown length", () => {
  const stream = (chunks: readonly string[], fail = false) =>
    new ReadableStream({
      type: "bytes",
      start(controller) {
        for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk));
        if (fail) controller.error(new Error("cut"));
        else controller.close();
      },
    });

  it("is forwarded if it is small enough", async () => {
    const { status, upstream } = await service("https://service.example", { limits: { body: "4B" } }).send("POST /", {
      body: stream(["ab", "cd"]),
    });
    expect({ status, body: upstream[0]?.body }).toEqual({ status: 200, body: "abcd" });
  });

  it("is refused when it grows too large, and never looks complete", async () => {
    const { status, code, upstream } = await service("https://service.example", { limits: { body: "4B" } }).send(
      "POST /",
      {
        body: stream(["ab", "cde"]),
      },
    );
    expect({ status, code, seen: upstream.map(({ body }) => body) }).toEqual({
      status: 413,
      code: "body-too-large",
      seen: [],
    });
  });

  it("is refused when it breaks off", async () => {
    const { status, code } = await service("https://service.example").send("POST /", { body: stream([], true) });
    expect({ status, code }).toEqual({ status: 400, code: "body-incomplete" });
  });
});

it.each([
  "service.example",
  "ftp://service.example",
  "http://10.0.0.1",
  "http://[::1]:80",
  "http://0x7f.1/",
  "https://u:p@service.example",
  "https://a.example/?x",
])("the schema refuses %s", (url) => {
  expect(spec().schema.safeParse({ url }).success).toBe(false);
});

it("applies the upstream's own header edits after all filters", async () => {
  const headers = { set: { backend: "v1" }, add: { "x-tag": "b" }, remove: ["cookie"] };
  const { upstream } = await gateHarness(
    { late: () => (_, context) => void context.outbound.push(["set", "backend", "v0"]) },
    { upstream: (_, deps) => make({ url: "https://service.example", headers }, deps) },
  ).send("GET /", { headers: { cookie: "a=b", "x-tag": "a" } });
  expect(upstream[0]?.headers).toMatchObject({ backend: "v1", "x-tag": "a, b" });
  expect(upstream[0]?.headers.cookie).toBeUndefined();
});
