/** An overlay on every isolate of a gate in production's manners: within ten seconds, after control is gone, and until it expires. */
import { expect, it } from "vitest";
import type { Told } from "../../functions/gateway/overlay.ts";
import { manifest } from "../e2e/city.ts";
import { type Place, place } from "./ramp.ts";

const realism = { kvMs: 60_000, objectMs: 30, evictMs: 600_000 };

const tier = manifest(
  "a",
  `filters: [{ rate-limit: { limit: 100/s, by: ip }, id: calm }]
routes:
  hot: { match: GET /hot, respond: { status: 200, text: "hot" } }
  cool: { match: GET /cool, respond: { status: 200, text: "cool" } }
`,
);

const asked = async ({ cloud }: Place, target: string, count: number): Promise<number[]> => {
  const statuses: number[] = [];
  for (let index = 0; index < count; index++) {
    const response = await fetch(cloud.edge + target, { headers: { "x-device-id": `d${index}` } });
    await response.arrayBuffer();
    statuses.push(response.status);
  }
  return statuses;
};

const pause = (ms: number) => new Promise((wake) => setTimeout(wake, ms));

it("closes a route on eight isolates in ten seconds, beside a control that is gone, and opens it when the time is over", {
  timeout: 180_000,
}, async () => {
  const it = await place({ "routes/a.yaml": tier }, { isolates: 8, realism });
  await asked(it, "/a/hot", 60);
  await it.desk.call<Told>("POST", "/v1/tiers/a/overlay", { kind: "close", route: "hot", for: "35s", reason: "wrong" });
  const closedAt = Date.now();
  await pause(10_000);
  expect(new Set(await asked(it, "/a/hot", 60))).toEqual(new Set([503]));
  expect(new Set(await asked(it, "/a/cool", 20))).toEqual(new Set([200]));

  await it.cloud.control.remove("postern-control-local", true);
  await pause(12_000);
  expect(new Set(await asked(it, "/a/hot", 60))).toEqual(new Set([503]));
  expect(new Set(await asked(it, "/a/cool", 20))).toEqual(new Set([200]));

  await pause(Math.max(0, closedAt + 36_000 - Date.now()));
  expect(new Set(await asked(it, "/a/hot", 60))).toEqual(new Set([200]));
});

it("refuses who may not, what is stale and what is not there, and writes down who did what", {
  timeout: 120_000,
}, async () => {
  const it = await place({ "routes/a.yaml": tier });
  const close = (operator: string, more: object = {}) =>
    it
      .as(operator)
      .call<Told>("POST", "/v1/tiers/a/overlay", { kind: "close", route: "hot", for: "1m", reason: "wrong", ...more });
  await expect(close("carol")).rejects.toThrow("carol is viewer; this takes operator");
  await expect(close("alice", { route: "hit" })).rejects.toThrow('a has no route "hit"; it has cool, hot');
  await expect(close("alice", { for: "200h" })).rejects.toThrow("seven days at most");
  await expect(close("alice", { open: true })).rejects.toThrow('Unrecognized key: "open"');
  const { revision, entries } = await close("alice");
  expect(entries).toMatchObject([{ kind: "close", route: "hot", by: "alice" }]);
  const audit = await it.desk.call<readonly { by: string; what: string; outcome: string }[]>("GET", "/v1/audit");
  expect(audit[0]).toMatchObject({ by: "alice", what: "overlay close", outcome: `revision ${revision}` });
  const limited = { kind: "limit", filter: "calm", limit: "2/m", for: "1m", reason: "flood" };
  await it.desk.call<Told>("POST", "/v1/tiers/a/overlay", limited);
  await pause(10_000);
  expect((await asked(it, "/a/cool", 6)).filter((status) => status === 429).length).toBeGreaterThanOrEqual(3);
  const drift = await it.desk.call<readonly { entries: readonly { says: string }[] }[]>("GET", "/v1/drift");
  expect(drift[0]?.entries.map(({ says }) => says)).toEqual(["differs from the manifest", "differs from the manifest"]);
});
