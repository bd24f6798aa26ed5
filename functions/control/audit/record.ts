/** Writes down what people do, before it is done and after, and what waits for a second person. */

import { type ApprovalScope, fingerprintOf, type Proposal, scopeLines } from "../model/approval.ts";
import { Refusal } from "../model/refusal.ts";
import { scopeIn } from "../model/stored-proposal.ts";
import { type Notice, type Notify, truncate } from "../notifications/notification.ts";
import type { Remote } from "../rpc/objects.ts";
import type { AuditEntry, Ledger } from "./ledger.ts";

export interface AuditPorts {
  readonly ledger: Remote<Ledger>;
  readonly notify: Notify;
  readonly now: () => number;
  readonly uuid: () => string;
  readonly log: (line: object) => void;
}

/** A proposal waits for a second person so long. */
const proposalMs = 60 * 60_000;

/** Lines of a notice. */
const maxScopeLines = 20;

/** In place of a tier's name, of what concerns several. */
export const allTiers = "*";

export const withAudit = async <T extends { readonly status: string; readonly why: string }>(
  { ledger, now }: Pick<AuditPorts, "ledger" | "now">,
  entry: Omit<AuditEntry, "id" | "outcome" | "at">,
  run: () => Promise<T>,
): Promise<T> => {
  const id = await ledger.write({ ...entry, at: now() });
  try {
    const result = await run();
    await ledger.settle(id, `${result.status}: ${result.why}`);
    return result;
  } catch (error) {
    await ledger.settle(id, `refused: ${error instanceof Error ? error.message : String(error)}`);
    throw error;
  }
};

interface ProposalRequest extends Pick<Proposal, "by" | "key" | "tier" | "what"> {
  readonly body: { readonly reason: string };
  /** What it is an approval of. */
  readonly bound: ApprovalScope;
}

/** A proposal as people are shown it. */
export interface ProposalView extends Omit<Proposal, "key"> {
  /** Who approves sends it back. */
  readonly fingerprint: string;
  readonly names: readonly string[];
}

export const proposalView = async ({ key, ...it }: Proposal): Promise<ProposalView> => ({
  ...it,
  fingerprint: await fingerprintOf(it),
  names: scopeLines(scopeIn(it) ?? { versions: [], commit: null }),
});

/**
 * @returns that it waits
 * @throws Refusal where too many do
 */
export const propose = async (
  { ledger, notify: tell, now, uuid, log }: AuditPorts,
  { body, bound, ...request }: ProposalRequest,
): Promise<Response> => {
  const { reason } = body;
  const at = now();
  const text = JSON.stringify({ ...body, bound });
  const proposal: Proposal = { id: uuid().slice(0, 8), until: at + proposalMs, ...request, body: text };
  if ((await ledger.propose(proposal, at)) === "full")
    throw new Refusal(`too many proposals of ${request.by} wait already; each is gone an hour after it was made`);
  // Who proposed it knows it without.
  await tell(approvalNotice(proposal, reason, bound, at)).catch(({ message }) =>
    log({ type: "untold", proposal: proposal.id, cause: message }),
  );
  return Response.json({ proposal: await proposalView(proposal) }, { status: 202 });
};

const approvalNotice = (
  { id, tier, what, by, until }: Omit<Proposal, "body">,
  reason: string,
  bound: ApprovalScope,
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
      reason: truncate(reason, 500),
      names: scopeLines(bound)
        .slice(0, maxScopeLines)
        .map((line) => truncate(line, 200)),
      actor: by,
      until: new Date(until).toISOString(),
    },
  };
};
