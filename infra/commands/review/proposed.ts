/** What waits for a second person, as verbs say it. */
import type { Shown } from "../../../functions/control/audit/record.ts";
import type { Desk } from "../../release/control-client.ts";
import type { Outcome } from "../../terminal/outcome.ts";
import { oneLine, oneLined } from "../../terminal/terminal.ts";

export interface Proposed {
  readonly proposal: Shown;
}

export const isProposed = (it: object): it is Proposed => "proposal" in it;

export const toldProposed = (it: Proposed): Outcome => {
  const { id, by } = oneLined(it.proposal);
  const text = `${shownProposal(it.proposal)}${by} proposed it; another operator approves it within an hour: npx postern approve ${id} --as <name>\n`;
  return { exitCode: 0, text, data: it };
};

/** What is approved, line by line. */
export const shownProposal = ({ tier, what, names }: Shown): string =>
  [tier === "*" ? what : `${what} ${tier}`, ...names]
    .map(oneLine)
    .map((line, index) => `${index === 0 ? "" : "  "}${line}\n`)
    .join("");

/** @throws where it waits no more */
export const proposalOf = async (desk: Desk, id: string): Promise<Shown> => {
  const all = await desk.call<readonly Shown[]>("GET", "/v1/proposals");
  const found = all.find((it) => it.id === id);
  if (!found) throw new Error(`no proposal ${id} waits; it may have been an hour`);
  return found;
};
