/** Storage of one tier's feed: complete lists with a revision. A writer names the revision that it replaces. */

import { fieldsOf } from "../gateway/core/json.ts";
import { maxRevocations, type StoredRevocation } from "../gateway/core/ports/revocations.ts";
import { type FeedMessage, maxEntries, type OverlayEntry, type StoredFeed } from "../gateway/overlay/overlay.ts";

export interface FeedStore {
  readonly read: () => Promise<StoredFeed>;
  /**
   * @param revoked replaces the stored list, which is kept by default
   * @returns undefined when another writer has stored a newer revision
   */
  readonly write: (
    revision: number,
    entries: readonly OverlayEntry[],
    revoked?: readonly StoredRevocation[],
  ) => Promise<StoredFeed | undefined>;
}

const storageKey = "told";

export const feedStoreOn = (storage: Pick<DurableObjectStorage, "get" | "put">, now: () => number): FeedStore => {
  const current = <T extends { readonly until: number }>(all: readonly T[]) => all.filter(({ until }) => until > now());
  const read = async (): Promise<StoredFeed> => {
    const {
      revision,
      entries,
      revoked = [],
    } = (await storage.get<StoredFeed>(storageKey)) ?? { revision: 0, entries: [] };
    return { revision, entries: current(entries), revoked: current(revoked) };
  };
  return {
    read,
    write: async (revision, entries, replacement) => {
      const before = await read();
      if (before.revision !== revision) return undefined;
      const revoked = (replacement ?? before.revoked ?? []).slice(-maxRevocations);
      const stored = { revision: revision + 1, entries: entries.slice(-maxEntries), revoked };
      await storage.put(storageKey, stored);
      return stored;
    },
  };
};

/**
 * Validates the feed's state as it is sent between control and the feed, which are deployed independently. Unknown fields
 * of entries are kept, since control writes back what it has read.
 * @throws TypeError if it is malformed
 */
export const parseFeed = (value: unknown): StoredFeed => {
  if (!isStoredFeed(value))
    throw new TypeError("a feed is { revision, entries, revoked? }, and each entry has a kind and an expiry");
  return value;
};

const isStoredFeed = (value: unknown): value is StoredFeed => {
  const { revision, entries, revoked = [] } = fieldsOf(value);
  return Number.isInteger(revision) && areStoredEntries(entries) && areStoredEntries(revoked);
};

const areStoredEntries = (value: unknown): boolean =>
  Array.isArray(value) &&
  value.every((it) => {
    const { kind, until } = fieldsOf(it);
    return typeof kind === "string" && Number.isFinite(until);
  });

/** Removes what gates do not need of a revocation, since each isolate reads all of them every few seconds. */
export const messageForGates = ({ revision, entries, revoked = [] }: StoredFeed): FeedMessage => ({
  revision,
  entries,
  revoked: revoked.map(({ id, issuer, by, reason, ...it }) => it),
});

/**
 * What the copy holds. A gate of an earlier release uses no copy with a kind of entry that it does not know, and would forget
 * closed routes and revocations; measuring can wait for the feed.
 */
export const copyForGates = ({ entries, ...it }: StoredFeed): FeedMessage =>
  messageForGates({ ...it, entries: entries.filter(({ kind }) => kind !== "measure") });
