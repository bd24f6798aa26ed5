/** Authentication of operators at control and of testers at the front; invalid tokens and labels are ignored. */
import { exportJWK, generateKeyPair, importJWK, SignJWT } from "jose";
import { describe, expect, it } from "vitest";
import { authenticate, controlAudience, hasRole } from "../../../functions/control/api/operators.ts";
import type { Operator } from "../../../functions/control/model/plan.ts";
import { front } from "../../../functions/front.ts";
import { labelAudience, labels } from "../../../functions/gateway/identity/label.ts";

const now = Date.UTC(2026, 10, 1);
const seconds = now / 1000;

const keyPair = async () => {
  const { privateKey } = await generateKeyPair("EdDSA", { extractable: true });
  const jwk = await exportJWK(privateKey);
  return { key: privateKey, x: jwk.x as string };
};

const [alice, mallory] = await Promise.all([keyPair(), keyPair()]);
const operators: Record<string, Operator> = { alice: { key: alice.x, role: "operator" } };

interface Claims {
  readonly kid?: string;
  readonly sub?: string;
  readonly aud?: string;
  readonly iat?: number;
  readonly exp?: number;
  readonly key?: CryptoKey;
  readonly more?: Readonly<Record<string, unknown>>;
}

const token = ({
  kid = "alice",
  sub = "alice",
  aud = controlAudience,
  iat = seconds,
  exp = seconds + 60,
  key = alice.key,
  more = {},
}: Claims = {}) =>
  new SignJWT({ env: "test", ...more })
    .setProtectedHeader({ alg: "EdDSA", kid })
    .setSubject(sub)
    .setAudience(aud)
    .setIssuedAt(iat)
    .setExpirationTime(exp)
    .sign(key);

const authenticated = (text: string | null) => authenticate(text, { operators, environment: "test" }, now);
const bearer = async (claims?: Claims) => authenticated(`Bearer ${await token(claims)}`);

/** Times that a valid token of five minutes cannot have (RFC 7519, section 4.1). */
const badTimes: readonly [string, Claims][] = [
  ["issued in the future", { iat: seconds + 60, exp: seconds + 120 }],
  ["issued a year ahead", { iat: seconds + 31_536_000, exp: seconds + 31_536_100 }],
  ["expired before it was issued", { iat: seconds, exp: seconds - 60 }],
  ["expired", { iat: seconds - 120, exp: seconds - 60 }],
  ["of ten minutes", { exp: seconds + 600 }],
  ["issued long ago", { iat: seconds - 86_400, exp: seconds + 60 }],
  ["not valid yet", { more: { nbf: seconds + 60 } }],
  ["with a time that is a string", { more: { nbf: "0" } }],
  ["with an end that no date can have", { exp: 1e300 }],
  ["with a beginning that no date can have", { iat: -1e300 }],
  ["of another environment", { more: { env: "production" } }],
  ["of no environment", { more: { env: null } }],
  ["of several environments", { more: { env: ["test"] } }],
];

describe("an operator", () => {
  it("is authenticated with the name and role in control's plan", async () => {
    expect(await bearer({ more: { role: "admin" } })).toMatchObject({ name: "alice", role: "operator" });
  });

  it.each<[string, Claims]>([
    ["signed by another", { key: mallory.key }],
    ["for another audience", { aud: "postern-explain" }],
    ...badTimes,
    ["in another's name", { sub: "bob" }],
    ["of somebody unknown", { kid: "bob", sub: "bob" }],
    ["named after what objects inherit", { kid: "constructor", sub: "constructor" }],
    ["named __proto__", { kid: "__proto__", sub: "__proto__" }],
    ["huge", { more: { x: "x".repeat(4000) } }],
  ])("with a token %s is not authenticated", async (_, claims) => {
    expect(await bearer(claims)).toBeUndefined();
  });

  it("with alg none, or an HMAC with the public key, is not authenticated", async () => {
    const part = (value: object) =>
      btoa(JSON.stringify(value)).replaceAll("=", "").replaceAll("+", "-").replaceAll("/", "_");
    const claims = { sub: "alice", aud: controlAudience, iat: seconds, exp: seconds + 60 };
    expect(await authenticated(`Bearer ${part({ alg: "none", kid: "alice" })}.${part(claims)}.`)).toBeUndefined();
    const hs = await new SignJWT(claims)
      .setProtectedHeader({ alg: "HS256", kid: "alice" })
      .sign(new TextEncoder().encode(alice.x));
    expect(await authenticated(`Bearer ${hs}`)).toBeUndefined();
  });

  it.each([null, "", "Bearer", "Bearer x", "Basic YTpi", "Bearer a.b.c"])(
    "with the header %s is not authenticated",
    async (text) => {
      expect(await authenticated(text)).toBeUndefined();
    },
  );

  it("may do only what the role allows", () => {
    const allowed = (["viewer", "operator", "admin"] as const).map((required) =>
      hasRole({ role: "operator" }, required),
    );
    expect(allowed).toEqual([true, true, false]);
  });
});

const version = "0d176225-f120-44e5-8a97-29df7b1c7a80";
const label = (versions: unknown, over: Claims = {}, tiers: unknown = ["a"]) =>
  token({ aud: labelAudience, more: { versions, tiers }, ...over });

describe("a tester's label", () => {
  const read = labels(alice.x, "test");

  it("is ignored if the key cannot be imported", async () => {
    expect(await labels("***", "test")(await label({ "gate-a": version }), now)).toBeUndefined();
  });

  it("names versions in the platform's format (RFC 8941)", async () => {
    expect(await read(await label({ "gate-a": version }), now)).toEqual({
      versions: `gate-a="${version}"`,
      tiers: ["a"],
    });
  });

  it.each<[string, unknown, Claims?]>([
    ["a quote in a name", { 'a", b="c': version }],
    ["a version that is none", { "gate-a": 'x", b="y' }],
    ["nothing", {}],
    ["no map", "gate-a"],
    ["another key", { "gate-a": version }, { key: mallory.key }],
    ["another audience", { "gate-a": version }, { aud: controlAudience }],
    ["an hour", { "gate-a": version }, { exp: seconds + 3600 }],
    ["a time that is over", { "gate-a": version }, { iat: seconds - 310, exp: seconds - 10 }],
  ])("with %s is ignored", async (_, versions, over) => {
    expect(await read(await label(versions, over), now)).toBeUndefined();
  });

  it.each(badTimes)("that is %s is ignored", async (_, over) => {
    const more = { versions: { "gate-a": version }, tiers: ["a"], ...over.more };
    expect(await read(await token({ aud: labelAudience, ...over, more }), now)).toBeUndefined();
  });

  it.each([[undefined], ["a"], [{ a: true }]])("for the tiers %j is ignored", async (tiers) => {
    const more = { versions: { "gate-a": version }, ...(tiers !== undefined && { tiers }) };
    expect(await read(await token({ aud: labelAudience, more }), now)).toBeUndefined();
  });

  it("lets the front select a version; no other client can, and no gate sees the label", async () => {
    const seen: Headers[] = [];
    const gate = {
      fetch: async (request: Request) => {
        seen.push(request.headers);
        return new Response("ok");
      },
    } as unknown as Fetcher;
    const app = front(
      {
        grayKey: { cookie: "gray" },
        tiers: [
          { tier: "a", binding: "GATE_A", hosts: ["a.example"], base: "/" },
          { tier: "b", binding: "GATE_A", hosts: ["a.example"], base: "/b" },
        ],
      },
      labels(alice.x, "test"),
    );
    const fresh = Math.floor(Date.now() / 1000);
    const good = await label({ "gate-a": version }, { iat: fresh, exp: fresh + 60 });
    const bad = await label({ "gate-a": version }, { iat: fresh, exp: fresh + 60, key: mallory.key });
    const send = (headers: Record<string, string>, path = "/") =>
      app.fetch(new Request(`https://a.example${path}`, { headers }), { GATE_A: gate }, { waitUntil: () => {} });
    await send({ "postern-label": good });
    // There the tester counts as a user.
    await send({ "postern-label": good }, "/b/x");
    await send({
      "postern-label": bad,
      "cloudflare-workers-version-overrides": `gate-a="${version}"`,
      "x-postern-smoke": "1",
    });
    const headersSeen = seen.map((headers) => [
      headers.get("cloudflare-workers-version-overrides"),
      headers.get("x-postern-smoke"),
      headers.get("postern-label"),
    ]);
    expect(headersSeen).toEqual([
      [`gate-a="${version}"`, "1", null],
      [null, null, null],
      [null, null, null],
    ]);
  });
});

it("is signed with the private JWK that control stores", async () => {
  const jwk = await exportJWK(alice.key);
  expect(await importJWK(jwk, "EdDSA")).toBeDefined();
});
