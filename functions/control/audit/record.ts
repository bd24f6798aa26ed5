/** Records commands in the audit log before and after they run, and stores proposals that need a second person. */

import { type ApprovalScope, fingerprintOf, type Proposal, scopeLines } from "../model/approval.ts";
import { Refusal } from "../model/refusal.ts";
import { scopeIn } from "../model/stored-proposal.ts";
import { truncate } from "../model/text.ts";
import type { Notice, Notify } from "../notifications/notification.ts";
import type { Remote } from "../rpc/objects.ts";
import type { AuditEntry, Ledger } from "./ledger.ts";

export interface AuditPorts {
  readonly ledger: Remote<Ledger>;
  readonly notify: Notify;
  readonly now: () => number;
  readonly uuid: () => string;
  readonly log: (line: object) => void;
}

/** Lifetime of a proposal. */
const proposalMs = 60 * 60_000;

/** Scope lines in a notice. */
const maxScopeLines = 20;

/** Stands for the tier's name where a command concerns several tiers. */
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
  /** What the approval will cover. */
  readonly scope: ApprovalScope;
}

/** A proposal as it is displayed. */
export interface ProposalView extends Omit<Proposal, "key"> {
  /** The approver sends it back. */
  readonly fingerprint: string;
  readonly names: readonly string[];
}

export const proposalView = async ({ key, ...it }: Proposal): Promise<ProposalView> => ({
  ...it,
  fingerprint: await fingerprintOf(it),
  names: scopeLines(scopeIn(it) ?? { versions: [], commit: null }),
});

/**
 * Stores a proposal and notifies about it.
 * @returns a 202 response with the proposal
 * @throws Refusal if the operator has too many waiting proposals
 */
export const propose = async (
  { ledger, notify, now, uuid, log }: AuditPorts,
  { body, scope, ...request }: ProposalRequest,
): Promise<Response> => {
  const { reason } = body;
  const at = now();
  const text = JSON.stringify({ ...body, bound: scope });
  const proposal: Proposal = { id: uuid().slice(0, 8), until: at + proposalMs, ...request, body: text };
  if ((await ledger.propose(proposal, at)) === "full")
    throw new Refusal(`too many proposals of ${request.by} are waiting; each expires after an hour`);
  // The notice is optional: the proposer has the answer.
  await notify(approvalNotice(proposal, reason, scope, at)).catch(({ message }) =>
    log({ type: "untold", proposal: proposal.id, cause: message }),
  );
  return Response.json({ proposal: await proposalView(proposal) }, { status: 202 });
};

const approvalNotice = (
  { id, tier, what, by, until }: Omit<Proposal, "body">,
  reason: string,
  scope: ApprovalScope,
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
      names: scopeLines(scope)
        .slice(0, maxScopeLines)
        .map((line) => truncate(line, 200)),
      actor: by,
      until: new Date(until).toISOString(),
    },
  };
};
