/** Audit rule for schema keywords that a gate does not check. */

import { distinctFilters } from "../rule-kit/chains.ts";
import type { RawFinding, Rule } from "../rule-kit/rule.ts";

/** Maximum notes in a message; `postern effective` lists all. */
const maxNotes = 5;

export const uncheckedWord: Rule = {
  id: "unchecked-word",
  severity: "low",
  summary: "A schema has keywords that no gate checks.",
  incident:
    "A validator that skipped one check let a file pass with one field more than its reader expected, and 8.5 million machines did not start (Falcon sensor, 2024).",
  remedy:
    "Use keywords that are checked: a `pattern` with a `maxLength` instead of a custom format. If the service checks it anyway, ignore the rule, with that reason.",
  check: ({ tier }) =>
    distinctFilters(tier).flatMap(({ id, use, source, entry }): RawFinding[] => {
      const notes = (tier.validations.get(id)?.notes ?? []).filter(({ kind }) => kind !== "otherwise");
      if (notes.length === 0) return [];
      const shownNotes = notes.slice(0, maxNotes).map(({ where, what }) => `${where}: ${what}`);
      const more = notes.length > maxNotes ? [`and ${notes.length - maxNotes} more`] : [];
      const message = `${use} does not check all keywords of its schemas: ${[...shownNotes, ...more].join("; ")}`;
      return [{ source, at: entry, key: use, message, remedy: "use keywords that are checked, such as pattern" }];
    }),
};
