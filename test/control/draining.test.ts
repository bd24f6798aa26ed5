/** Gates are told once to end the streams of a version that was taken back, and nobody is told of one that was not. */
import { expect, it } from "vitest";
import { drainOf, tellDrain } from "../../functions/control/rollout/draining.ts";
import type { Rollout } from "../../functions/control/rollout/state.ts";
import { entriesOn } from "../../functions/feed/entries.ts";

const back = {
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

it("names the versions that were tried, and when their streams have ended", () => {
  expect(drainOf(back, 1_000_000)).toEqual({
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
])("tells nothing of a rollout that %s", (_, more) => {
  expect(drainOf({ ...back, ...more } as Rollout, 1_000_000)).toBeUndefined();
});

it("tells nothing when the time is over, so that an entry that is gone stays away", () => {
  expect(drainOf(back, 1_030_000)).toBeUndefined();
});

it("is laid over each tier once, also where it is told again", async () => {
  const kept = new Map<string, unknown>();
  const writes: string[] = [];
  const of = (tier: string) =>
    entriesOn(
      {
        get: async () => structuredClone(kept.get(tier)) as never,
        put: (async (_: string, value: unknown) => void kept.set(tier, structuredClone(value))) as never,
      },
      () => 1_000_000,
    );
  const feed = {
    read: (tier: string) => of(tier).read(),
    write: (tier: string, revision: number, entries: Parameters<ReturnType<typeof of>["write"]>[1]) => {
      writes.push(tier);
      return of(tier).write(revision, entries);
    },
  };
  const entry = drainOf(back, 1_000_000) as NonNullable<ReturnType<typeof drainOf>>;
  await tellDrain(feed, ["a", "b"], entry);
  await tellDrain(feed, ["a", "b"], entry);
  expect(writes).toEqual(["a", "b"]);
  expect((await feed.read("b")).entries).toEqual([entry]);
});
