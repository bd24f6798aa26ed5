/** The drain entry: published once for a version that was rolled back, and for no other. */
import { expect, it } from "vitest";
import type { ControlPlan } from "../../functions/control/model/plan.ts";
import type { Rollout } from "../../functions/control/model/rollout.ts";
import { drainEntryOf, publishDrain } from "../../functions/control/overlay/drain.ts";
import type { Feed } from "../../functions/control/overlay/feed-client.ts";
import type { Bindings } from "../../functions/control/wiring/bindings.ts";
import { tierRollouts } from "../../functions/control/wiring/rollouts.ts";
import { feedStoreOn } from "../../functions/feed/entries.ts";

const rolledBack = {
  id: "abc",
  tier: "a",
  status: "rolled-back",
  endedAt: 1_000_000,
  drainMs: 30_000,
  reason: "a test",
  subjects: [
    { worker: "gate-a", stable: "s1", canary: "c1" },
    { worker: "gate-a-hot", stable: "s2", canary: "c2" },
  ],
} as unknown as Rollout;

it("names the rolled-back versions and the time by which their streams end", () => {
  expect(drainEntryOf(rolledBack, 1_000_000)).toEqual({
    kind: "drain",
    versions: ["c1", "c2"],
    ends: 1_030_000,
    id: "drain-abc",
    until: 1_630_000,
    by: "control",
    reason: "a test",
  });
});

it.each([
  ["goes on", { status: "running", endedAt: null }],
  ["was promoted", { status: "promoted" }],
  ["was left to what others deployed", { status: "left" }],
  ["has a release that lets streams go on", { drainMs: 0 }],
  ["is older than such things", { drainMs: undefined }],
])("publishes no entry for a rollout that %s", (_, more) => {
  expect(drainEntryOf({ ...rolledBack, ...more } as Rollout, 1_000_000)).toBeUndefined();
});

it("publishes the entry even after the drain time, but not once all streams must have ended", () => {
  expect(drainEntryOf(rolledBack, 1_629_999)).toEqual(drainEntryOf(rolledBack, 1_000_000));
  expect(drainEntryOf(rolledBack, 1_630_000)).toBeUndefined();
});

const memoryStorage = (values = new Map<string, unknown>()) => ({
  get: async (key: string) => structuredClone(values.get(key)) as never,
  put: (async (key: string, value: unknown) => void values.set(key, structuredClone(value))) as never,
});

it("adds the entry to each tier once, also after a crash, and not again after a person removed it", async () => {
  const feeds = { a: feedStoreOn(memoryStorage(), () => 1_000_000), b: feedStoreOn(memoryStorage(), () => 1_000_000) };
  const of = (tier: string) => feeds[tier as "a" | "b"];
  const writes: string[] = [];
  let isDown = true;
  const feed: Feed = {
    read: (tier) => of(tier).read(),
    write: async (tier, revision, entries) => {
      if (tier === "b" && isDown) throw new Error("gone");
      writes.push(tier);
      return of(tier).write(revision, entries);
    },
  };
  const storage = memoryStorage();
  const entry = drainEntryOf(rolledBack, 1_000_000) as NonNullable<ReturnType<typeof drainEntryOf>>;
  const publish = () => publishDrain(feed, storage, ["a", "b"], entry);
  await expect(publish()).rejects.toThrow("gone");
  isDown = false;
  await publish();
  await publish();
  expect(writes).toEqual(["a", "b"]);
  expect((await feed.read("b")).entries).toEqual([entry]);

  const { revision } = await feed.read("a");
  await of("a").write(revision, []);
  await publish();
  expect((await feed.read("a")).entries).toEqual([]);
});

it("retries by alarm until the feed answers, and then publishes the entry once", async () => {
  const entries = feedStoreOn(memoryStorage(), () => 1_000_000);
  const feed = { requests: 0, isDown: true };
  const FEED = {
    fetch: async (_: string, { method, body }: RequestInit) => {
      feed.requests++;
      if (feed.isDown) return new Response(null, { status: 503 });
      const { revision, entries: written } = JSON.parse(String(body ?? "{}"));
      return Response.json(method === "PUT" ? await entries.write(revision, written) : await entries.read());
    },
  };
  const alarms: number[] = [];
  const storage = {
    ...memoryStorage(new Map([["current", rolledBack]])),
    setAlarm: async (at: number) => void alarms.push(at),
  };
  const lines: object[] = [];
  const world = { now: () => 1_000_000, random: () => 0, uuid: () => "u", log: (line: object) => lines.push(line) };
  const look = () =>
    // Starts control again each time, as after a crash.
    tierRollouts(
      { tiers: {} } as ControlPlan,
      { FEED } as unknown as Bindings,
      storage as never,
      world as never,
    ).reconcile();
  await look();
  expect([alarms, lines]).toMatchObject([[1_002_000], [{ type: "fault", cause: "Error: the feed answered 503" }]]);
  feed.isDown = false;
  await look();
  expect((await entries.read()).entries).toEqual([drainEntryOf(rolledBack, 1_000_000)]);
  const { requests } = feed;
  await look();
  expect([feed.requests, alarms.length]).toEqual([requests, 1]);
});
