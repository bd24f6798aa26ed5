/** What waits for a second person, as verbs say it. */
import type { Outcome } from "../outcome.ts";

export interface Proposed {
  readonly proposal: { readonly id: string; readonly by: string };
}

export const isProposed = (it: object): it is Proposed => "proposal" in it;

export const toldProposed = (it: Proposed): Outcome => {
  const { id, by } = it.proposal;
  const text = `${by} proposed it; another operator approves it within an hour: npx postern approve ${id} --as <name>\n`;
  return { exitCode: 0, text, data: it };
};
