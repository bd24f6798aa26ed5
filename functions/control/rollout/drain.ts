/** What the feed tells gates of a version that was taken back: its streams end, and their clients come to the stable one. */
import type { OverlayEntry } from "../../gateway/overlay/overlay.ts";
import type { Rollout } from "../model/rollout.ts";
import { amendEntries, type Feed } from "../overlay/feed-client.ts";

/** A stream that may grow very old asks seldom; it is told afterwards, and ends at once. */
const afterEndMs = 600_000;

/** @returns undefined where there is nothing to tell, or no longer */
export const drainEntryOf = (it: Rollout, now: number): OverlayEntry | undefined => {
  const { id, status, endedAt, drainMs = 0, subjects } = it;
  if (status !== "rolled-back" || endedAt === null || drainMs === 0) return undefined;
  const ends = endedAt + drainMs;
  const until = ends + afterEndMs;
  if (now >= until) return undefined;
  const versions = subjects.map(({ canary }) => canary);
  return { kind: "drain", versions, ends, id: `drain-${id}`, until, by: "control", reason: it.reason };
};

/** The entry that was told last. */
const lastDrainKey = "drain";

/**
 * Tells it once, however often it is asked to: an entry that a person took off stays away.
 *
 * @throws where the feed does not take it; it is told again then
 */
export const publishDrain = async (
  feed: Feed,
  storage: Pick<DurableObjectStorage, "get" | "put">,
  tiers: readonly string[],
  entry: OverlayEntry,
): Promise<void> => {
  if ((await storage.get(lastDrainKey)) === entry.id) return;
  // After a crash some have it already.
  const hasEntry = (all: readonly OverlayEntry[]): boolean => all.some(({ id }) => id === entry.id);
  for (const tier of tiers) {
    const state = await amendEntries(feed, tier, (all) => (hasEntry(all) ? all : [...all, entry]));
    if (!state) throw new Error(`others write to the overlay of ${tier} all the time`);
  }
  await storage.put(lastDrainKey, entry.id);
};
