/** Audit rule for regular expressions that run on client input. */

import { capturesOf } from "../../../../functions/gateway/routing/match.ts";
import type { Matcher } from "../../../../functions/gateway/routing/matchers.ts";
import type { Path } from "../../../diagnostics/locate.ts";
import type { Source } from "../../../diagnostics/source.ts";
import { distinctFilters } from "../rule-kit/chains.ts";
import type { AuditTarget, RawFinding, Rule } from "../rule-kit/rule.ts";

export const costlyPattern: Rule = {
  id: "costly-pattern",
  severity: "medium",
  summary: "A client can make a pattern test each character of its input a hundred times.",
  incident:
    "One pattern with too much backtracking used all processors of a network, and half of the web was down for half an hour (Cloudflare, 2019); a line of spaces did the same to a question page (Stack Overflow, 2016).",
  remedy:
    "Let neighbouring parts match different characters, or bound both: `[a-z]{1,40}[0-9]{1,20}`. The language rejects patterns with exponential backtracking, such as `(a+)+`.",
  check: (target) =>
    listPatterns(target).flatMap(({ source, at, pattern }): RawFinding[] => {
      const cost = target.patternCosts(pattern);
      if (!cost) return [];
      const { tries, pump } = cost;
      const message =
        pump === undefined
          ? `"${pattern}" may test each character ${tries} times; the contrary could not be proven`
          : `${JSON.stringify(pump)} repeated makes "${pattern}" test each character ${tries} times`;
      return [{ source, at, message, remedy: "let its parts match different characters, or bound both" }];
    }),
};

interface LocatedPattern {
  readonly source: Source;
  readonly at: Path;
  readonly pattern: string;
}

const listPatterns = ({ tier }: AuditTarget): LocatedPattern[] => [
  ...tier.routes.flatMap(({ name, segments, when }) => [
    ...capturesOf(segments).flatMap(({ pattern }) =>
      pattern !== undefined ? [{ source: tier.source, at: ["routes", name, "match"], pattern }] : [],
    ),
    ...matcherPatterns(when, tier.source, ["routes", name, "when"]),
  ]),
  ...distinctFilters(tier).flatMap(({ when, source, entry }) => matcherPatterns(when, source, [...entry, "when"])),
];

const matcherPatterns = (when: readonly Matcher[], source: Source, at: Path): LocatedPattern[] =>
  when
    .filter(([, , is]) => is === "matches")
    .map(([on, name, , pattern]) => ({ source, at: [...at, on, name, "matches"], pattern }));
