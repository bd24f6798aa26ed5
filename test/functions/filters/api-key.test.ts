/** The filter `api-key`: API keys in KV, and signed entries. */
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { make, spec } from "../../../functions/filters/api-key.ts";
import type { ConsumerFact } from "../../../functions/gateway/core/facts.ts";
import { signedText } from "../../../functions/gateway/identity/consumer-entries.ts";
import { fakeDeps, gateHarness } from "../gate-harness.ts";

const namespace = (env as unknown as { CONSUMERS: KVNamespace }).CONSUMERS;
// printf %s coffee | sha256sum, and so on: written out, so that the wire format is pinned.
const coffee = "key/37290d74ac4d186e3a8e5785d259d2ec04fac91ae28092e7620ec8bc99e830aa";
const config = spec().schema.parse({});
const gate = (setting = {}) => gateHarness({ "api-key": (deps) => make(config, deps) }, setting);
const withKey = (key: string) => ({ headers: { "x-api-key": key } });

beforeAll(async () => {
  await namespace.put(coffee, JSON.stringify({ id: "coffee-shop", labels: { plan: "gold" } }));
});

it("accepts an API key whose hash is stored", async () => {
  const { status, line } = await gate().send("GET /", withKey("coffee"));
  expect({ status, consumer: line?.consumer }).toEqual({ status: 200, consumer: "coffee-shop" });
});

it.each([
  ["no key", {}, "key-missing"],
  ["an empty one", withKey(""), "key-missing"],
  ["an unknown one", withKey("tea"), "key-unknown"],
  ["the hash itself", withKey(coffee), "key-unknown"],
  ["a huge one", withKey("k".repeat(10_000)), "key-unknown"],
])("refuses %s", async (_, init, code) => {
  expect(await gate().send("GET /", init)).toMatchObject({ status: 401, code, upstream: [] });
});

it.each([
  ["a namespace that fails", () => Promise.reject(new Error("KV is down"))],
  ["an entry that is no consumer", () => Promise.resolve({ labels: {} })],
  ["an entry of another type", () => Promise.resolve("coffee-shop")],
])("%s fails closed with 503", async (_, get) => {
  const { send } = gate({ fakeDeps: fakeDeps({ env: { CONSUMERS: { get } } }) });
  expect(await send("GET /", withKey("coffee"))).toMatchObject({
    status: 503,
    code: "consumers-unavailable",
    upstream: [],
  });
});

describe("with a consumers key in the environment, entries must be signed", async () => {
  const pair = async () => (await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"])) as CryptoKeyPair;
  const [own, rogue] = [await pair(), await pair()];
  const { x } = (await crypto.subtle.exportKey("jwk", own.publicKey)) as JsonWebKey;
  const encoded = (bytes: ArrayBuffer) =>
    btoa(String.fromCharCode(...new Uint8Array(bytes)))
      .replaceAll("+", "-")
      .replaceAll("/", "_")
      .replaceAll("=", "");
  const entry = async (consumer: ConsumerFact, { name = coffee, by = own, environment = "test" } = {}) => {
    const text = new TextEncoder().encode(signedText(environment, name, consumer));
    return { ...consumer, signature: encoded(await crypto.subtle.sign("Ed25519", by.privateKey, text)) };
  };
  const shop = { id: "coffee-shop", labels: { plan: "gold", region: "eu" } };
  const good = await entry(shop);
  const withEntry = (text: string | null) => {
    const get = vi.fn(async () => text);
    const env = { CONSUMERS: { get }, POSTERN_CONSUMERS_KEY: x, POSTERN_ENVIRONMENT: "test" };
    return { ...gate({ fakeDeps: fakeDeps({ env }) }), get };
  };

  it("accepts a signed entry, whatever the order of its labels", async () => {
    for (const it of [good, { ...good, labels: { region: "eu", plan: "gold" } }]) {
      const { status, line } = await withEntry(JSON.stringify(it)).send("GET /", withKey("coffee"));
      expect([status, line?.consumer]).toEqual([200, "coffee-shop"]);
    }
  });

  const attacks: readonly (readonly [string, unknown])[] = [
    ["no signature, as a gate of another tier writes it", shop],
    ["the signature of another key", await entry(shop, { by: rogue })],
    ["the signature of an entry beneath another API key", await entry(shop, { name: `key/${"0".repeat(64)}` })],
    ["the signature of another environment with the same key", await entry(shop, { environment: "staging" })],
    ["another id beneath the signature", { ...good, id: "bank" }],
    ["another label beneath it", { ...good, labels: { plan: "platinum", region: "eu" } }],
    ["one label fewer", { ...good, labels: { plan: "gold" } }],
    ["labels that are a list", { ...good, labels: [["plan", "gold"]] }],
    ["half a signature", { ...good, signature: good.signature.slice(0, 43) }],
    ["a signature that is no text", { ...good, signature: { toString: "x" } }],
    ["no object", "coffee-shop"],
    ["null", null],
    ["the entry is too long", { ...good, more: "x".repeat(20_000) }],
  ];
  it.each(attacks)("answers 503 to an entry with %s, which is not the client's fault", async (_, value) => {
    const { send } = withEntry(JSON.stringify(value));
    expect(await send("GET /", withKey("coffee"))).toMatchObject({
      status: 503,
      code: "consumers-unavailable",
      upstream: [],
    });
  });

  it("answers 503 to an entry that is not JSON, and 401 to a missing one", async () => {
    expect((await withEntry("{").send("GET /", withKey("coffee"))).code).toBe("consumers-unavailable");
    expect((await withEntry(null).send("GET /", withKey("coffee"))).code).toBe("key-unknown");
  });

  it("verifies an entry once, and again when it changes", async () => {
    const verify = vi.spyOn(crypto.subtle, "verify");
    const { send, get } = withEntry(JSON.stringify(good));
    for (let tries = 0; tries < 5; tries++) expect((await send("GET /", withKey("coffee"))).status).toBe(200);
    expect(verify).toHaveBeenCalledTimes(1);
    get.mockResolvedValue(JSON.stringify({ ...good, id: "bank" }));
    expect((await send("GET /", withKey("coffee"))).status).toBe(503);
    get.mockResolvedValue(JSON.stringify(good));
    expect((await send("GET /", withKey("coffee"))).status).toBe(200);
    verify.mockRestore();
  });
});

it("passes a cacheTtl to KV, of at least its minimum", async () => {
  let options: unknown;
  const get = (_: string, value: unknown) => {
    options = value;
    return Promise.resolve(null);
  };
  await gate({ fakeDeps: fakeDeps({ env: { CONSUMERS: { get } } }) }).send("GET /", withKey("x"));
  expect(options).toEqual({ type: "json", cacheTtl: 60 });
  expect(spec().schema.safeParse({ cache: "10s" }).success).toBe(false);
});

it("does not start without its namespace", () => {
  expect(() => gate({ fakeDeps: fakeDeps({ env: {} }) })).toThrow(/CONSUMERS/);
});
