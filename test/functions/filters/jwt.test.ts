/** The filter `jwt`: verification, keys of the issuer, revocation, token sources and attacks. */
import fc from "fast-check";
import {
  CompactSign,
  exportJWK,
  exportPKCS8,
  exportSPKI,
  generateKeyPair,
  importPKCS8,
  SignJWT,
  UnsecuredJWT,
} from "jose";
import { describe, expect, it, vi } from "vitest";
import * as headers from "../../../functions/filters/headers.ts";
import { make, spec } from "../../../functions/filters/jwt.ts";
import * as rewrite from "../../../functions/filters/rewrite.ts";
import { type RevocationEntry, revocationSet } from "../../../functions/gateway/core/ports/revocations.ts";
import { sha256 } from "../../../functions/gateway/http/hash.ts";
import { tokenCache } from "../../../functions/gateway/identity/token-cache.ts";
import { fakeDeps, filterInstance, gateHarness } from "../gate-harness.ts";

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

const gate = (more = {}, setting = {}) =>
  gateHarness({ jwt: (deps) => make(config(more), deps, filterInstance) }, setting);
const bearer = (text: string) => ({ headers: { authorization: `Bearer ${text}` } });

it("accepts a valid token and sets the consumer", async () => {
  const { status, line } = await gate().send("GET /", bearer(await token()));
  expect({ status, consumer: line?.consumer }).toEqual({ status: 200, consumer: "alice" });
});

it("takes the consumer from the configured claim", async () => {
  const { send } = gate({ consumer: "client_id" });
  expect((await send("GET /", bearer(await token({ client_id: "shop" })))).line?.consumer).toBe("shop");
  expect(await send("GET /", bearer(await token()))).toMatchObject({ status: 401, code: "token-rejected" });
});

describe("refuses with a code that reveals no details", async () => {
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

  it("accepts a token within the leeway", async () => {
    expect((await gate().send("GET /", bearer(await token({ exp: now - 4 })))).status).toBe(200);
    expect((await gate({ leeway: "0s" }).send("GET /", bearer(await token({ exp: now - 4 })))).status).toBe(401);
  });
});

const jwk = async (pair: { readonly publicKey: CryptoKey }, kid: string) => ({
  ...(await exportJWK(pair.publicKey)),
  kid,
  alg: "EdDSA",
});

describe("keys by URL", () => {
  type Replies = () => Response | Promise<Response>;

  /** Isolates of one location, and how often the issuer was called. */
  const isolates = (count: number, replies: Replies, more = {}) => {
    const fetches: string[] = [];
    const time = fakeDeps({
      fetch: async (input) => {
        fetches.push(String(input));
        return replies();
      },
    });
    const gates = Array.from({ length: count }, () => gate({ keys: undefined, ...more }, { fakeDeps: time }).send);
    return { fetches, gates, time, send: gates[0] as (typeof gates)[number] };
  };
  const remote = (replies: Replies, more = {}) => isolates(1, replies, more);
  const lasting = (more = {}) => token({ exp: now + 86_400, ...more });

  it("are fetched once, from the issuer's well-known URL", async () => {
    const { fetches, send } = remote(() => Response.json({ keys: [key] }));
    expect((await send("GET /", bearer(await token()))).status).toBe(200);
    expect((await send("GET /", bearer(await token()))).status).toBe(200);
    expect(fetches).toEqual(["https://identity.example/.well-known/jwks.json"]);
  });

  it("are fetched once for all isolates of a location, and again when they are stale", async () => {
    const { fetches, gates, time } = isolates(8, () => Response.json({ keys: [key] }), { cache: "10m" });
    const bring = async () => {
      for (const send of gates) expect((await send("GET /", bearer(await lasting()))).status).toBe(200);
    };
    await bring();
    expect(fetches).toHaveLength(1);
    await time.advance(599_000);
    await bring();
    expect(fetches).toHaveLength(1);
    await time.advance(1_000);
    await bring();
    expect(fetches).toHaveLength(2);
  });

  it("are fetched once for many concurrent requests", async () => {
    let open = () => {};
    const gateway = new Promise<void>((resolve) => {
      open = resolve;
    });
    const { fetches, send } = remote(async () => {
      await gateway;
      return Response.json({ keys: [key] });
    });
    const bearers = bearer(await token());
    const all = Array.from({ length: 30 }, () => send("GET /", bearers));
    // By then all of them wait, though only the first one's request is visible.
    await new Promise((turn) => setTimeout(turn, 20));
    open();
    expect((await Promise.all(all)).every(({ status }) => status === 200)).toBe(true);
    expect(fetches).toHaveLength(1);
  });

  it("a flood of unknown key ids causes one fetch per cool-down, from all isolates together", async () => {
    const { fetches, gates, time } = isolates(8, () => Response.json({ keys: [key] }), { cooldown: "30s" });
    const flood = async () => {
      for (let tries = 0; tries < 80; tries++) {
        const forged = bearer(await lasting({}).then(() => token({ exp: now + 86_400 }, { kid: `k${tries + 2}` })));
        expect((await gates[tries % 8]?.("GET /", forged))?.status).toBe(401);
      }
    };
    await flood();
    expect(fetches).toHaveLength(1);
    await time.advance(30_000);
    await flood();
    expect(fetches).toHaveLength(2);
  });

  it("an issuer that is down gets one fetch per cool-down, from all isolates together", async () => {
    let up = false;
    const { fetches, gates, time } = isolates(
      4,
      async () => {
        if (!up) throw new Error("down");
        return Response.json({ keys: [key] });
      },
      { cooldown: "20s" },
    );
    for (let tries = 0; tries < 20; tries++)
      expect((await gates[tries % 4]?.("GET /", bearer(await lasting())))?.status).toBe(503);
    expect(fetches).toHaveLength(1);
    up = true;
    await time.advance(20_000);
    expect((await gates[0]?.("GET /", bearer(await lasting())))?.status).toBe(200);
  });

  it("the last good copy is used while the issuer is down, up to `stale`", async () => {
    let up = true;
    const { gates, time } = isolates(
      2,
      () => (up ? Response.json({ keys: [key] }) : new Response("oops", { status: 500 })),
      { cache: "10m", stale: "1h" },
    );
    const first = gates[0] as (typeof gates)[number];
    expect((await first("GET /", bearer(await lasting()))).status).toBe(200);
    up = false;
    await time.advance(30 * 60_000);
    // Another isolate has never seen the issuer, but its location has.
    for (const send of gates) expect((await send("GET /", bearer(await lasting()))).status).toBe(200);
    const degraded = (time.lines as { type: string }[]).filter(({ type }) => type === "degraded");
    expect(degraded).toEqual([
      expect.objectContaining({ issuer: `${issuer}/.well-known/jwks.json`, keys: "last good copy" }),
    ]);
    await time.advance(41 * 60_000);
    for (const send of gates)
      expect(await send("GET /", bearer(await lasting()))).toMatchObject({ status: 503, code: "keys-unavailable" });
  });

  it("a malformed token causes no fetch, whether there are no keys, stale or fresh ones", async () => {
    const { fetches, send, time } = remote(() => Response.json({ keys: [key] }), { cache: "5m" });
    const garbage = [
      ...["garbage", "x.y.z", "e30.e30.AAAA", `${(await token()).split(".").slice(0, 2).join(".")}.`],
      // Signed like a token by an unknown key, but without claims.
      await new CompactSign(new TextEncoder().encode("no claims"))
        .setProtectedHeader({ alg: "EdDSA", kid: "k2" })
        .sign(privateKey),
    ];
    const bring = async () => {
      for (const text of garbage)
        expect(await send("GET /", bearer(text))).toMatchObject({ status: 401, code: "token-invalid" });
    };
    await bring();
    expect(fetches).toHaveLength(0);
    expect((await send("GET /", bearer(await lasting()))).status).toBe(200);
    await time.advance(60_000);
    await bring();
    await time.advance(5 * 60_000);
    await bring();
    expect(fetches).toHaveLength(1);
  });

  it("a slow issuer times out, and the copy is used", async () => {
    let slow = false;
    const { send, time } = remote(() => (slow ? new Promise<Response>(() => {}) : Response.json({ keys: [key] })), {
      cache: "1m",
    });
    expect((await send("GET /", bearer(await lasting()))).status).toBe(200);
    slow = true;
    await time.advance(60_000);
    const waiting = send("GET /", bearer(await lasting()));
    for (let turns = 0; turns < 10; turns++) await time.advance(600);
    expect((await waiting).status).toBe(200);
  });

  it("a fetch that was cancelled with its client blocks no other request", async () => {
    let lost = true;
    const fetch = vi.fn(async () => (lost ? new Promise<Response>(() => {}) : Response.json({ keys: [key] })));
    const time = fakeDeps({ fetch });
    // Neither promises nor timers of a cancelled request ever settle.
    const after: typeof time.after = (ms, work) => (lost ? () => {} : time.after(ms, work));
    const { send } = gate({ keys: undefined, cooldown: "1s" }, { fakeDeps: { ...time, after } });
    void send("GET /", bearer(await lasting()));
    await vi.waitFor(() => expect(fetch).toHaveBeenCalled());
    lost = false;
    await time.advance(5_000);
    expect((await send("GET /", bearer(await lasting()))).status).toBe(200);
  });

  it("rotate without refusing a valid token", async () => {
    const next = await jwk(other, "k2");
    let keys = [key];
    const { gates, time } = isolates(3, () => Response.json({ keys }), { cache: "5m", cooldown: "30s" });
    const old = bearer(await lasting());
    const fresh = bearer(await token({ exp: now + 86_400 }, { kid: "k2", signer: other.privateKey }));
    const statuses = async (init: RequestInit) =>
      Promise.all(gates.map(async (send) => (await send("GET /", init)).status));
    expect(await statuses(old)).toEqual([200, 200, 200]);
    keys = [key, next];
    await time.advance(31_000);
    expect(await statuses(fresh)).toEqual([200, 200, 200]);
    expect(await statuses(old)).toEqual([200, 200, 200]);
    keys = [next];
    await time.advance(5 * 60_000);
    expect(await statuses(fresh)).toEqual([200, 200, 200]);
    // Its signature was verified before, but its key has been removed.
    expect(await statuses(old)).toEqual([401, 401, 401]);
  });

  it("are fetched again when a set without ids changes, or a key is replaced under its id", async () => {
    for (const kid of [undefined, "k1"]) {
      const named = async (pair: { readonly publicKey: CryptoKey }) => ({ ...(await exportJWK(pair.publicKey)), kid });
      let keys = [await named({ publicKey })];
      const { fetches, send, time } = remote(() => Response.json({ keys }), { cooldown: "30s" });
      expect((await send("GET /", bearer(await lasting()))).status).toBe(200);
      keys = [await named(other)];
      const fresh = bearer(await token({ exp: now + 86_400 }, { signer: other.privateKey }));
      // The issuer was called a moment ago.
      expect((await send("GET /", fresh)).status).toBe(401);
      await time.advance(30_000);
      expect((await send("GET /", fresh)).status).toBe(200);
      expect(fetches).toHaveLength(2);
    }
  });

  it("a flood of forged tokens with a known id causes one fetch per cool-down", async () => {
    const { fetches, send, time } = remote(() => Response.json({ keys: [key] }), { cooldown: "30s" });
    for (let tries = 0; tries < 20; tries++) {
      const forged = bearer(await token({ jti: String(tries) }, { signer: other.privateKey }));
      expect((await send("GET /", forged)).status).toBe(401);
    }
    expect(fetches).toHaveLength(1);
    await time.advance(30_000);
    expect((await send("GET /", bearer(await token({ jti: "x" }, { signer: other.privateKey })))).status).toBe(401);
    expect(fetches).toHaveLength(2);
  });

  it("a set without usable keys does not replace a good copy", async () => {
    let keys: readonly object[] = [key];
    const { send, time } = remote(() => Response.json({ keys }), { cache: "5m" });
    expect((await send("GET /", bearer(await lasting()))).status).toBe(200);
    keys = [{ kty: "OKP", kid: "k1", x5c: ["MIIC"] }, { kty: "constructor" }, { ...key, x: null }];
    await time.advance(5 * 60_000);
    expect((await send("GET /", bearer(await lasting({ jti: "new" })))).status).toBe(200);
    expect(time.lines).toContainEqual(expect.objectContaining({ type: "degraded", keys: "last good copy" }));
  });

  it("one matching key id: one verification, whatever else is in the set", async () => {
    const set = [...Array.from({ length: 40 }, (_, index) => ({ ...key, kid: `old-${index}` })), key];
    const { send } = remote(() => Response.json({ keys: set }));
    const verify = vi.spyOn(crypto.subtle, "verify");
    const imported = vi.spyOn(crypto.subtle, "importKey");
    for (let tries = 0; tries < 3; tries++)
      expect((await send("GET /", bearer(await token({ jti: String(tries) })))).status).toBe(200);
    const ofTokens = imported.mock.calls.filter(([format]) => format === "jwk");
    expect([verify.mock.calls.length, ofTokens.length]).toEqual([3, 1]);
    verify.mockRestore();
    imported.mockRestore();
  });

  it("other keys in the set never affect a valid token, and never cause 500", async () => {
    const member = fc.oneof(
      fc.jsonValue({ maxDepth: 1 }),
      fc.base64String({ maxLength: 60 }),
      fc.constantFrom("AQAB", key.x),
    );
    const junk = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.record(
        {
          kty: fc.constantFrom("RSA", "EC", "OKP", "oct", "AKP", "__proto__", 7, null),
          crv: fc.constantFrom("P-256", "Ed25519", "Ed448", "X25519", "secp256k1", 7),
          kid: fc.constantFrom("k1", "k2", "", 1, null),
          use: fc.constantFrom("sig", "enc", "", null),
          alg: fc.constantFrom("EdDSA", "Ed25519", "RS256", "none", 1, null),
          key_ops: fc.constantFrom(["verify"], ["sign"], "verify", [1], null),
          ...{ n: member, e: member, x: member, y: member, d: member, k: member, ext: member },
        },
        { requiredKeys: [] },
      ),
    );
    const answered = async (keys: readonly unknown[]) =>
      (await remote(() => Response.json({ keys }), { algorithms: ["EdDSA", "RS256", "ES256"] }).send("GET /", mine))
        .status;
    const mine = bearer(await token());
    await fc.assert(
      fc.asyncProperty(fc.array(junk, { maxLength: 6 }), async (keys) => {
        expect(await answered([...keys, key])).toBe(200);
        // The valid key may be among them.
        expect([200, 401, 503]).toContain(await answered(keys));
      }),
      { numRuns: Number(process.env.POSTERN_RUNS ?? 60), seed: 19 },
    );
  }, 30_000);

  it("among many keys without ids, a forged token costs at most sixteen verifications", async () => {
    const set = Array.from({ length: 60 }, () => ({ kty: key.kty, crv: key.crv, x: key.x }));
    const { send } = remote(() => Response.json({ keys: set }));
    const verify = vi.spyOn(crypto.subtle, "verify");
    const forged = bearer(await token({}, { signer: other.privateKey }));
    expect(await send("GET /", forged)).toMatchObject({ status: 401, code: "token-invalid" });
    expect(verify).toHaveBeenCalledTimes(16);
    verify.mockRestore();
  });

  it("an unserializable key does not affect the set", async () => {
    const odd = [
      { kty: { toString: 1 }, n: "AQ", e: "AQ" },
      { kty: ["OKP"], crv: "Ed25519", x: "AA" },
    ];
    const { send } = remote(() => Response.json({ keys: [...odd, key] }));
    expect(await send("GET /", bearer(await token()))).toMatchObject({ status: 200 });
  });

  it.each([
    ["an issuer that is down", () => Promise.reject(new Error("down"))],
    ["one that fails", () => new Response("oops", { status: 500 })],
    [
      "one that sends elsewhere",
      () => new Response(null, { status: 302, headers: { location: "https://evil.example" } }),
    ],
    ["one that answers no JSON", () => new Response("<html>")],
    ["one that answers no key set", () => Response.json({ hello: 1 })],
    ["one that answers null", () => Response.json(null)],
    ["one whose keys are null", () => Response.json({ keys: [null] })],
    ["one without keys for signatures", () => Response.json({ keys: [{ ...key, use: "enc" }] })],
    ["one that publishes a private key", () => Response.json({ keys: [{ ...key, d: "AAAA" }] })],
    ["one that answers without end", () => Response.json({ keys: [key], padding: "x".repeat(300_000) })],
  ])("%s fails closed with 503", async (_, replies) => {
    expect(await remote(replies).send("GET /", bearer(await token()))).toMatchObject({
      status: 503,
      code: "keys-unavailable",
      upstream: [],
      line: { verdict: "failed", by: "jwt" },
    });
  });
});

describe("a token whose signature has been verified", () => {
  it("is not verified again, but its times are checked on each use", async () => {
    const time = fakeDeps();
    const { send } = gate({ "max-age": "1h" }, { fakeDeps: time });
    const mine = bearer(await token({ exp: now + 100, iat: now }));
    const verify = vi.spyOn(crypto.subtle, "verify");
    for (let tries = 0; tries < 5; tries++) expect((await send("GET /", mine)).status).toBe(200);
    expect(verify).toHaveBeenCalledTimes(1);
    verify.mockRestore();
    await time.advance(104_000);
    expect((await send("GET /", mine)).status).toBe(200);
    await time.advance(1_000);
    expect(await send("GET /", mine)).toMatchObject({ status: 401, code: "token-expired" });
  });

  it("is refused beyond its maximum age", async () => {
    const time = fakeDeps();
    const { send } = gate({ "max-age": "1m" }, { fakeDeps: time });
    const mine = bearer(await token({ exp: now + 9999, iat: now }));
    expect((await send("GET /", mine)).status).toBe(200);
    await time.advance(66_000);
    expect((await send("GET /", mine)).code).toBe("token-expired");
    expect((await send("GET /", bearer(await token({ exp: now + 9999, iat: now })))).code).toBe("token-expired");
  });

  it("is cached within a bound", () => {
    const cache = tokenCache<number>(3);
    for (const [index, hash] of ["a", "b", "c", "d"].entries()) cache.put(hash, index);
    expect(["a", "b", "c", "d"].map((hash) => cache.get(hash))).toEqual([undefined, 1, 2, 3]);
    cache.useKeys("other keys");
    expect(cache.get("d")).toBeUndefined();
  });

  it("is cached within eight million characters in total", () => {
    const cache = tokenCache<number>();
    const long = (name: string) => name + "x".repeat(60 * 1024);
    for (let index = 0; index < 200; index++) cache.put(long(String(index)), index);
    expect([cache.get(long("0")), cache.get(long("199"))]).toEqual([undefined, 199]);
    const remembered = Array.from({ length: 200 }, (_, index) => cache.get(long(String(index)))).filter(
      (it) => it !== undefined,
    );
    expect(remembered.length * 60 * 1024).toBeLessThanOrEqual(8 * 2 ** 20);
    cache.put(long("199"), 7);
    expect(cache.get(long("199"))).toBe(7);
  });

  it("does not vouch for a token that differs by one character", async () => {
    const { send } = gate();
    const mine = await token();
    expect((await send("GET /", bearer(mine))).status).toBe(200);
    for (const at of [mine.length - 9, mine.indexOf(".") + 3, 3])
      expect(
        (await send("GET /", bearer(`${mine.slice(0, at)}${mine[at] === "A" ? "B" : "A"}${mine.slice(at + 1)}`)))
          .status,
      ).toBe(401);
  });
});

describe("revocation", () => {
  const revoked = new Map<string, string>();
  const env = (get: (key: string) => Promise<string | null>) => ({ env: { REVOCATIONS: { get } } });
  const lookup = env(async (key) => revoked.get(key) ?? null);

  it("refuses a token that was accepted and cached before", async () => {
    const { send } = gate({ revocation: {} }, { fakeDeps: fakeDeps(lookup) });
    const mine = bearer(await token({ jti: "t-1" }));
    expect((await send("GET /", mine)).status).toBe(200);
    revoked.set(await sha256(`${issuer}\nt-1`), "1");
    expect(await send("GET /", mine)).toMatchObject({ status: 401, code: "token-revoked", upstream: [] });
    expect((await send("GET /", bearer(await token({ jti: "t-2" })))).status).toBe(200);
  });

  it("refuses a token without jti, and answers 503 if KV is down", async () => {
    const { send } = gate({ revocation: {} }, { fakeDeps: fakeDeps(lookup) });
    expect((await send("GET /", bearer(await token()))).code).toBe("token-rejected");
    const down = gate({ revocation: {} }, { fakeDeps: fakeDeps(env(() => Promise.reject(new Error("KV is down")))) });
    expect(await down.send("GET /", bearer(await token({ jti: "t-2" })))).toMatchObject({
      status: 503,
      code: "revocations-unavailable",
      upstream: [],
    });
  });
});

describe("a revocation by the feed", () => {
  const revocationHarness = (more = {}) => {
    const feed = { revoked: revocationSet([]) };
    const it = fakeDeps({ revoked: () => feed.revoked });
    return {
      ...gate(more, { fakeDeps: it }),
      fakeDeps: it,
      revoke: (...all: readonly RevocationEntry[]) => {
        feed.revoked = revocationSet(all);
      },
    };
  };
  const until = (now + 3600) * 1000;
  const jti = async (name: string, of = issuer): Promise<RevocationEntry> => ({
    kind: "token",
    hash: await sha256(`${of}\n${name}`),
    until,
  });
  const alice = async (before: number, of = issuer): Promise<RevocationEntry> => ({
    kind: "consumer",
    hash: await sha256(`${of}\nalice`),
    before,
    until,
  });

  it("refuses the token from the next request on, also if it is cached, and no other", async () => {
    const { send, revoke } = revocationHarness();
    const mine = bearer(await token({ jti: "t-1" }));
    const others = bearer(await token({ jti: "t-2" }));
    expect([(await send("GET /", mine)).status, (await send("GET /", mine)).status]).toEqual([200, 200]);
    revoke(await jti("t-1"));
    for (let count = 0; count < 2; count++)
      expect(await send("GET /", mine)).toMatchObject({ status: 401, code: "token-revoked", upstream: [] });
    expect((await send("GET /", others)).status).toBe(200);
    revoke();
    expect((await send("GET /", mine)).status).toBe(200);
  });

  it("refuses a token that is seen for the first time", async () => {
    const { send, revoke } = revocationHarness();
    revoke(await jti("t-1"));
    expect((await send("GET /", bearer(await token({ jti: "t-1" })))).code).toBe("token-revoked");
  });

  it("refuses a consumer's tokens issued until a moment, and those without iat", async () => {
    const { send, revoke } = revocationHarness();
    const issued = async (iat?: number) => (await send("GET /", bearer(await token(iat ? { iat } : {})))).status;
    expect([await issued(now - 10), await issued()]).toEqual([200, 200]);
    revoke(await alice(now - 5));
    expect([await issued(now - 10), await issued(now - 5), await issued()]).toEqual([401, 401, 401]);
    expect(await issued(now - 4)).toBe(200);
    expect((await send("GET /", bearer(await token({ sub: "bob" })))).status).toBe(200);
  });

  it("expires, and does not affect tokens of another issuer", async () => {
    const { send, revoke, fakeDeps } = revocationHarness();
    const mine = bearer(await token({ jti: "t-1", exp: now + 9000 }));
    revoke(await jti("t-1", "https://other.example"), await alice(now, "https://other.example"));
    expect((await send("GET /", mine)).status).toBe(200);
    revoke(await jti("t-1"));
    expect((await send("GET /", mine)).status).toBe(401);
    await fakeDeps.advance(3600 * 1000);
    expect((await send("GET /", mine)).status).toBe(200);
  });

  it("uses the configured consumer claim", async () => {
    const { send, revoke } = revocationHarness({ consumer: "client_id" });
    revoke(await alice(now));
    expect((await send("GET /", bearer(await token({ client_id: "alice" })))).code).toBe("token-revoked");
    expect((await send("GET /", bearer(await token({ client_id: "shop" })))).status).toBe(200);
  });
});

describe("claims and scopes", () => {
  const required = { claims: { plan: ["gold", "silver"], level: 2, active: true } };
  it.each([
    ["all that is wanted", { plan: "gold", level: 2, active: true }, 200],
    ["a list with one that fits", { plan: ["basic", "silver"], level: 2, active: true }, 200],
    ["another value", { plan: "basic", level: 2, active: true }, 401],
    ["a value of another type", { plan: "gold", level: "2", active: true }, 401],
    ["none", {}, 401],
  ])("%s", async (_, claims, status) => {
    expect((await gate(required).send("GET /", bearer(await token(claims)))).status).toBe(status);
  });

  it.each([
    ["all scopes as a text", { scope: "read write" }, 200],
    ["all scopes as a list", { scp: ["write", "read"] }, 200],
    ["one of two", { scope: "read" }, 403],
    ["one that only begins like it", { scope: "read writer" }, 403],
    ["none", {}, 403],
  ])("%s", async (_, claims, status) => {
    const received = await gate({ scopes: ["read", "write"] }).send("GET /", bearer(await token(claims)));
    expect(received.status).toBe(status);
    if (status === 403)
      expect(received).toMatchObject({
        code: "scope-missing",
        headers: { "www-authenticate": 'Bearer error="insufficient_scope", scope="read write"' },
      });
  });

  it("accepts a token with one of several audiences", async () => {
    const { send } = gate({ audience: ["wallet", "pay"] });
    expect((await send("GET /", bearer(await token({ aud: "pay" })))).status).toBe(200);
    expect((await send("GET /", bearer(await token({ aud: ["x", "wallet"] })))).status).toBe(200);
    expect((await send("GET /", bearer(await token({ aud: "shop" })))).code).toBe("token-rejected");
  });
});

describe("attacks", async () => {
  const rsa = await generateKeyPair("RS256", { extractable: true });
  const rsaKey = { ...(await exportJWK(rsa.publicKey)), kid: "r1", alg: "RS256" };
  const claims = { iss: issuer, aud: "wallet", sub: "eve", exp: now + 60 };
  const base64 = (value: unknown) =>
    btoa(JSON.stringify(value)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const evil = { ...(await exportJWK(other.publicKey)), kid: "k1", alg: "EdDSA" };
  const signedBy = (header: object) =>
    new SignJWT(claims).setProtectedHeader({ alg: "EdDSA", kid: "k1", ...header } as never).sign(other.privateKey);

  const tokens: Readonly<Record<string, () => Promise<string> | string>> = {
    "alg none, unsigned": () => `${base64({ alg: "none" })}.${base64(claims)}.`,
    "alg none with the key's id": () => `${base64({ alg: "none", kid: "k1" })}.${base64(claims)}.AAAA`,
    "alg nOnE": () => `${base64({ alg: "nOnE" })}.${base64(claims)}.`,
    "HS256 with the public key for a secret": async () =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: "HS256", kid: "r1" })
        .sign(new TextEncoder().encode(await exportSPKI(rsa.publicKey))),
    "HS256 with the public key's JWK for a secret": () =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: "HS256", kid: "r1" })
        .sign(new TextEncoder().encode(JSON.stringify(rsaKey))),
    "another algorithm of the right key": async () =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: "PS256", kid: "r1" })
        .sign(await importPKCS8(await exportPKCS8(rsa.privateKey), "PS256")),
    "its own key in jwk": () => signedBy({ jwk: evil }),
    "its own keys behind jku": () => signedBy({ jku: "https://evil.example/jwks.json" }),
    "a certificate behind x5u": () => signedBy({ x5u: "https://evil.example/x.pem" }),
    "a certificate in x5c": () => signedBy({ x5c: ["AAAA"] }),
    "a critical extension": async () => {
      const [header = "", payload, signature] = (await token()).split(".");
      return `${base64({ ...JSON.parse(atob(header)), crit: ["exp"] })}.${payload}.${signature}`;
    },
    "another type": async () =>
      new SignJWT(claims).setProtectedHeader({ alg: "EdDSA", kid: "k1", typ: "dpop+jwt" }).sign(privateKey),
    "a key id that is a path": () =>
      new SignJWT(claims).setProtectedHeader({ alg: "EdDSA", kid: "../../k1" }).sign(other.privateKey),
    "five parts": async () => `${await token()}.AA.BB`,
    "a header that is no object": () => `${base64([1])}.${base64(claims)}.AAAA`,
    "claims that are no object": () => `${base64({ alg: "EdDSA", kid: "k1" })}.${base64([1])}.AAAA`,
    "a signature of no length": async () => (await token()).replace(/[^.]*$/, ""),
  };
  it.each(Object.entries(tokens))("%s is refused, and nothing is fetched", async (_, make) => {
    const fetched: string[] = [];
    const deps = fakeDeps({
      fetch: async (input) => {
        fetched.push(String(input));
        return Response.json({ keys: [evil] });
      },
    });
    const { send } = gate({ keys: [key, rsaKey], algorithms: ["EdDSA", "RS256"] }, { fakeDeps: deps });
    expect(await send("GET /", bearer(await make()))).toMatchObject({
      status: 401,
      code: "token-invalid",
      upstream: [],
    });
    expect(fetched).toEqual([]);
  });

  it("refuses two different tokens in one request", async () => {
    const mine = await token();
    expect(
      (
        await gate().send("GET /", {
          headers: [
            ["authorization", `Bearer ${mine}`],
            ["authorization", `Bearer ${mine}`],
          ],
        })
      ).status,
    ).toBe(401);
  });

  it("refuses any field value quickly", async () => {
    const { send } = gate();
    const json = fc.json({ maxDepth: 2 }).map((text) => btoa(unescape(encodeURIComponent(text))).replaceAll("=", ""));
    const part = fc.oneof(
      json,
      fc.base64String({ maxLength: 40 }),
      fc.constantFrom("", ".", "e30", base64({ alg: "EdDSA", kid: "k1" })),
    );
    const field = fc.oneof(
      fc.array(part, { maxLength: 6 }).map((parts) => `Bearer ${parts.join(".")}`),
      fc.string({ unit: fc.constantFrom(..."Bearer .=-_%\"',;".split("")), maxLength: 60 }),
    );
    await fc.assert(
      fc.asyncProperty(field, async (authorization) => {
        const received = await send("GET /", { headers: { authorization } });
        expect([received.status, received.upstream.length]).toEqual([401, 0]);
      }),
      { numRuns: Number(process.env.POSTERN_RUNS ?? 300), seed: 9 },
    );
  });
});

describe("token sources", () => {
  const service = async (from: unknown, line: string, headers: Record<string, string>, setting = {}) => {
    const { status, code, upstream } = await gate({ from }, setting).send(line, { headers });
    return {
      status,
      code,
      url: upstream[0]?.url.replace("https://service.example", ""),
      headers: upstream[0]?.headers,
    };
  };

  it("forwards other cookies unchanged", async () => {
    const mine = await token();
    const cookie = `a=1;t=${mine};  b="x;y"; t2=t`;
    const seen = await service("cookie.t", "GET /", { cookie });
    expect([seen.status, seen.headers?.cookie]).toEqual([200, 'a=1;  b="x;y"; t2=t']);
  });

  it("a shadowed filter does not remove the token", async () => {
    const mine = await token();
    const seen = await service("query.t", `GET /?t=${mine}`, {}, { filters: { jwt: { mode: "shadow" } } });
    expect([seen.status, seen.url]).toEqual([200, `/?t=${mine}`]);
  });

  it("two filters remove a cookie each, and a later filter has the last word", async () => {
    const mine = await token();
    const { send } = gateHarness({
      first: (deps) => make(config({ from: "cookie.t" }), deps, filterInstance),
      second: (deps) => make(config({ from: "cookie.u" }), deps, filterInstance),
    });
    const received = await send("GET /", { headers: { cookie: `t=${mine}; a=b; u=${mine}` } });
    expect([received.status, received.upstream[0]?.headers.cookie]).toEqual([200, "a=b"]);
  });

  it("neither the route's path nor a filter that edits the query restores the token", async () => {
    const mine = await token();
    const { send } = gateHarness(
      {
        jwt: (deps) => make(config({ from: "query.t" }), deps, filterInstance),
        rewrite: () => rewrite.make(rewrite.spec().schema.parse({ query: { set: { a: "2" } } })),
      },
      { routes: { all: { match: "ANY /{rest*}", filters: ["jwt", "rewrite"], target: "/other" } } },
    );
    const received = await send(`GET /x?a=1&t=${mine}&b=3`);
    expect(received.upstream[0]?.url).toBe("https://service.example/other?b=3&a=2");
  });

  it("a redirect keeps the query without the token", async () => {
    const mine = await token();
    const { send } = gateHarness(
      { jwt: (deps) => make(config({ from: "query.t" }), deps, filterInstance) },
      {
        routes: {
          all: {
            match: "ANY /{rest*}",
            filters: ["jwt"],
            goes: { redirect: { to: "/b", status: 307, query: "keep" } },
          },
        },
      },
    );
    expect((await send(`GET /x?a=1&t=${mine}`)).headers.location).toBe("/b?a=1");
  });

  it("other filters see the query without the token", async () => {
    const mine = await token();
    const { send } = gateHarness({
      jwt: (deps) => make(config({ from: "query.t" }), deps, filterInstance),
      headers: (deps) => headers.make(headers.spec().schema.parse({ request: { set: { "x-t": "{query.t}" } } }), deps),
    });
    const received = await send(`GET /?t=${mine}&a=1`);
    expect([received.status, received.upstream[0]?.headers["x-t"]]).toEqual([200, undefined]);
  });

  it.each([
    ["an empty cookie", "cookie.t", "GET /", { cookie: "t=; a=b" }, "token-missing"],
    ["no cookie of the name", "cookie.t", "GET /", { cookie: "tt=x; xt=y" }, "token-missing"],
    ["an empty parameter", "query.t", "GET /?t=&a=b", {}, "token-missing"],
    [
      "subprotocols without one",
      "subprotocol.bearer",
      "GET /",
      { "sec-websocket-protocol": "bearer" },
      "token-missing",
    ],
    [
      "names that are no token",
      "subprotocol",
      "GET /",
      { "sec-websocket-protocol": "v1.chat.example" },
      "token-missing",
    ],
    ["a text that is none", "cookie.t", "GET /", { cookie: "t=x.y.z" }, "token-invalid"],
    ["an encoding of nothing", "subprotocol.b", "GET /", { "sec-websocket-protocol": "b.%%%" }, "token-invalid"],
  ])("%s is refused", async (_, from, line, headers, code) => {
    expect(await service(from, line, headers)).toMatchObject({ status: 401, code, url: undefined });
  });

  it("accepts equal tokens in one source", async () => {
    const mine = await token();
    const seen = await service("query.t", `GET /?t=${mine}&t=${mine}&a`, {});
    expect([seen.status, seen.url]).toEqual([200, "/?a"]);
  });
});

it.each([
  ["header.authorization", { type: "http", scheme: "bearer", bearerFormat: "JWT" }],
  ["cookie.session", { type: "apiKey", in: "cookie", name: "session" }],
  [["query.t", "cookie.session"], { type: "apiKey", in: "query", name: "t" }],
  ["header.x-token", { type: "apiKey", in: "header", name: "x-token" }],
  ["subprotocol.bearer", { type: "apiKey", in: "header", name: "sec-websocket-protocol" }],
])("describes %j as a security scheme", (from, security) => {
  expect(spec().exposes?.(config({ from }))).toMatchObject({ security });
});

describe("keys in a manifest", () => {
  const faulty = (more: object) =>
    spec().schema.safeParse({ issuer, audience: "a", algorithms: ["RS256"], keys: [{ ...key, ...more }] }).error
      ?.issues;
  it.each([
    ["a curve that nobody verifies with", { crv: "Ed448" }, /verifies no token/],
    ["a curve of another type", { kty: "EC", crv: "Ed25519", y: "AAAA" }, /verifies no token/],
    ["a coordinate that is short", { x: "AAAA" }, /32 bytes each/],
    ["a key for encryption", { use: "enc" }, /verifies no token/],
    ["a short RSA key", { kty: "RSA", n: "AAAA", e: "AQAB" }, /2048 bits/],
  ])("reports %s at its key", (_, more, message) => {
    expect(faulty(more)).toMatchObject([{ path: ["keys", 0], message: expect.stringMatching(message) }]);
  });
  it("accepts keys of real issuers", () => {
    expect(faulty({})).toBeUndefined();
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
    ["an algorithm of COSE", { ...base, algorithms: ["ESP256"] }],
    ["a place that is none", { ...base, from: "body.token" }],
    ["a header that the front removes", { ...base, from: "header.x-forwarded-access-token" }],
    ["more than four places", { ...base, from: ["a", "b", "c", "d", "e"].map((it) => `cookie.${it}`) }],
    ["tokens that pass no server", { ...base, "max-size": "65KiB" }],
    ["a size without its unit", { ...base, "max-size": "8192" }],
    ["a claim with no name", { ...base, claims: { "a..b": 1 } }],
    ["a consumer with no name", { ...base, consumer: "user." }],
  ])("refuses %s", (_, value) => {
    expect(spec().schema.safeParse(value).success).toBe(false);
  });
});
