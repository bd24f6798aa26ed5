/** Changes what is laid over a tier, and which tokens it takes back, also where others write at the same moment. */

import { keptIn } from "../../feed/entries.ts";
import { mostRevocations, type Revocation } from "../../gateway/core/ports/revocations.ts";
import { type Entry, type Kept, mostEntries } from "../../gateway/overlay/overlay.ts";

/** What gates are told, by tier. */
export interface Feed {
  readonly read: (tier: string) => Promise<Kept>;
  /**
   * @param revoked by default as before
   * @returns undefined where somebody else wrote since that revision
   */
  readonly write: (
    tier: string,
    revision: number,
    entries: readonly Entry[],
    revoked?: readonly Revocation[],
  ) => Promise<Kept | undefined>;
}

/** @throws where the feed does not answer in time, or answers with something else */
export const feedOf = (binding: Pick<Fetcher, "fetch">): Feed => {
  const ask = async (tier: string, init: RequestInit = {}): Promise<Kept | undefined> => {
    const response = await binding.fetch(`https://feed/${tier}`, { ...init, signal: AbortSignal.timeout(patienceMs) });
    if (response.status === 412) return undefined;
    if (!response.ok) throw new Error(`the feed answered ${response.status}`);
    return keptIn(await response.json());
  };
  return {
    read: async (tier) => {
      const kept = await ask(tier);
      if (!kept) throw new Error("the feed answered 412 to a read");
      return kept;
    },
    write: (tier, revision, entries, revoked) =>
      ask(tier, { method: "PUT", body: JSON.stringify({ revision, entries, revoked }) }),
  };
};

const patienceMs = 10_000;
const mostTries = 5;

/**
 * Reads, changes and writes, and again from what somebody else has written in between.
 *
 * @param change pure; what it returns unchanged is not written
 * @returns what is laid over the tier then; undefined where others were faster each time
 * @throws where it would be more than a tier may have
 */
export const amend = (
  feed: Feed,
  tier: string,
  change: (entries: readonly Entry[]) => readonly Entry[],
): Promise<Kept | undefined> =>
  amending(feed, tier, (told) => {
    const entries = change(told.entries);
    if (entries.length > mostEntries) throw new Error(`${tier} has ${mostEntries} entries at most`);
    return entries === told.entries ? told : { ...told, entries };
  });

/** As `amend` does, of what is taken back. */
export const amendRevoked = (
  feed: Feed,
  tier: string,
  change: (revoked: readonly Revocation[]) => readonly Revocation[],
): Promise<Kept | undefined> =>
  amending(feed, tier, (told) => {
    const before = told.revoked ?? [];
    const revoked = change(before);
    if (revoked.length > mostRevocations) throw new Error(`${tier} has ${mostRevocations} revocations at most`);
    return revoked === before ? told : { ...told, revoked };
  });

const amending = async (feed: Feed, tier: string, change: (told: Kept) => Kept): Promise<Kept | undefined> => {
  for (let tries = 0; tries < mostTries; tries++) {
    const told = await feed.read(tier);
    const wanted = change(told);
    if (wanted === told) return told;
    const after = await feed.write(tier, told.revision, wanted.entries, wanted.revoked);
    if (after) return after;
  }
  return undefined;
};
