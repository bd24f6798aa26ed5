import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { make, spec } from "../../../functions/filters/rewrite.ts";
import { conversation } from "../conversation.ts";

const gate = (written: object, route: object = {}) =>
  conversation(
    { rewrite: () => make(spec().schema.parse(written)) },
    { routes: { all: { match: "ANY /{id}/{rest*}", filters: ["rewrite"], ...route } } },
  );

const seen = async (written: object, target: string, route = {}) =>
  (await gate(written, route).send(`GET ${target}`)).upstream[0]?.url.replace("https://service.example", "");

describe.each<[string, object, string, string]>([
  ["a path", { path: "/v2/{path.id}" }, "/7/x?a=1", "/v2/7?a=1"],
  ["a prefix", { "strip-prefix": "/wallet/v1" }, "/wallet/v1/x?a=1", "/x?a=1"],
  ["a prefix that is all", { "strip-prefix": "/wallet/v1" }, "/wallet/v1", "/"],
  ["a prefix that is not one", { "strip-prefix": "/wallet/v1" }, "/wallet/v12/x", "/wallet/v12/x"],
  ["a parameter set", { query: { set: { user: "{path.id}" } } }, "/7/x?a=1&user=8&user=9", "/7/x?a=1&user=7"],
  ["a parameter removed", { query: { remove: ["debug"] } }, "/7/x?debug=1&a=%20b+c&d%65bug=2", "/7/x?a=%20b+c"],
  ["the only ones kept", { query: { keep: ["a"] } }, "/7/x?a=1&b=2&a=3", "/7/x?a=1&a=3"],
  ["one whose value is missing", { query: { set: { v: "{header.x-v}" } } }, "/7/x?v=1", "/7/x"],
  ["none at all", {}, "/7/x?a=%zz&&b", "/7/x?a=%zz&&b"],
])("%s", (_, written, target, expected) => {
  it(`${target} → ${expected}`, async () => {
    expect(await seen(written, target)).toBe(expected);
  });
});

it("the route's own path comes last, and keeps the query as it was rewritten", async () => {
  expect(await seen({ path: "/x", query: { set: { a: "2" } } }, "/7/y?a=1", { target: "/own/{path.id}" })).toBe(
    "/own/7?a=2",
  );
});

it("whatever a client captures, the service is asked for nothing outside", async () => {
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

it.each([
  { path: "no-slash" },
  { path: "/a?b" },
  { path: "/{nothing}" },
  { path: "/a", "strip-prefix": "/b" },
  { "strip-prefix": "/a/" },
  { query: { set: { "": "x" } } },
])("refuses %j in a manifest", (value) => {
  expect(spec().schema.safeParse(value).success).toBe(false);
});
