/** An audit finding at a source location. */
import type { Diagnostic } from "../../diagnostics/problem.ts";
import type { Risk } from "../core/risks.ts";
import type { Fix } from "./rule-kit/rule.ts";

export interface Finding extends Diagnostic {
  readonly severity: Risk;
  /** The file that explains its rule: `docs/reference/audit/long-token.md`. */
  readonly docs: string;
  /** Environments with the finding; empty if all have it. */
  readonly environments: readonly string[];
  readonly fix?: Fix;
}

export const ruleDocs = (rule: string): string => `docs/reference/audit/${rule}.md`;
