/** `postern explain` at a running gate: who gets a trace, and what it contains. */
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { expect, it } from "vitest";
import { refuse } from "../../../functions/gateway/core/problems.ts";
import { startTrace } from "../../../functions/gateway/core/trace.ts";
import type { Guard, Handler } from "../../../functions/gateway/core/types.ts";
import { explaining } from "../../../functions/gateway/explain.ts";
import { link } from "../../../functions/gateway/server.ts";
import { caller, fakeDeps, gateHarness, planAndParts } from "../gate-harness.ts";

const pair = await generateKeyPair("EdDSA", { crv: "Ed25519" });
const other = await generateKeyPair("EdDSA", { crv: "Ed25519" });
const { x = "" } = await exportJWK(pair.publicKey);
const now = Date.UTC(2026, 10, 1) / 1000;

const token = (claims = {}, { key = pair.privateKey, life = 300 } = {}) =>
  new SignJWT({ env: "test", tier: "tier", route: "*", aud: "postern-explain", iat: now, exp: now + life, ...claims })
    .setProtectedHeader({ alg: "EdDSA" })
    .sign(key);

const codes = { "no-entry": { status: 403, title: "No" } };
const filters: Record<string, () => Guard> = {
  first: () => () => undefined,
  later: () => async () => undefined,
  trial: () => (_, context) => refuse(context, codes, "no-entry"),
  beta: () => () => undefined,
  guard: () => (request, context) => (request.headers.has("x-key") ? undefined : refuse(context, codes, "no-entry")),
  last: () => () => undefined,
};
const settings = {
  filters: {
    trial: { mode: "shadow" as const },
    beta: { when: [["header", "x-beta", "present", ""]] as const },
  },
};

const seen: Headers[] = [];
const deps = fakeDeps({
  fetch: async (input) => {
    seen.push(new Request(input).headers);
    return new Response("ok");
  },
});
const { plan, parts } = planAndParts(filters, settings);
const serve = explaining(x, "test")("tier", link(plan, parts, deps), deps);
const request = (explain: string | undefined, headers: Record<string, string> = {}) =>
  serve(
    new Request("https://gate.example/a", {
      headers: { ...headers, ...(explain !== undefined && { "postern-explain": explain }) },
    }),
    caller,
  );

const traceIn = (response: Response) => JSON.parse(response.headers.get("postern-trace") ?? "null");

it("reports each filter's decision to the bearer of a token", async () => {
  const response = await request(await token());
  expect(response.status).toBe(403);
  expect(traceIn(response)).toEqual({
    tier: "tier",
    route: "all",
    version: "v1",
    decisions: [
      { id: "first", verdict: "passed", ms: 0 },
      { id: "later", verdict: "passed", ms: 0 },
      { id: "trial", verdict: "shadowed", code: "no-entry", ms: 0 },
      { id: "beta", verdict: "skipped", code: "when", ms: 0 },
      { id: "guard", verdict: "refused", code: "no-entry", ms: 0 },
    ],
  });
});

it("explains passing requests too, and does not forward the token", async () => {
  seen.length = 0;
  const response = await request(await token({ route: "all" }), { "x-key": "1" });
  expect([response.status, traceIn(response).decisions.length]).toEqual([200, 7]);
  expect(traceIn(response).decisions.at(-1)).toEqual({ id: expect.stringMatching(/^to:/), verdict: "asked", ms: 0 });
  expect(seen.map((headers) => headers.has("postern-explain"))).toEqual([false]);
  expect(JSON.stringify(deps.lines)).not.toContain("eyJ");
});

it.each<[string, () => Promise<string | undefined> | string | undefined]>([
  ["no token", () => undefined],
  ["one of another key", () => token({}, { key: other.privateKey })],
  ["one for another tier", () => token({ tier: "pay" })],
  ["one for another route", () => token({ route: "other" })],
  ["one without a route", () => token({ route: undefined })],
  ["one for something else", () => token({ aud: "wallet" })],
  ["an expired one", () => token({ iat: now - 400, exp: now - 100 })],
  ["one that lives too long", () => token({}, { life: 301 })],
  ["one issued in the future", () => token({ iat: now + 60, exp: now + 120 })],
  ["one issued a year ahead", () => token({ iat: now + 31_536_000, exp: now + 31_536_100 })],
  ["one that is not valid yet", () => token({ nbf: now + 60 })],
  ["one whose end no date can have", () => token({ exp: 1e300 })],
  ["one of another environment", () => token({ env: "production" })],
  ["one of no environment", () => token({ env: undefined })],
  ["one that never ends", () => token({ exp: undefined })],
  [
    "alg none",
    () =>
      `${btoa('{"alg":"none"}')}.${btoa(JSON.stringify({ tier: "tier", route: "*", aud: "postern-explain", iat: now, exp: now + 60 }))}.`,
  ],
  ["garbage", () => "x.y.z"],
  ["a huge one", () => token({ padding: "x".repeat(2000) })],
])("with %s it responds as usual, without a trace", async (_, make) => {
  const plain = await request(undefined);
  const response = await request(await make());
  expect([response.status, response.headers.get("postern-trace")]).toEqual([plain.status, null]);
  const [a, b] = [await plain.text(), await response.text()];
  expect(a).toBe(b);
});

it("an invalid key disables explanations, and fails no request", async () => {
  const serve = explaining("***", "test")("tier", link(plan, parts, deps), deps);
  const request = () =>
    new Request("https://gate.example/a", { headers: { "postern-explain": "x.y.z", "x-key": "1" } });
  expect((await serve(request(), caller)).status).toBe(200);
});

it("accepts the algorithm name of RFC 9864", async () => {
  const signed = await new SignJWT({
    env: "test",
    tier: "tier",
    route: "*",
    aud: "postern-explain",
    iat: now,
    exp: now + 60,
  })
    .setProtectedHeader({ alg: "Ed25519" })
    .sign(pair.privateKey);
  expect(traceIn(await request(signed))).toMatchObject({ tier: "tier" });
});

it("limits the length of a trace", async () => {
  const many = Object.fromEntries(
    Array.from({ length: 200 }, (_, index) => [`filter-number-${index}`, () => () => undefined]),
  );
  const built = planAndParts(many, {});
  const long = explaining(x, "test")("tier", link(built.plan, built.parts, deps), deps);
  const response = await long(
    new Request("https://gate.example/a", { headers: { "postern-explain": await token() } }),
    caller,
  );
  expect(response.headers.get("postern-trace")?.length).toBeLessThanOrEqual(4096);
  expect(traceIn(response).decisions.length).toBeGreaterThan(20);
});

it("reports layers and faults", async () => {
  const trace = startTrace(() => 0);
  const { send } = gateHarness(
    { wrap: () => (next: Handler) => next, fails: () => () => Promise.reject(new Error("oops")) },
    { filters: { wrap: { kind: "layer" } }, caller: { trace } },
  );
  expect((await send("GET /")).status).toBe(500);
  expect(trace.decisions).toEqual([
    { id: "wrap", verdict: "entered", ms: 0 },
    { id: "fails", verdict: "failed", code: "internal", ms: 0 },
  ]);
});
