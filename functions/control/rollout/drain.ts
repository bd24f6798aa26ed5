/** What the feed tells gates of a version that was taken back: its streams end, and their clients come to the stable one. */
import type { Entry } from "../../gateway/overlay/overlay.ts";
import type { Rollout } from "../model/rollout.ts";
import { amend, type Feed } from "../overlay/feed-client.ts";

/** A stream that may grow very old asks seldom; it is told afterwards, and ends at once. */
const lateMs = 600_000;

/** @returns undefined where there is nothing to tell, or no longer */
export const drainOf = (it: Rollout, now: number): Entry | undefined => {
  const { id, status, endedAt, drainMs = 0, subjects } = it;
  if (status !== "rolled-back" || endedAt === null || drainMs === 0) return undefined;
  const ends = endedAt + drainMs;
  const until = ends + lateMs;
  if (now >= until) return undefined;
  const versions = subjects.map(({ canary }) => canary);
  return { kind: "drain", versions, ends, id: `drain-${id}`, until, by: "control", reason: it.reason };
};

/** The entry that was told last. */
const last = "drain";

/**
 * Tells it once, however often it is asked to: an entry that a person took off stays away.
 *
 * @throws where the feed does not take it; it is told again then
 */
export const tellDrain = async (
  feed: Feed,
  storage: Pick<DurableObjectStorage, "get" | "put">,
  tiers: readonly string[],
  entry: Entry,
): Promise<void> => {
  if ((await storage.get(last)) === entry.id) return;
  // After a crash some have it already.
  const isKnown = (all: readonly Entry[]): boolean => all.some(({ id }) => id === entry.id);
  for (const tier of tiers) {
    const told = await amend(feed, tier, (all) => (isKnown(all) ? all : [...all, entry]));
    if (!told) throw new Error(`others write to the overlay of ${tier} all the time`);
  }
  await storage.put(last, entry.id);
};
