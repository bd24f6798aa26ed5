/** The measure entry: tells gates to measure the bodies of responses while a rollout compares two versions. */
import type { OverlayEntry } from "../../gateway/overlay/overlay.ts";
import { isOver, type Rollout } from "../model/rollout.ts";
import { amendEntries, type Feed } from "./feed-client.ts";

/** The entry is renewed at half of it. If control is gone for longer, gates stop measuring. */
const lifetimeMs = 3_600_000;

/** @returns undefined if the rollout compares nothing any more */
export const measureEntryOf = (it: Rollout, now: number): OverlayEntry | undefined =>
  isOver(it)
    ? undefined
    : { kind: "measure", id: `measure-${it.id}`, until: now + lifetimeMs, by: "control", reason: it.reason };

/** Storage key: the last published entry. */
const lastMeasureKey = "measure";

/**
 * Publishes the entry, renews it in time, and removes it after the rollout.
 *
 * @param entry of a running rollout
 * @throws if the feed does not accept it; call again then
 */
export const publishMeasure = async (
  feed: Feed,
  storage: Pick<DurableObjectStorage, "get" | "put" | "delete">,
  tiers: readonly string[],
  entry: OverlayEntry | undefined,
): Promise<void> => {
  const last = await storage.get<OverlayEntry>(lastMeasureKey);
  const isFresh = entry && last?.id === entry.id && entry.until - last.until < lifetimeMs / 2;
  if (isFresh || (!entry && !last)) return;
  for (const tier of tiers) {
    const state = await amendEntries(feed, tier, (all) => {
      const others = all.filter(({ id, kind }) => kind !== "measure" || (id !== entry?.id && id !== last?.id));
      return entry ? [...others, entry] : others.length === all.length ? all : others;
    });
    if (!state) throw new Error(`the overlay of ${tier} is written too often by others; try again`);
  }
  if (entry) await storage.put(lastMeasureKey, entry);
  else await storage.delete(lastMeasureKey);
};
