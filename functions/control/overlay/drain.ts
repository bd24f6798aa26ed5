/** The drain entry: tells gates to end the streams of a version that was rolled back, so that clients reconnect to the stable one. */
import type { OverlayEntry } from "../../gateway/overlay/overlay.ts";
import type { Rollout } from "../model/rollout.ts";
import { amendEntries, type Feed } from "./feed-client.ts";

/** How long the entry stays after the drain: a long-lived stream polls the feed rarely, and ends at once when it sees the entry. */
const afterEndMs = 600_000;

/** @returns undefined if the rollout needs no drain, or no longer */
export const drainEntryOf = (it: Rollout, now: number): OverlayEntry | undefined => {
  const { id, status, endedAt, drainMs = 0, subjects } = it;
  if (status !== "rolled-back" || endedAt === null || drainMs === 0) return undefined;
  const ends = endedAt + drainMs;
  const until = ends + afterEndMs;
  if (now >= until) return undefined;
  const versions = subjects.map(({ canary }) => canary);
  return { kind: "drain", versions, ends, id: `drain-${id}`, until, by: "control", reason: it.reason };
};

/** Storage key: id of the last published entry. */
const lastDrainKey = "drain";

/**
 * Publishes the entry once: an entry that a person removed is not added again.
 *
 * @throws if the feed does not accept it; call again then
 */
export const publishDrain = async (
  feed: Feed,
  storage: Pick<DurableObjectStorage, "get" | "put">,
  tiers: readonly string[],
  entry: OverlayEntry,
): Promise<void> => {
  if ((await storage.get(lastDrainKey)) === entry.id) return;
  // After a crash some tiers may have it already.
  const hasEntry = (all: readonly OverlayEntry[]): boolean => all.some(({ id }) => id === entry.id);
  for (const tier of tiers) {
    const state = await amendEntries(feed, tier, (all) => (hasEntry(all) ? all : [...all, entry]));
    if (!state) throw new Error(`the overlay of ${tier} is written too often by others; try again`);
  }
  await storage.put(lastDrainKey, entry.id);
};
