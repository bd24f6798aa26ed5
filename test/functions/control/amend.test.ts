/** A change of what gates are told, beside others who write. */
import { expect, it } from "vitest";
import { amend, type Feed } from "../../../functions/control/overlay/feed-client.ts";
import { type Entry, type Kept, mostEntries } from "../../../functions/gateway/overlay/overlay.ts";

const entry = (id: string): Entry => ({
  kind: "close",
  route: null,
  closed: {},
  id,
  until: 1e15,
  by: "alice",
  reason: "a test",
});

/** A feed where somebody else writes before each of the first writes. */
const busy = (rivals: number) => {
  let told: Kept = { revision: 1, entries: [] };
  let writes = 0;
  const feed: Feed = {
    read: async () => told,
    write: async (_, revision, entries) => {
      if (++writes <= rivals)
        told = { revision: told.revision + 1, entries: [...told.entries, entry(`rival-${writes}`)] };
      if (revision !== told.revision) return undefined;
      told = { revision: revision + 1, entries };
      return told;
    },
  };
  return { feed, told: () => told, writes: () => writes };
};

const ids = (told: Kept | undefined) => told?.entries.map(({ id }) => id);

it("keeps what others wrote in between", async () => {
  const { feed } = busy(2);
  expect(ids(await amend(feed, "a", (all) => [...all, entry("mine")]))).toEqual(["rival-1", "rival-2", "mine"]);
});

it("gives up where others are faster each time", async () => {
  const { feed, told, writes } = busy(1000);
  expect(await amend(feed, "a", (all) => [...all, entry("mine")])).toBeUndefined();
  expect(writes()).toBe(5);
  expect(ids(told())).not.toContain("mine");
});

it("writes nothing where nothing changes, and never more than a tier may have", async () => {
  const { feed, writes } = busy(0);
  expect(await amend(feed, "a", (all) => all)).toEqual({ revision: 1, entries: [] });
  const many = Array.from({ length: mostEntries + 1 }, (_, index) => entry(String(index)));
  await expect(amend(feed, "a", () => many)).rejects.toThrow(`${mostEntries} entries at most`);
  expect(writes()).toBe(0);
});
