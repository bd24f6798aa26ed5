/** Writes what gates are told, as an operator asked for it: of the revision that was looked at, and into the ledger before it is done and after. */

import type { Revocation } from "../../gateway/core/ports/revocations.ts";
import type { Entry, Kept } from "../../gateway/overlay/overlay.ts";
import { amend, amendRevoked, type Feed } from "../overlay/feed-client.ts";
import { type Desk, problem } from "./ports.ts";

/** One of the lists that a feed has of a tier. */
interface List<T> {
  /** For people. */
  readonly name: string;
  readonly of: (told: Kept) => readonly T[];
  readonly placed: (told: Kept, all: readonly T[]) => Kept;
  readonly amend: (feed: Feed, tier: string, change: Change<T>) => Promise<Kept | undefined>;
}

type Change<T> = (all: readonly T[]) => readonly T[];

export const overlays: List<Entry> = {
  name: "the overlay",
  of: ({ entries }) => entries,
  placed: (told, entries) => ({ ...told, entries }),
  amend,
};

export const revocations: List<Revocation> = {
  name: "what is revoked",
  of: ({ revoked = [] }) => revoked,
  placed: (told, revoked) => ({ ...told, revoked }),
  amend: amendRevoked,
};

/** The ledger has what goes and what comes: the lists are long. */
const shown = <T>(before: readonly T[], after: readonly T[]): { readonly before: string; readonly asked: string } => ({
  before: JSON.stringify(before.filter((it) => !after.includes(it))),
  asked: JSON.stringify(after.filter((it) => !before.includes(it))),
});

interface Asked {
  readonly tier: string;
  /** Who names a revision changes that one and no other. */
  readonly ifMatch: string | undefined;
  readonly by: string;
  readonly what: string;
  readonly reason: string;
}

/** @returns what gates are told then, or a problem */
export const laying = async <T>(
  { overlay: feed, ledger, now }: Pick<Desk, "overlay" | "ledger" | "now">,
  { tier, ifMatch, ...line }: Asked,
  list: List<T>,
  change: Change<T>,
): Promise<Kept | Response> => {
  const told = await feed.read(tier);
  if (ifMatch !== undefined && ifMatch !== `"${told.revision}"`)
    return problem(412, `${list.name} of ${tier} is at revision ${told.revision}; look at it again`);
  const before = list.of(told);
  const wanted = list.placed(told, change(before));
  const id = await ledger.write({ ...line, tier, at: now(), ...shown(before, list.of(wanted)) });
  const after = await (ifMatch === undefined
    ? list.amend(feed, tier, change)
    : feed.write(tier, told.revision, wanted.entries, wanted.revoked)
  ).catch(async (error) => {
    await ledger.settle(id, `refused: ${error instanceof Error ? error.message : String(error)}`);
    throw error;
  });
  await ledger.settle(id, after ? `revision ${after.revision}` : "refused: somebody else wrote");
  return after ?? problem(412, `${list.name} of ${tier} has just been written; look at it again`);
};
