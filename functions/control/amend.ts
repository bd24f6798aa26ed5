/** Changes what is laid over a tier, also where others write at the same moment. */
import { type Entry, mostEntries, type Told } from "../gateway/overlay.ts";

/** What gates are told, by tier. */
export interface Feed {
  readonly read: (tier: string) => Promise<Told>;
  /** @returns undefined where somebody else wrote since that revision */
  readonly write: (tier: string, revision: number, entries: readonly Entry[]) => Promise<Told | undefined>;
}

/** @throws where the feed does not answer in time, or answers with something else */
export const feedOf = (binding: Pick<Fetcher, "fetch">): Feed => {
  const ask = async (tier: string, init: RequestInit = {}): Promise<Told | undefined> => {
    const response = await binding.fetch(`https://feed/${tier}`, { ...init, signal: AbortSignal.timeout(patienceMs) });
    if (response.status === 412) return undefined;
    if (!response.ok) throw new Error(`the feed answered ${response.status}`);
    return response.json();
  };
  return {
    read: async (tier) => (await ask(tier)) as Told,
    write: (tier, revision, entries) => ask(tier, { method: "PUT", body: JSON.stringify({ revision, entries }) }),
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
export const amend = async (
  feed: Feed,
  tier: string,
  change: (entries: readonly Entry[]) => readonly Entry[],
): Promise<Told | undefined> => {
  for (let tries = 0; tries < mostTries; tries++) {
    const told = await feed.read(tier);
    const entries = change(told.entries);
    if (entries === told.entries) return told;
    if (entries.length > mostEntries) throw new Error(`${tier} has ${mostEntries} entries at most`);
    const after = await feed.write(tier, told.revision, entries);
    if (after) return after;
  }
  return undefined;
};
