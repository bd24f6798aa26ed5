/** Audit rules for ignore comments themselves. They cannot be ignored. */
import type { Rule } from "./rule-kit/rule.ts";

type IgnoreRule = Pick<Rule, "id" | "severity" | "summary" | "incident" | "remedy">;

export const invalidIgnore = {
  id: "invalid-ignore",
  severity: "medium",
  summary: "An ignore comment is not valid: a part is missing or wrong.",
  incident:
    "An ignore without a reason and a date outlives everybody who knew why it was written, and the next reader takes it for a decision.",
  remedy:
    "Write `# postern-ignore <rule> until <date>: <reason>`, on the marked line or the one above. Separate several rules with commas; the date is a year ahead at most, and the reason is a sentence.",
} as const satisfies IgnoreRule;

export const expiredIgnore = {
  id: "expired-ignore",
  severity: "medium",
  summary: "The date of an ignore has passed, so the rule is reported again.",
  incident: "A temporary exception stays for years; a date makes the team review it.",
  remedy: "Fix the finding, or decide again: another date, and a reason that is still valid.",
} as const satisfies IgnoreRule;

export const unusedIgnore = {
  id: "unused-ignore",
  severity: "low",
  summary: "An ignore comment names a rule that finds nothing there.",
  incident: "An ignore that stays after its cause is fixed hides the next finding on its line.",
  remedy: "Remove the comment; `--fix` does.",
} as const satisfies IgnoreRule;

export const ignoreRules: readonly IgnoreRule[] = [invalidIgnore, expiredIgnore, unusedIgnore];
