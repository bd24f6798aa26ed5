/** Writes down what people do, before it is done and after, and what waits for a second person. */

import { type Bound, boundLines, fingerprintOf, type Proposal } from "../model/approval.ts";
import { Refusal } from "../model/refusal.ts";
import { boundIn } from "../model/stored-proposal.ts";
import { cut, type Notice, type Tell } from "../notifications/notification.ts";
import type { Remote } from "../rpc/objects.ts";
import type { Ledger, Line } from "./ledger.ts";

export interface Recorder {
  readonly ledger: Remote<Ledger>;
  readonly tell: Tell;
  readonly now: () => number;
  readonly uuid: () => string;
  readonly log: (line: object) => void;
}

/** A proposal waits for a second person so long. */
const proposalMs = 60 * 60_000;

/** Lines of a notice. */
const mostNames = 20;

/** In place of a tier's name, of what concerns several. */
export const everyTier = "*";

export const audited = async <T extends { readonly status: string; readonly why: string }>(
  { ledger, now }: Pick<Recorder, "ledger" | "now">,
  line: Omit<Line, "id" | "outcome" | "at">,
  act: () => Promise<T>,
): Promise<T> => {
  const id = await ledger.write({ ...line, at: now() });
  try {
    const it = await act();
    await ledger.settle(id, `${it.status}: ${it.why}`);
    return it;
  } catch (error) {
    await ledger.settle(id, `refused: ${error instanceof Error ? error.message : String(error)}`);
    throw error;
  }
};

interface Asked extends Pick<Proposal, "by" | "key" | "tier" | "what"> {
  readonly body: { readonly reason: string };
  /** What it is an approval of. */
  readonly bound: Bound;
}

/** A proposal as people are shown it. */
export interface Shown extends Omit<Proposal, "key"> {
  /** Who approves sends it back. */
  readonly fingerprint: string;
  readonly names: readonly string[];
}

export const shownProposal = async ({ key, ...it }: Proposal): Promise<Shown> => ({
  ...it,
  fingerprint: await fingerprintOf(it),
  names: boundLines(boundIn(it) ?? { versions: [], commit: null }),
});

/**
 * @returns that it waits
 * @throws Refusal where too many do
 */
export const proposed = async (
  { ledger, tell, now, uuid, log }: Recorder,
  { body, bound, ...what }: Asked,
): Promise<Response> => {
  const { reason } = body;
  const at = now();
  const text = JSON.stringify({ ...body, bound });
  const proposal: Proposal = { id: uuid().slice(0, 8), until: at + proposalMs, ...what, body: text };
  if ((await ledger.propose(proposal, at)) === "full")
    throw new Refusal(`too many proposals of ${what.by} wait already; each is gone an hour after it was made`);
  // Who proposed it knows it without.
  await tell(wanted(proposal, reason, bound, at)).catch(({ message }) =>
    log({ type: "untold", proposal: proposal.id, cause: message }),
  );
  return Response.json({ proposal: await shownProposal(proposal) }, { status: 202 });
};

const wanted = (
  { id, tier, what, by, until }: Omit<Proposal, "body">,
  reason: string,
  bound: Bound,
  at: number,
): Notice => {
  return {
    id: `msg_${id}`,
    type: "approval.wanted",
    at,
    subject: id,
    data: {
      tier,
      proposal: id,
      what,
      reason: cut(reason, 500),
      names: boundLines(bound)
        .slice(0, mostNames)
        .map((line) => cut(line, 200)),
      actor: by,
      until: new Date(until).toISOString(),
    },
  };
};
