/** Audit rules for tokens and keys: how long they are accepted, and from where. */
import { milliseconds } from "../../../../functions/gateway/core/quantities.ts";
import { distinctFilters, filtersWith } from "../rule-kit/chains.ts";
import type { Rule } from "../rule-kit/rule.ts";

const longest = "5m";

export const slowRevocation: Rule = {
  id: "slow-revocation",
  severity: "medium",
  summary: "A revoked key or token is accepted for minutes.",
  incident:
    "All customers of a build service had to revoke every secret stored there on the day of the disclosure (CircleCI, 2023). This value is how long a revocation takes to have effect.",
  remedy: "Set 5m at most: each location looks up once in that time.",
  check: ({ tier }) =>
    filtersWith(distinctFilters(tier), "revocation")
      .filter(({ fact }) => milliseconds(fact.after) > milliseconds(longest))
      .map(({ filter: { source, at }, fact }) => ({
        source,
        at: [...at, ...fact.at],
        message: `a ${fact.of} that was taken back works for ${fact.after} more`,
        remedy: `${longest} at most`,
      })),
};
