import { env } from "cloudflare:workers";
import { beforeAll, expect, it } from "vitest";
import { make, spec } from "../../../functions/filters/api-key.ts";
import { conversation, world } from "../conversation.ts";

const namespace = (env as unknown as { CONSUMERS: KVNamespace }).CONSUMERS;
// printf %s coffee | sha256sum, and so on: written out, so that the wire format is pinned.
const coffee = "key/37290d74ac4d186e3a8e5785d259d2ec04fac91ae28092e7620ec8bc99e830aa";
const config = spec().schema.parse({});
const gate = (setting = {}) => conversation({ "api-key": (deps) => make(config, deps) }, setting);
const withKey = (key: string) => ({ headers: { "x-api-key": key } });

beforeAll(async () => {
  await namespace.put(coffee, JSON.stringify({ id: "coffee-shop", labels: { plan: "gold" } }));
});

it("lets in who brings a key that is known by its hash", async () => {
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
  const { send } = gate({ world: world({ env: { CONSUMERS: { get } } }) });
  expect(await send("GET /", withKey("coffee"))).toMatchObject({
    status: 503,
    code: "consumers-unavailable",
    upstream: [],
  });
});

it("asks KV to cache, for no less than it can", async () => {
  let options: unknown;
  const get = (_: string, given: unknown) => {
    options = given;
    return Promise.resolve(null);
  };
  await gate({ world: world({ env: { CONSUMERS: { get } } }) }).send("GET /", withKey("x"));
  expect(options).toEqual({ type: "json", cacheTtl: 60 });
  expect(spec().schema.safeParse({ cache: "10s" }).success).toBe(false);
});

it("does not start without its namespace", () => {
  expect(() => gate({ world: world({ env: {} }) })).toThrow(/CONSUMERS/);
});
