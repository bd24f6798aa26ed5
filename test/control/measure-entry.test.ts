/** The measure entry: gates measure bodies from a rollout's start to its end, also over hours. */
import { expect, it } from "vitest";
import type { Rollout } from "../../functions/control/model/rollout.ts";
import type { Feed } from "../../functions/control/overlay/feed-client.ts";
import { measureEntryOf, publishMeasure } from "../../functions/control/overlay/measure-entry.ts";
import { feedStoreOn } from "../../functions/feed/entries.ts";

const hour = 3_600_000;
const running = { id: "abc", tier: "a", status: "running", reason: "a test" } as unknown as Rollout;

const memoryStorage = () => {
  const all = new Map<string, unknown>();
  return {
    get: async (key: string) => all.get(key),
    put: async (key: string, value: unknown) => void all.set(key, value),
    delete: async (key: string) => all.delete(key),
  } as never;
};

const harness = () => {
  const clock = { now: 1_000_000 };
  const entries = feedStoreOn(memoryStorage(), () => clock.now);
  let writes = 0;
  const feed: Feed = {
    read: () => entries.read(),
    write: (_, revision, all) => {
      writes++;
      return entries.write(revision, all);
    },
  };
  const storage = memoryStorage();
  return {
    entries,
    writes: () => writes,
    publish: (it: Rollout, now: number) => {
      clock.now = now;
      return publishMeasure(feed, storage, ["a"], measureEntryOf(it, now));
    },
  };
};

it("is written once, renewed at half of its life, and removed at the end", async () => {
  const { entries, writes, publish } = harness();
  for (let at = 0; at < hour / 2; at += 60_000) await publish(running, 1_000_000 + at);
  expect([writes(), (await entries.read()).entries]).toMatchObject([1, [{ kind: "measure", until: 1_000_000 + hour }]]);
  await publish(running, 1_000_000 + hour / 2);
  expect([writes(), (await entries.read()).entries]).toMatchObject([2, [{ until: 1_000_000 + 1.5 * hour }]]);
  const ended = { ...running, status: "rolled-back" } as Rollout;
  await publish(ended, 1_000_000 + hour);
  await publish(ended, 1_000_000 + hour);
  expect([writes(), (await entries.read()).entries]).toEqual([3, []]);
});

it("gives way to that of the next rollout, and leaves other entries alone", async () => {
  const { entries, publish } = harness();
  const close = { kind: "close", route: null, closed: {}, id: "c", until: 9e12, by: "bob", reason: "" } as const;
  await entries.write(0, [close]);
  await publish(running, 1_000_000);
  await publish({ ...running, id: "def" }, 2_000_000);
  expect((await entries.read()).entries).toMatchObject([close, { id: "measure-def" }]);
});
