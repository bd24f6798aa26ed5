/** How long a credential is believed. */
import { milliseconds } from "../../../../functions/gateway/core/quantities.ts";
import { distinctFilters, knowing } from "../rule-kit/chains.ts";
import type { Rule } from "../rule-kit/rule.ts";

const longest = "5m";

export const slowRevocation: Rule = {
  id: "slow-revocation",
  severity: "medium",
  summary: "A key or token that was taken back works on for minutes.",
  incident:
    "All customers of a build service had to take back every secret that they had given it, on the day that they heard of it (CircleCI, 2023). How long that takes to have effect is this number.",
  remedy: "Write 5m at most: each location asks once in that time.",
  check: ({ tier }) =>
    knowing(distinctFilters(tier), "revocation")
      .filter(({ fact }) => milliseconds(fact.after) > milliseconds(longest))
      .map(({ filter: { source, at }, fact }) => ({
        source,
        at: [...at, ...fact.at],
        message: `a ${fact.of} that was taken back works for ${fact.after} more`,
        remedy: `${longest} at most`,
      })),
};
