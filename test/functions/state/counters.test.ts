/** The Durable Objects of state with real storage. */

import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { hashTagOf } from "../../../functions/gateway/core/ports/state.ts";
import { objectNameOf } from "../../../functions/state/contract.ts";
import { countersOn, ShardFull } from "../../../functions/state/counters.ts";
import { stateOf } from "../gate-harness.ts";

const namespace = (env as { readonly COUNTERS: DurableObjectNamespace }).COUNTERS;
const object = () => namespace.getByName(crypto.randomUUID());

const ask = (path: string, body: unknown, stub = object()) =>
  stub.fetch(`https://state${path}`, { method: "POST", body: typeof body === "string" ? body : JSON.stringify(body) });

const fixedWindow = "b2efc02798c8e9b471a10f9b1d5745db89923ff3";

describe("the protocol, version 1, as deployed gates use it", () => {
  it("runs a script", async () => {
    const response = await ask("/v1/run", { sha: fixedWindow, keys: ["p:{k}:1"], args: [5, 60_000, 1] });
    expect(await response.json()).toEqual({ reply: [1, 5] });
  });

  it("reports an unknown script", async () => {
    expect(await (await ask("/v1/run", { sha: "0".repeat(40), keys: ["k"], args: [] })).json()).toEqual({});
  });

  it("reports whether a key is new", async () => {
    const stub = object();
    const question = { key: "nonce", forMs: 60_000 };
    expect(await (await ask("/v1/once", question, stub)).json()).toEqual({ first: true });
    expect(await (await ask("/v1/once", question, stub)).json()).toEqual({ first: false });
  });

  it.each([
    ["another version", "/v2/run", {}, 404],
    ["no JSON", "/v1/run", "{", 400],
    ["a script without keys", "/v1/run", { sha: fixedWindow, args: [1] }, 400],
    ["numbers that are none", "/v1/run", { sha: fixedWindow, keys: ["k"], args: ["1"] }, 400],
    ["a time that is none", "/v1/once", { key: "k", forMs: "soon" }, 400],
    ["a long question", "/v1/once", { key: "k".repeat(10_000), forMs: 1 }, 413],
  ])("refuses %s", async (_, path, body, status) => {
    expect((await ask(path, body)).status).toBe(status);
  });

  it("a newer gate fails when an older state lacks an operation", async () => {
    const { stateClient } = await import("../../../functions/gateway/core/ports/state.ts");
    const older = stateClient({ fetch: async () => new Response("there is no /v1/once", { status: 404 }) as never });
    await expect(older.once("k", 1)).rejects.toThrow("state answered 404");
  });
});

it("a tier's keys are spread over its shards, and never leave them", () => {
  const props = { tier: "wallet", shards: 4 };
  const names = new Set(
    Array.from({ length: 200 }, (_, index) => objectNameOf(new URL(`https://state/?key=k${index}`), props)),
  );
  expect([...names].sort()).toEqual(["wallet/0", "wallet/1", "wallet/2", "wallet/3"]);
  expect(objectNameOf(new URL("https://state/?key=../pay/0"), props)).toMatch(/^wallet\/[0-3]$/);
});

it("the windows of one key stay together", () => {
  expect(hashTagOf("p:{ip=1}:7")).toBe(hashTagOf("p:{ip=1}:8"));
});

it("one tier's counts are not another's", async () => {
  const [one, other] = [stateOf("a"), stateOf("b")];
  const minute = 60_000;
  expect(await one.once("same", minute)).toBe(true);
  expect(await other.once("same", minute)).toBe(true);
  expect(await one.once("same", minute)).toBe(false);
});

describe("storage", () => {
  it("is bounded: expired cells make room, others stay", async () => {
    await runInDurableObject(object(), (_, { storage }) => {
      const small = countersOn(storage.sql, 3);
      for (const key of ["a", "b", "c"]) expect(small.once(key, key === "c" ? 9000 : 10, 10)).toBe(true);
      expect(() => small.once("d", 90, 11)).toThrow(ShardFull);
      // Scanned once a second, not for each key of a flood.
      expect(() => small.once("d", 90, 30)).toThrow(ShardFull);
      expect(small.once("d", 90, 1011)).toBe(true);
      expect(small.once("c", 90, 1011)).toBe(false);
    });
  });

  it("is swept by an alarm, which stops when nothing is left", async () => {
    const stub = object();
    await ask("/v1/once", { key: "k", forMs: -1 }, stub);
    expect(await runDurableObjectAlarm(stub)).toBe(true);
    await runInDurableObject(stub, async (_, { storage }) => {
      expect(storage.sql.exec<{ n: number }>("SELECT COUNT(*) AS n FROM cells").one().n).toBe(0);
      expect(await storage.getAlarm()).toBeNull();
    });
  });
});
