/** The client of the feed: reads and changes a tier's overlay and revocations, with optimistic concurrency. */

import { parseFeed } from "../../feed/entries.ts";
import { maxRevocations, type StoredRevocation } from "../../gateway/core/ports/revocations.ts";
import { maxEntries, type OverlayEntry, type StoredFeed } from "../../gateway/overlay/overlay.ts";

/** The feed that gates read, by tier. */
export interface Feed {
  readonly read: (tier: string) => Promise<StoredFeed>;
  /**
   * @param revoked default: unchanged
   * @returns undefined if the revision is outdated
   */
  readonly write: (
    tier: string,
    revision: number,
    entries: readonly OverlayEntry[],
    revoked?: readonly StoredRevocation[],
  ) => Promise<StoredFeed | undefined>;
}

/** @throws if the feed does not answer in time, or answers with an error */
export const feedClient = (binding: Pick<Fetcher, "fetch">): Feed => {
  const request = async (tier: string, init: RequestInit = {}): Promise<StoredFeed | undefined> => {
    const response = await binding.fetch(`https://feed/${tier}`, { ...init, signal: AbortSignal.timeout(timeoutMs) });
    if (response.status === 412) return undefined;
    if (!response.ok) throw new Error(`the feed answered ${response.status}`);
    return parseFeed(await response.json());
  };
  return {
    read: async (tier) => {
      const state = await request(tier);
      if (!state) throw new Error("the feed answered 412 to a read");
      return state;
    },
    write: (tier, revision, entries, revoked) =>
      request(tier, { method: "PUT", body: JSON.stringify({ revision, entries, revoked }) }),
  };
};

const timeoutMs = 10_000;
const maxAttempts = 5;

/**
 * Reads, changes and writes the overlay entries; retries if someone else wrote meanwhile.
 *
 * @param change a pure function; if it returns its argument, nothing is written
 * @returns the new state; undefined if every attempt lost to a concurrent write
 * @throws if the tier would exceed its limit
 */
export const amendEntries = (
  feed: Feed,
  tier: string,
  change: (entries: readonly OverlayEntry[]) => readonly OverlayEntry[],
): Promise<StoredFeed | undefined> =>
  amendFeed(feed, tier, (state) => {
    const entries = change(state.entries);
    if (entries.length > maxEntries) throw new Error(`${tier} has ${maxEntries} entries at most`);
    return entries === state.entries ? state : { ...state, entries };
  });

/** Changes the revocations in the same way. */
export const amendRevoked = (
  feed: Feed,
  tier: string,
  change: (revoked: readonly StoredRevocation[]) => readonly StoredRevocation[],
): Promise<StoredFeed | undefined> =>
  amendFeed(feed, tier, (state) => {
    const before = state.revoked ?? [];
    const revoked = change(before);
    if (revoked.length > maxRevocations) throw new Error(`${tier} has ${maxRevocations} revocations at most`);
    return revoked === before ? state : { ...state, revoked };
  });

const amendFeed = async (
  feed: Feed,
  tier: string,
  change: (state: StoredFeed) => StoredFeed,
): Promise<StoredFeed | undefined> => {
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const state = await feed.read(tier);
    const changed = change(state);
    if (changed === state) return state;
    const written = await feed.write(tier, state.revision, changed.entries, changed.revoked);
    if (written) return written;
  }
  return undefined;
};
