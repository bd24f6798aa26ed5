/** Changes of the feed with concurrent writers. */
import { expect, it } from "vitest";
import { amendEntries, type Feed } from "../../../functions/control/overlay/feed-client.ts";
import { maxEntries, type OverlayEntry, type StoredFeed } from "../../../functions/gateway/overlay/overlay.ts";

const entry = (id: string): OverlayEntry => ({
  kind: "close",
  route: null,
  closed: {},
  id,
  until: 1e15,
  by: "alice",
  reason: "a test",
});

/** A feed with a concurrent write before each of the first writes. */
const contendedFeed = (rivals: number) => {
  let state: StoredFeed = { revision: 1, entries: [] };
  let writes = 0;
  const feed: Feed = {
    read: async () => state,
    write: async (_, revision, entries) => {
      if (++writes <= rivals)
        state = { revision: state.revision + 1, entries: [...state.entries, entry(`rival-${writes}`)] };
      if (revision !== state.revision) return undefined;
      state = { revision: revision + 1, entries };
      return state;
    },
  };
  return { feed, state: () => state, writes: () => writes };
};

const ids = (state: StoredFeed | undefined) => state?.entries.map(({ id }) => id);

it("keeps concurrent changes of others", async () => {
  const { feed } = contendedFeed(2);
  expect(ids(await amendEntries(feed, "a", (all) => [...all, entry("mine")]))).toEqual(["rival-1", "rival-2", "mine"]);
});

it("gives up if every attempt loses to another writer", async () => {
  const { feed, state, writes } = contendedFeed(1000);
  expect(await amendEntries(feed, "a", (all) => [...all, entry("mine")])).toBeUndefined();
  expect(writes()).toBe(5);
  expect(ids(state())).not.toContain("mine");
});

it("writes nothing without a change, and never more entries than a tier may have", async () => {
  const { feed, writes } = contendedFeed(0);
  expect(await amendEntries(feed, "a", (all) => all)).toEqual({ revision: 1, entries: [] });
  const many = Array.from({ length: maxEntries + 1 }, (_, index) => entry(String(index)));
  await expect(amendEntries(feed, "a", () => many)).rejects.toThrow(`${maxEntries} entries at most`);
  expect(writes()).toBe(0);
});
