/** The filter `rewrite`: paths, queries and hosts, and values that must not escape their place. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { make, spec } from "../../../functions/filters/rewrite.ts";
import { make as worker } from "../../../functions/upstreams/worker.ts";
import { fakeDeps, gateHarness } from "../gate-harness.ts";

const gate = (config: object, route: object = {}) =>
  gateHarness(
    { rewrite: () => make(spec().schema.parse(config)) },
    { routes: { all: { match: "ANY /{id}/{rest*}", filters: ["rewrite"], ...route } } },
  );

const targetOf = async (config: object, target: string, route = {}) =>
  (await gate(config, route).send(`GET ${target}`)).upstream[0]?.url.replace("https://service.example", "");

describe.each<[string, object, string, string]>([
  ["a path", { path: "/v2/{path.id}" }, "/7/x?a=1", "/v2/7?a=1"],
  ["a prefix", { "strip-prefix": "/wallet/v1" }, "/wallet/v1/x?a=1", "/x?a=1"],
  ["a prefix that is all", { "strip-prefix": "/wallet/v1" }, "/wallet/v1", "/"],
  ["a prefix that is not one", { "strip-prefix": "/wallet/v1" }, "/wallet/v12/x", "/wallet/v12/x"],
  ["another prefix", { "strip-prefix": "/foo", "put-prefix": "/xyz" }, "/foo/bar", "/xyz/bar"],
  ["another prefix, of all", { "strip-prefix": "/foo/v1", "put-prefix": "/xyz" }, "/foo/v1", "/xyz"],
  ["another prefix, and a slash", { "strip-prefix": "/foo", "put-prefix": "/xyz" }, "/foo/", "/xyz/"],
  ["no prefix, and a slash", { "strip-prefix": "/foo" }, "/foo/", "/"],
  ["one before all", { "put-prefix": "/xyz" }, "/foo/bar", "/xyz/foo/bar"],
  ["a parameter set", { query: { set: { user: "{path.id}" } } }, "/7/x?a=1&user=8&user=9", "/7/x?a=1&user=7"],
  ["a parameter removed", { query: { remove: ["debug"] } }, "/7/x?debug=1&a=%20b+c&d%65bug=2", "/7/x?a=%20b+c"],
  ["the only ones kept", { query: { keep: ["a"] } }, "/7/x?a=1&b=2&a=3", "/7/x?a=1&a=3"],
  ["one whose value is missing", { query: { set: { v: "{header.x-v}" } } }, "/7/x?v=1", "/7/x"],
  ["a question mark that belongs to a name", { query: { keep: ["a"] } }, "/7/x??a=1&a=2", "/7/x?a=2"],
  [
    "a name that every object has",
    { query: { remove: ["__proto__"] } },
    "/7/x?__proto__=1&toString=2",
    "/7/x?toString=2",
  ],
  ["none at all", {}, "/7/x?a=%zz&&b", "/7/x?a=%zz&&b"],
])("%s", (_, config, target, expected) => {
  it(`${target} → ${expected}`, async () => {
    expect(await targetOf(config, target)).toBe(expected);
  });
});

it("the route's own path is applied last, and keeps the rewritten query", async () => {
  expect(await targetOf({ path: "/x", query: { set: { a: "2" } } }, "/7/y?a=1", { target: "/own/{path.id}" })).toBe(
    "/own/7?a=2",
  );
});

it("no capture can reach a path outside of the target", async () => {
  const { send } = gate({ path: "/files/{path.id}/end", query: { set: { of: "{query.q}" } } });
  const piece = fc.constantFrom(
    "..",
    ".",
    "%2e",
    "%2E%2e",
    "%252e",
    "a",
    "~",
    "%00",
    "%0d%0a",
    "é",
    "&",
    "=",
    "+",
    "%26",
    "#",
    "%23",
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(piece, { minLength: 1, maxLength: 4 }),
      fc.array(piece, { maxLength: 4 }),
      async (path, query) => {
        const { status, upstream } = await send(`GET /${path.join("")}/x?q=${query.join("")}`);
        if (status !== 200) {
          expect(upstream).toEqual([]);
          return;
        }
        const url = new URL(upstream[0]?.url ?? "");
        expect(url.pathname.split("/").length).toBe(4);
        expect(url.pathname).toMatch(/^\/files\/.+\/end$/);
        expect(url.searchParams.getAll("of").length).toBeLessThanOrEqual(1);
      },
    ),
    { numRuns: 300, seed: 1 },
  );
});

it.each<[string, RequestInit]>([
  ["GET /7/x", {}],
  ["GET /7/x?to=", {}],
  ["GET /7/x?to=..", {}],
  ["GET /7/x?to=%2e%2e%2fadmin", {}],
  ["GET /7/x?to=%252e%252e%252fadmin", {}],
  ["GET /7/x?to=..%5cadmin", {}],
  ["GET /7/x?to=a%0d%0aHost:%20b", {}],
  ["GET /7/x?to=a%00", {}],
  ["GET /7/x?to=a", { headers: { "x-b": "../.." } }],
  ["GET /7/x?to=a", { headers: { "x-b": "b".repeat(20_000) } }],
])("refuses a value that is absent or not allowed in a path: %s %#", async (line, { headers }) => {
  const { send } = gate({ path: "/files/{query.to}/{header.x-b}" });
  expect(await send(line, { headers: { "x-b": "b", ...headers } })).toMatchObject({
    status: 400,
    code: "reference-malformed",
    upstream: [],
    line: { by: "rewrite" },
  });
});

it("removes a parameter with an oversized value", async () => {
  const { send } = gate({ query: { set: { b: "{header.x-b}" } } });
  const { upstream } = await send("GET /7/x?b=1", { headers: { "x-b": "b".repeat(20_000) } });
  expect(upstream[0]?.url).toBe("https://service.example/7/x");
});

/** Any code point, ASCII as often as all others. fast-check's `unit: "binary"` first makes a table of all, which takes seconds. */
const codePoint = fc.oneof(fc.integer({ min: 0, max: 0x7f }), fc.integer({ min: 0, max: 0x10_ffff }));
const examples = ["&admin=2", "#", "\r\nx: 1", "%26", "+ ", ";admin=1"];

it("any query value becomes exactly one value of the service's query", async () => {
  const { send } = gate({ query: { set: { of: "a{query.q}b" }, keep: ["q"] } });
  await fc.assert(
    fc.asyncProperty(fc.array(codePoint, { maxLength: 20 }), async (codePoints) => {
      const value = String.fromCodePoint(...codePoints).toWellFormed();
      const { upstream } = await send(`GET /7/x?q=${encodeURIComponent(value)}&of=1&admin=1`);
      const url = new URL(upstream[0]?.url ?? "");
      expect([...url.searchParams]).toEqual([
        ["q", value],
        ["of", `a${value}b`],
      ]);
      expect([url.pathname, url.hash]).toEqual(["/7/x", ""]);
    }),
    { numRuns: 300, seed: 1, examples: examples.map((text) => [[...text].map((it) => it.codePointAt(0) ?? 0)]) },
  );
});

it("any header becomes one segment of the service's path, or the request is refused", async () => {
  const { send } = gate({ path: "/files/{header.x-v}/end" });
  const unit = fc.constantFrom("..", ".", "/", "\\", "%", "2e", "2f", "25", ";", "?", "#", "a", " ", "%2e", "%5C");
  await fc.assert(
    fc.asyncProperty(fc.array(unit, { maxLength: 8 }), async (units) => {
      const { status, upstream } = await send("GET /7/x", { headers: { "x-v": units.join("") } });
      if (status !== 200) {
        expect([status, upstream]).toEqual([400, []]);
        return;
      }
      const { pathname, search } = new URL(upstream[0]?.url ?? "");
      expect([pathname.split("/").length, search]).toEqual([4, ""]);
      // Also for a service that decodes repeatedly.
      for (let path = pathname, times = 0; times < 3; times++, path = lenient(path))
        expect(new URL(path.replaceAll(/[?#]/g, "x"), "https://a.example").pathname).toMatch(/^\/files\/.*\/end$/);
    }),
    { numRuns: 1000, seed: 1 },
  );
});

const lenient = (text: string): string =>
  text.replace(/%([0-9a-f]{2})/gi, (_, code) => String.fromCharCode(Number.parseInt(code, 16)));

it.each([
  { path: "/a/../b" },
  { path: "/a//b" },
  { "strip-prefix": "/a/.." },
  { "strip-prefix": "/%61" },
  { path: "no-slash" },
  { path: "/a?b" },
  { path: "/{nothing}" },
  { path: "/a", "strip-prefix": "/b" },
  { "strip-prefix": "/a/" },
  { query: { set: { "": "x" } } },
])("refuses %j in a manifest", (value) => {
  expect(spec().schema.safeParse(value).success).toBe(false);
});

it("sets another host in x-forwarded-host, and in the URL for a Worker", async () => {
  const config = { host: "one.example.org" };
  const { upstream } = await gate(config).send("GET /7/x");
  expect(upstream[0]?.headers["x-forwarded-host"]).toBe("one.example.org");
  const urls: string[] = [];
  const rates = { fetch: async (request: Request) => new Response(String(urls.push(request.url))) };
  const { send } = gateHarness(
    { rewrite: () => make(spec().schema.parse(config)) },
    {
      fakeDeps: fakeDeps({ env: { SERVICE_RATES: rates } }),
      upstream: (_, deps) => worker({ service: "rates" }, deps),
    },
  );
  await send("GET /7/x?a=1");
  expect(urls).toEqual(["https://one.example.org/7/x?a=1"]);
});
