/** Writes an operator's change to the feed that gates read. Checks the expected revision, and records the change in the audit log before and after. */

import type { StoredRevocation } from "../../gateway/core/ports/revocations.ts";
import type { OverlayEntry, StoredFeed } from "../../gateway/overlay/overlay.ts";
import { amendEntries, amendRevoked, type Feed } from "../overlay/feed-client.ts";
import { type ControlPorts, problem } from "./ports.ts";

/** One of a tier's lists in the feed: overlay entries or revocations. */
interface FeedList<T> {
  /** Used in messages. */
  readonly name: string;
  readonly read: (state: StoredFeed) => readonly T[];
  readonly replace: (state: StoredFeed, all: readonly T[]) => StoredFeed;
  readonly amend: (feed: Feed, tier: string, change: ListChange<T>) => Promise<StoredFeed | undefined>;
}

type ListChange<T> = (all: readonly T[]) => readonly T[];

export const overlayList: FeedList<OverlayEntry> = {
  name: "the overlay",
  read: ({ entries }) => entries,
  replace: (state, entries) => ({ ...state, entries }),
  amend: amendEntries,
};

export const revocationList: FeedList<StoredRevocation> = {
  name: "the revocation list",
  read: ({ revoked = [] }) => revoked,
  replace: (state, revoked) => ({ ...state, revoked }),
  amend: amendRevoked,
};

/** The audit log keeps removed and added entries only, because the lists are long. */
const auditDiff = <T>(
  before: readonly T[],
  after: readonly T[],
): { readonly before: string; readonly asked: string } => ({
  before: JSON.stringify(before.filter((it) => !after.includes(it))),
  asked: JSON.stringify(after.filter((it) => !before.includes(it))),
});

interface FeedWriteRequest {
  readonly tier: string;
  /** The expected revision; a mismatch answers 412. */
  readonly ifMatch: string | undefined;
  readonly by: string;
  readonly what: string;
  readonly reason: string;
}

/** @returns the feed's new state, or a problem response */
export const writeFeed = async <T>(
  { overlay: feed, ledger, now }: Pick<ControlPorts, "overlay" | "ledger" | "now">,
  { tier, ifMatch, ...line }: FeedWriteRequest,
  list: FeedList<T>,
  change: ListChange<T>,
): Promise<StoredFeed | Response> => {
  const state = await feed.read(tier);
  if (ifMatch !== undefined && ifMatch !== `"${state.revision}"`)
    return problem(412, `${list.name} of ${tier} is at revision ${state.revision}; read it again`);
  const before = list.read(state);
  const changed = list.replace(state, change(before));
  const id = await ledger.write({ ...line, tier, at: now(), ...auditDiff(before, list.read(changed)) });
  const after = await (ifMatch === undefined
    ? list.amend(feed, tier, change)
    : feed.write(tier, state.revision, changed.entries, changed.revoked)
  ).catch(async (error) => {
    await ledger.settle(id, `refused: ${error instanceof Error ? error.message : String(error)}`);
    throw error;
  });
  await ledger.settle(id, after ? `revision ${after.revision}` : "refused: changed by someone else");
  return after ?? problem(412, `${list.name} of ${tier} has just been changed by someone else; read it again`);
};
