import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from "jose";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { make, spec } from "../../../functions/filters/jwt.ts";
import { conversation, world } from "../conversation.ts";

const issuer = "https://identity.example";
const { privateKey, publicKey } = await generateKeyPair("EdDSA");
const other = await generateKeyPair("EdDSA");
const key = { ...(await exportJWK(publicKey)), kid: "k1", alg: "EdDSA" };
const config = (more = {}) =>
  spec().schema.parse({ issuer, audience: "wallet", algorithms: ["EdDSA"], keys: [key], ...more });

const now = Date.UTC(2026, 10, 1) / 1000;
const token = (claims = {}, { kid = "k1", signer = privateKey } = {}) =>
  new SignJWT({ iss: issuer, aud: "wallet", sub: "alice", exp: now + 60, ...claims })
    .setProtectedHeader({ alg: "EdDSA", kid })
    .sign(signer);

const gate = (more = {}, setting = {}) => conversation({ jwt: (deps) => make(config(more), deps) }, setting);
const bearer = (text: string) => ({ headers: { authorization: `Bearer ${text}` } });

it("lets in who brings a valid token, and knows the consumer", async () => {
  const { status, line } = await gate().send("GET /", bearer(await token()));
  expect({ status, consumer: line?.consumer }).toEqual({ status: 200, consumer: "alice" });
});

it("takes the consumer from the claim that the manifest names", async () => {
  const { send } = gate({ consumer: "client_id" });
  expect((await send("GET /", bearer(await token({ client_id: "shop" })))).line?.consumer).toBe("shop");
  expect(await send("GET /", bearer(await token()))).toMatchObject({ status: 401, code: "token-rejected" });
});

describe("refuses, and tells why, but not too much", async () => {
  const [header = "", , signature = ""] = (await token()).split(".");
  const cases: readonly (readonly [string, string | undefined, string])[] = [
    ["no token", undefined, "token-missing"],
    ["another scheme", "Basic YTpi", "token-missing"],
    ["no text behind the scheme", "Bearer ", "token-missing"],
    ["garbage", "Bearer x.y.z", "token-invalid"],
    ["a huge token", `Bearer ${"a".repeat(9000)}`, "token-invalid"],
    ["a valid one that is huge", `Bearer ${await token({ padding: "a".repeat(9000) })}`, "token-invalid"],
    ["an expired one", `Bearer ${await token({ exp: now - 60 })}`, "token-expired"],
    ["one for another audience", `Bearer ${await token({ aud: "pay" })}`, "token-rejected"],
    ["one of another issuer", `Bearer ${await token({ iss: "https://evil.example" })}`, "token-rejected"],
    ["one not yet valid", `Bearer ${await token({ nbf: now + 60 })}`, "token-rejected"],
    ["one that never expires", `Bearer ${await token({ exp: undefined })}`, "token-rejected"],
    ["one of another signer", `Bearer ${await token({}, { signer: other.privateKey })}`, "token-invalid"],
    ["one of an unknown key", `Bearer ${await token({}, { kid: "k2" })}`, "token-invalid"],
    ["changed claims", `Bearer ${header}.${btoa(JSON.stringify({ sub: "eve" }))}.${signature}`, "token-invalid"],
    ["alg none", `Bearer ${new UnsecuredJWT({ iss: issuer, aud: "wallet", sub: "alice" }).encode()}`, "token-invalid"],
  ];
  it.each(cases)("%s", async (_, authorization, code) => {
    const answer = await gate().send("GET /", authorization === undefined ? {} : { headers: { authorization } });
    expect(answer).toMatchObject({ status: 401, code, upstream: [] });
    expect(answer.headers["www-authenticate"]).toMatch(/^Bearer/);
    expect(answer.text).not.toContain("alice");
  });

  it("a token within the leeway is taken", async () => {
    expect((await gate().send("GET /", bearer(await token({ exp: now - 4 })))).status).toBe(200);
    expect((await gate({ leeway: "0s" }).send("GET /", bearer(await token({ exp: now - 4 })))).status).toBe(401);
  });
});

describe("keys by URL", () => {
  // jose keeps its own clock for the age of keys.
  beforeEach(() => void vi.useFakeTimers({ now: now * 1000, toFake: ["Date"] }));
  afterEach(() => void vi.useRealTimers());

  const remote = (replies: () => Response | Promise<Response>, more = {}) => {
    const asked: string[] = [];
    const surroundings = world({
      fetch: async (input) => {
        asked.push(String(input));
        return replies();
      },
    });
    return { asked, ...gate({ keys: undefined, ...more }, { world: surroundings }) };
  };

  it("are fetched once, from the issuer's well-known place", async () => {
    const { asked, send } = remote(() => Response.json({ keys: [key] }));
    expect((await send("GET /", bearer(await token()))).status).toBe(200);
    expect((await send("GET /", bearer(await token()))).status).toBe(200);
    expect(asked).toEqual(["https://identity.example/.well-known/jwks.json"]);
  });

  it("an unknown key makes no storm: one fetch in each cool-down", async () => {
    const { asked, send } = remote(() => Response.json({ keys: [key] }), { cooldown: "30s" });
    for (let tries = 0; tries < 20; tries++)
      expect((await send("GET /", bearer(await token({}, { kid: `k${tries + 2}` })))).status).toBe(401);
    expect(asked).toHaveLength(1);
    vi.setSystemTime(now * 1000 + 31_000);
    for (let tries = 0; tries < 20; tries++) await send("GET /", bearer(await token({}, { kid: "new" })));
    expect(asked).toHaveLength(2);
  });

  it("an issuer that is down makes none either, and is asked again after the cool-down", async () => {
    const time = world();
    let fetches = 0;
    let up = false;
    const surroundings = {
      ...time,
      fetch: async () => {
        fetches++;
        if (!up) throw new Error("down");
        return Response.json({ keys: [key] });
      },
    };
    const { send } = gate({ keys: undefined, cooldown: "20s" }, { world: surroundings });
    for (let tries = 0; tries < 20; tries++) expect((await send("GET /", bearer(await token()))).status).toBe(503);
    expect(fetches).toBe(1);
    up = true;
    await time.pass(20_000);
    expect((await send("GET /", bearer(await token()))).status).toBe(200);
  });

  it("a key that was added is found after the cool-down", async () => {
    const fresh = { ...(await exportJWK(other.publicKey)), kid: "k2", alg: "EdDSA" };
    let keys = [key];
    const { send } = remote(() => Response.json({ keys }));
    expect((await send("GET /", bearer(await token()))).status).toBe(200);
    keys = [key, fresh];
    vi.setSystemTime(now * 1000 + 31_000);
    expect((await send("GET /", bearer(await token({}, { kid: "k2", signer: other.privateKey })))).status).toBe(200);
  });

  it.each([
    ["an issuer that is down", () => Promise.reject(new Error("down"))],
    ["one that fails", () => new Response("oops", { status: 500 })],
    ["one that answers no JSON", () => new Response("<html>")],
    ["one that answers no key set", () => Response.json({ hello: 1 })],
  ])("%s fails closed with 503", async (_, replies) => {
    expect(await remote(replies).send("GET /", bearer(await token()))).toMatchObject({
      status: 503,
      code: "keys-unavailable",
      upstream: [],
      line: { verdict: "failed", by: "jwt" },
    });
  });
});

describe("the schema", () => {
  const base = { issuer, audience: "a", algorithms: ["RS256"] };
  it.each([
    ["symmetric algorithms", { ...base, algorithms: ["HS256"] }],
    ["none", { ...base, algorithms: ["none"] }],
    ["no algorithm", { ...base, algorithms: [] }],
    ["both sources of keys", { ...base, jwks: "https://x.example", keys: [key] }],
    ["a private key", { ...base, keys: [{ ...key, d: "secret" }] }],
    ["a symmetric key", { ...base, keys: [{ kty: "oct", k: "AAAA" }] }],
    ["an issuer that is no URL, without keys", { ...base, issuer: "acme" }],
  ])("refuses %s", (_, value) => {
    expect(spec().schema.safeParse(value).success).toBe(false);
  });
});
