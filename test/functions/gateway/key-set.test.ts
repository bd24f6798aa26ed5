/**
 * Key sets that isolates of a gate share through the location's cache, where every Worker of the account can write.
 */
import { exportJWK, generateKeyPair } from "jose";
import { describe, expect, it } from "vitest";
import type { Deps } from "../../../functions/gateway/core/types.ts";
import { type KeySet, remoteKeySet } from "../../../functions/gateway/identity/jwks.ts";
import { cacheKey, type FakeDeps, fakeDeps, locationCache } from "../gate-harness.ts";

const jwk = async () => ({ ...(await exportJWK((await generateKeyPair("EdDSA")).publicKey)), kid: "k1" });
const [issuers, forged] = [await jwk(), await jwk()];

/** A fake cache of a location, with its entries exposed. */
const spyCache = () => {
  const inner = locationCache();
  const entries = new Map<string, string>();
  const cache: Deps["cache"] = {
    match: (key) => inner.match(key),
    put: async (key, response) => {
      const text = await response.text();
      entries.set(String(key), text);
      await inner.put(key, new Response(text, response));
    },
  };
  const rewrite = async (change: (text: string) => string) => {
    for (const [key, text] of entries) await cache.put(key, new Response(change(text)));
  };
  return { cache, entries, rewrite };
};

const issuer = "https://identity.example";
const url = `${issuer}/jwks.json`;
const minute = 60_000;

interface Isolate {
  readonly keys: KeySet;
  readonly fetches: string[];
  readonly time: FakeDeps;
}

const isolate = (cache: Deps["cache"], { of = {}, env = cacheKey(), late = 0 } = {}): Isolate => {
  const fetches: string[] = [];
  const time = fakeDeps({
    env,
    cache,
    fetch: async (input) => {
      fetches.push(String(input));
      return Response.json({ keys: [issuers] });
    },
  });
  const deps = { ...time, now: () => time.now() + late };
  const options = {
    tier: "wallet",
    issuer,
    url,
    freshMs: 10 * minute,
    staleMs: 60 * minute,
    cooldownMs: 30_000,
    ...of,
  };
  return { keys: remoteKeySet(options, deps), fetches, time };
};

const isForged = async ({ keys }: Isolate): Promise<boolean> => (await keys.current()).text.includes(String(forged.x));

/** An unauthenticated entry, as earlier versions wrote it. */
const older = (times: object = {}) =>
  JSON.stringify({ triedAt: Date.UTC(2026, 10, 1), fetchedAt: Date.UTC(2026, 10, 1), keys: [forged], ...times });

it("are shared by isolates of one gate", async () => {
  const { cache } = spyCache();
  const [first, second] = [isolate(cache), isolate(cache)];
  await first.keys.current();
  expect([(await second.keys.current()).text, second.fetches]).toEqual([JSON.stringify([issuers]), []]);
});

describe("an entry of another Worker is a miss", () => {
  it("under the name that a manifest reveals", async () => {
    const { cache } = spyCache();
    for (const name of [`https://keys.postern.invalid/${encodeURIComponent(url)}`, url])
      await cache.put(name, new Response(older()));
    const gate = isolate(cache);
    expect([await isForged(gate), gate.fetches]).toEqual([false, [url]]);
  });

  it.each<readonly [string, (text: string) => string]>([
    ["keys of its own beneath the gate's MAC", (text) => text.replace(String(issuers.x), String(forged.x))],
    ["later times beneath the gate's MAC", (text) => text.replace(/"fetchedAt":\d+/, '"fetchedAt":9999999999999')],
    ["an entry of the format before", () => older()],
    ["an entry without a MAC", (text) => `\n${text.slice(65)}`],
    ["a MAC of zeros", (text) => `${"0".repeat(64)}${text.slice(64)}`],
    ["half an entry", (text) => text.slice(0, text.length / 2)],
    ["nothing", () => ""],
    ["no JSON", () => "\0\ud800"],
    ["a megabyte", (text) => text + " ".repeat(1 << 20)],
  ])("%s", async (_, change) => {
    const { cache, rewrite } = spyCache();
    await isolate(cache).keys.current();
    await rewrite(change);
    const gate = isolate(cache);
    expect([await isForged(gate), gate.fetches]).toEqual([false, [url]]);
  });

  it.each<readonly [string, Parameters<typeof isolate>[1]]>([
    ["another tier", { of: { tier: "shop" } }],
    ["another issuer with the same key set", { of: { issuer: "https://evil.example" } }],
    ["another URL", { of: { url: `${issuer}/other.json` } }],
    ["another gate's secret", { env: cacheKey("b") }],
    ["no secret", { env: {} }],
    ["a secret too short to be one", { env: { POSTERN_CACHE_KEY: "a" } }],
  ])("the entry of %s, also under the reader's own name", async (_, writer) => {
    const [own, foreign] = [spyCache(), spyCache()];
    await isolate(own.cache).keys.current();
    const [name = ""] = own.entries.keys();
    await isolate(foreign.cache, writer).keys.current();
    for (const [key, text] of foreign.entries) {
      expect(key).not.toBe(name);
      await own.cache.put(name, new Response(text));
    }
    if (foreign.entries.size === 0) await own.cache.put(name, new Response(older()));
    const gate = isolate(own.cache);
    expect([(await gate.keys.current()).text, gate.fetches]).toEqual([JSON.stringify([issuers]), [url]]);
  });

  it("an entry from the future, which would live too long", async () => {
    const { cache } = spyCache();
    await isolate(cache, { late: 60 * minute }).keys.current();
    const gate = isolate(cache);
    await gate.keys.current();
    expect(gate.fetches).toEqual([url]);
  });

  it("tolerates a clock skew of a second, without extending an entry's life", async () => {
    const { cache } = spyCache();
    await isolate(cache, { late: 1000 }).keys.current();
    const gate = isolate(cache);
    await gate.keys.current();
    expect(gate.fetches).toEqual([]);
    await gate.time.advance(10 * minute);
    await gate.keys.current();
    expect(gate.fetches).toEqual([url]);
  });
});

it("names reveal nothing and are unique per gate", async () => {
  const { cache, entries } = spyCache();
  const more = [{}, { env: cacheKey("b") }, { of: { tier: "shop" } }, { of: { issuer: "https://other.example" } }];
  for (const it of more) await isolate(cache, it).keys.current();
  expect(entries.size).toBe(more.length);
  for (const name of entries.keys()) expect(name).toMatch(/^https:\/\/cache\.postern\.invalid\/[0-9a-f]{64}$/);
});

it("without a secret a gate does not use the cache", async () => {
  let touched = 0;
  const cache: Deps["cache"] = {
    match: async () => void touched++,
    put: async () => void touched++,
  };
  const gate = isolate(cache, { env: {} });
  await gate.keys.current();
  await gate.keys.current();
  expect([touched, gate.fetches]).toEqual([0, [url]]);
});

it("invalid entries cost an isolate one fetch per cool-down", async () => {
  const { cache, rewrite } = spyCache();
  const gate = isolate(cache, { of: { freshMs: 1 } });
  for (let tries = 0; tries < 60; tries++) {
    await rewrite(() => "spoiled");
    const keys = await gate.keys.current();
    await gate.keys.newerThan(keys);
    await gate.time.advance(1000);
  }
  expect(gate.fetches.length).toBeLessThanOrEqual(3);
});

it("a starting isolate does not overwrite a good copy", async () => {
  const { cache, entries } = spyCache();
  const old = isolate(cache, { of: { freshMs: 10_000 } });
  await old.keys.current();
  await old.time.advance(40_000);
  // The cache has lost the entry, and the issuer is down, so a new isolate fails.
  const fresh = spyCache();
  const beginner = isolate(fresh.cache, { late: 40_000 });
  const failing = remoteKeySet(
    { tier: "wallet", issuer, url, freshMs: 10_000, staleMs: 60 * minute, cooldownMs: 30_000 },
    {
      ...beginner.time,
      now: () => beginner.time.now() + 40_000,
      cache,
      fetch: () => Promise.reject(new Error("down")),
    },
  );
  for (const key of entries.keys()) await cache.put(key, new Response(""));
  await expect(failing.current()).rejects.toThrow();
  expect((await old.keys.current()).text).toBe(JSON.stringify([issuers]));
});
