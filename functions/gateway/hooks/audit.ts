/** An audit rule of a part: what is dangerous in the part's own configuration. Rules over whole routes use `FilterSecurity`. */
import type { KeyPath } from "./security.ts";

export interface AuditRule<Config> {
  /** Its name in `postern-ignore` comments; never reused for something else. Its golden case is `test/golden/audit/<id>.case`. */
  readonly id: string;
  readonly severity: "low" | "medium" | "high";
  /** What is wrong, in one sentence. */
  readonly summary: string;
  /** An incident that the rule would have prevented. */
  readonly incident: string;
  /** How to fix it, and when to ignore the rule. */
  readonly remedy: string;
  /** @param id the filter's id, or the upstream's name */
  readonly check: (config: Config, id: string) => readonly PartFinding[];
}

/** One violation of a rule. */
export interface PartFinding {
  /** The path of the key in the configuration; empty for the part's own line. */
  readonly at: KeyPath;
  readonly message: string;
  /** What to write there instead. */
  readonly remedy: string;
  readonly related?: readonly { readonly at: KeyPath; readonly message: string }[];
  /** What `--fix` writes in place of the value; only if no legitimate client can notice it. */
  readonly fix?: { readonly says: string; readonly text: string };
}
