/** What one tier's gates are told, as it is kept: whole lists, each with a revision that the next writer has to name. */

import { fieldsOf } from "../gateway/core/json.ts";
import { mostRevocations, type Revocation } from "../gateway/core/ports/revocations.ts";
import { type Entry, type Kept, mostEntries, type Told } from "../gateway/overlay/overlay.ts";

export interface Entries {
  readonly read: () => Promise<Kept>;
  /**
   * @param revoked by default as before
   * @returns undefined where somebody else wrote since that revision
   */
  readonly write: (
    revision: number,
    entries: readonly Entry[],
    revoked?: readonly Revocation[],
  ) => Promise<Kept | undefined>;
}

const key = "told";

export const entriesOn = (storage: Pick<DurableObjectStorage, "get" | "put">, now: () => number): Entries => {
  const current = <T extends { readonly until: number }>(all: readonly T[]) => all.filter(({ until }) => until > now());
  const read = async (): Promise<Kept> => {
    const { revision, entries, revoked = [] } = (await storage.get<Kept>(key)) ?? { revision: 0, entries: [] };
    return { revision, entries: current(entries), revoked: current(revoked) };
  };
  return {
    read,
    write: async (revision, entries, given) => {
      const before = await read();
      if (before.revision !== revision) return undefined;
      const revoked = (given ?? before.revoked ?? []).slice(-mostRevocations);
      const told = { revision: revision + 1, entries: entries.slice(-mostEntries), revoked };
      await storage.put(key, told);
      return told;
    },
  };
};

/**
 * The lists on their way between control and the feed, which are deployed apart. What only one of them knows of an entry
 * stays in it, since control writes back all that it has read.
 *
 * @throws TypeError where they are no such lists
 */
export const keptIn = (value: unknown): Kept => {
  if (!isKept(value)) throw new TypeError("a feed has { revision, entries, revoked? }, and each entry its end");
  return value;
};

const isKept = (value: unknown): value is Kept => {
  const { revision, entries, revoked = [] } = fieldsOf(value);
  return Number.isInteger(revision) && areKept(entries) && areKept(revoked);
};

const areKept = (value: unknown): boolean =>
  Array.isArray(value) &&
  value.every((it) => {
    const { kind, until } = fieldsOf(it);
    return typeof kind === "string" && Number.isFinite(until);
  });

/** Of a revocation a gate needs no more than what it is; each isolate asks for all of them every few seconds. */
export const forGates = ({ revision, entries, revoked = [] }: Kept): Told => ({
  revision,
  entries,
  revoked: revoked.map(({ id, issuer, by, reason, ...it }) => it),
});
