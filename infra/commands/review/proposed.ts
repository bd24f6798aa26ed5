/** Proposals that need a second approver, as commands show them. */
import type { ProposalView } from "../../../functions/control/audit/record.ts";
import type { ControlClient } from "../../release/control-client.ts";
import { exitCode } from "../../terminal/contract.ts";
import type { Outcome } from "../../terminal/outcome.ts";
import { toOneLine, toOneLineValues } from "../../terminal/terminal.ts";

export interface ProposalResult {
  readonly proposal: ProposalView;
}

export const isProposed = (it: object): it is ProposalResult => "proposal" in it;

export const proposalOutcome = (it: ProposalResult): Outcome => {
  const { id, by } = toOneLineValues(it.proposal);
  const text = `${renderProposal(it.proposal)}${by} proposed it; another operator approves it within an hour: npx postern approve ${id} --as <name>\n`;
  // Nothing has been done yet.
  return { exitCode: exitCode.personNeeded, text, data: it };
};

/** The content of a proposal, line by line. */
export const renderProposal = ({ tier, what, names }: ProposalView): string =>
  [tier === "*" ? what : `${what} ${tier}`, ...names]
    .map(toOneLine)
    .map((line, index) => `${index === 0 ? "" : "  "}${line}\n`)
    .join("");

/** @throws if it is not pending any more */
export const findProposal = async (controlClient: ControlClient, id: string): Promise<ProposalView> => {
  const all = await controlClient.call<readonly ProposalView[]>("GET", "/v1/proposals");
  const found = all.find((it) => it.id === id);
  if (!found) throw new Error(`no proposal ${id} waits; it may have been an hour`);
  return found;
};
