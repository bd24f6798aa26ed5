/** The filter `access`: callers by scopes, claims, labels and consumer id. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { make, spec } from "../../../functions/filters/access.ts";
import { Claims, Consumer, setFact } from "../../../functions/gateway/core/facts.ts";
import { gateHarness } from "../gate-harness.ts";
import { runs } from "../runs.ts";

interface KnownFacts {
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly id?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

const gate = (filterConfig: object, { claims, id, labels = {} }: KnownFacts = {}) => {
  const config = spec().schema.parse(filterConfig);
  return gateHarness({
    identity: () => (_, context) => {
      if (claims) setFact(context, Claims, claims);
      if (id !== undefined) setFact(context, Consumer, { id, labels });
      return undefined;
    },
    access: () => make(config),
  });
};

describe.each<[string, object, KnownFacts, string | undefined]>([
  ["all scopes", { scopes: ["a", "b"] }, { claims: { scope: "b a c" } }, undefined],
  ["one scope short", { scopes: ["a", "b"] }, { claims: { scope: "a" } }, "scope-missing"],
  ["no scopes at all", { scopes: ["a"] }, { claims: {} }, "scope-missing"],
  ["one of several", { "any-scope": ["a", "b"] }, { claims: { scp: ["b"] } }, undefined],
  ["none of several", { "any-scope": ["a", "b"] }, { claims: { scp: ["c"] } }, "scope-missing"],
  ["scopes and one of several", { scopes: ["a"], "any-scope": ["b", "c"] }, { claims: { scope: "a c" } }, undefined],
  ["a claim", { claims: { plan: "gold" } }, { claims: { plan: "gold" } }, undefined],
  ["a claim of another value", { claims: { plan: "gold" } }, { claims: { plan: "basic" } }, "access-denied"],
  ["a claim of another type", { claims: { level: 1 } }, { claims: { level: "1" } }, "access-denied"],
  ["a claim that every object has", { claims: { constructor: "x" } }, { claims: {} }, "access-denied"],
  [
    "no claims, where the filter that would know has not run",
    { claims: { plan: "gold" } },
    { id: "a" },
    "access-denied",
  ],
  ["a named consumer", { consumers: ["a", "b"] }, { id: "b" }, undefined],
  ["another consumer", { consumers: ["a"] }, { id: "ab" }, "access-denied"],
  ["nobody", { consumers: ["a"] }, {}, "access-denied"],
  ["a label", { labels: { plan: ["gold", "silver"] } }, { id: "a", labels: { plan: "silver" } }, undefined],
  ["a word of a label", { labels: { roles: "admin" } }, { id: "a", labels: { roles: "no admin" } }, "access-denied"],
  ["another label", { labels: { plan: "gold" } }, { id: "a", labels: { tier: "gold" } }, "access-denied"],
  [
    "a scope, but another consumer",
    { scopes: ["a"], consumers: ["x"] },
    { claims: { scope: "a" }, id: "y" },
    "access-denied",
  ],
])("%s", (_, filterConfig, known, code) => {
  it(code ?? "passes", async () => {
    const received = await gate(filterConfig, known).send("GET /");
    expect([received.status, received.code, received.upstream.length]).toEqual(
      code ? [403, code, 0] : [200, undefined, 1],
    );
    // The response does not reveal the accepted values.
    expect(received.text).not.toMatch(/gold|silver/);
  });
});

it("names the required scopes in the challenge (RFC 6750)", async () => {
  const { headers } = await gate({ scopes: ["a", "b"] }, { claims: {} }).send("GET /");
  expect(headers["www-authenticate"]).toBe('Bearer error="insufficient_scope", scope="a b"');
});

it("names the alternatives of any-scope in the challenge", async () => {
  const { headers } = await gate({ scopes: ["a"], "any-scope": ["b", "c"] }, { claims: { scope: "a" } }).send("GET /");
  expect(headers["www-authenticate"]).toBe('Bearer error="insufficient_scope", scope="b c"');
});

it.each<[unknown, boolean]>([
  ["gold", true],
  [["basic", "gold"], true],
  [[["gold"]], false],
  [{ gold: true }, false],
  ["gold ", false],
  ["GOLD", false],
  [null, false],
  [[], false],
])("a claim of %j passes where gold is required: %s", async (plan, passes) => {
  const received = await gate({ claims: { plan: "gold" } }, { claims: { plan } }).send("GET /");
  expect(received.status).toBe(passes ? 200 : 403);
});

it("allows exactly the callers that meet every requirement", async () => {
  const word = fc.constantFrom<string>("a", "a b", "b", "c", "gold", "shop", "", "__proto__", "constructor", "1");
  const value = fc.oneof(word, fc.integer({ max: 2, min: 0 }), fc.boolean(), fc.array(word, { maxLength: 3 }));
  const filterConfig = { scopes: ["a"], "any-scope": ["b", "c"], claims: { level: [1, true] }, consumers: ["shop"] };
  await fc.assert(
    fc.asyncProperty(value, value, value, word, async (scope, scp, level, id) => {
      const words = [scope, scp].flat().flatMap((it) => (typeof it === "string" ? it.split(" ") : []));
      const fits =
        words.includes("a") &&
        (words.includes("b") || words.includes("c")) &&
        (level === 1 || level === true) &&
        id === "shop";
      const received = await gate(filterConfig, { claims: { scope, scp, level }, id }).send("GET /");
      expect([received.status, received.upstream.length]).toEqual(fits ? [200, 1] : [403, 0]);
    }),
    {
      numRuns: runs(250, 1000),
      seed: 1,
      examples: [
        ["a b", [], 1, "shop"],
        [["a"], ["c"], true, "shop"],
      ],
    },
  );
});

it.each([
  {},
  { scopes: [] },
  { scopes: ["a b"] },
  { scopes: ['a"'] },
  { consumers: [] },
  { claims: { a: [] } },
  { claims: { "a b": 1 } },
])("refuses %j in a manifest", (value) => {
  expect(spec().schema.safeParse(value).success).toBe(false);
});
