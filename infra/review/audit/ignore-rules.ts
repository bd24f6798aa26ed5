/** Audit rules for ignore comments themselves. They cannot be ignored. */
import type { Rule } from "./rule-kit/rule.ts";

type IgnoreRule = Pick<Rule, "id" | "severity" | "summary" | "incident" | "remedy">;

export const invalidIgnore = {
  id: "invalid-ignore",
  severity: "medium",
  summary: "A comment that is meant to ignore a rule does not: a part is missing, or wrong.",
  incident:
    "Without a reason and a day, an ignore outlives everybody who knew why it was written, and the next reader takes it for a decision.",
  remedy:
    "Write `# postern-ignore <rule> until <date>: <reason>`, on the line that is marked or the one above. Several rules have commas between them; the day lies a year ahead at most, and the reason is a sentence.",
} as const satisfies IgnoreRule;

export const expiredIgnore = {
  id: "expired-ignore",
  severity: "medium",
  summary: "The day has passed until which a rule was to be ignored, so it is not any more.",
  incident: "What was to be for a few weeks stays for years; a day that comes makes somebody look once more.",
  remedy: "Mend what was ignored, or decide anew: another day, and a reason that still holds.",
} as const satisfies IgnoreRule;

export const unusedIgnore = {
  id: "unused-ignore",
  severity: "low",
  summary: "A comment ignores a rule that finds nothing there.",
  incident: "An ignore that stays when its cause is gone hides the next one that comes to stand on its line.",
  remedy: "Remove the comment; `--fix` does.",
} as const satisfies IgnoreRule;

export const ignoreRules: readonly IgnoreRule[] = [invalidIgnore, expiredIgnore, unusedIgnore];
