/** What filters that validate requests leave unchecked. */

import { distinctFilters } from "../rule-kit/chains.ts";
import type { RawFinding, Rule } from "../rule-kit/rule.ts";

/** Maximum notes in a message; `postern effective` lists all. */
const maxNotes = 5;

export const uncheckedWord: Rule = {
  id: "unchecked-word",
  severity: "low",
  summary: "A schema says something of requests that no gate checks.",
  incident:
    "A validator that did not look at one thing let a file through with a field more than its reader had room for, and 8.5 million machines did not start (CrowdStrike, 2024).",
  remedy:
    "Say it by words that are checked: a `pattern` with a `maxLength` for a format of your own. Where the service checks it anyway, an ignore with that reason is right.",
  check: ({ tier }) =>
    distinctFilters(tier).flatMap(({ id, use, source, entry }): RawFinding[] => {
      const notes = (tier.validations.get(id)?.notes ?? []).filter(({ kind }) => kind !== "otherwise");
      if (notes.length === 0) return [];
      const shownNotes = notes.slice(0, maxNotes).map(({ where, what }) => `${where}: ${what}`);
      const more = notes.length > maxNotes ? [`and ${notes.length - maxNotes} more`] : [];
      const message = `${use} does not check all that its schemas say: ${[...shownNotes, ...more].join("; ")}`;
      return [{ source, at: entry, key: use, message, remedy: "say it by words that are checked, such as pattern" }];
    }),
};
