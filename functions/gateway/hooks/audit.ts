/** A rule of the audit that one part brings: what in its own configuration is dangerous. Rules over whole routes judge by `FilterSecurity`. */
import type { KeyPath } from "./security.ts";

export interface AuditRule<Config> {
  /** What people write behind `postern-ignore`; it keeps its meaning for ever. Its golden case is `test/golden/audit/<id>.case`. */
  readonly id: string;
  readonly severity: "low" | "medium" | "high";
  /** What is wrong, in one sentence. */
  readonly summary: string;
  /** What has happened where it was so, or can. */
  readonly incident: string;
  /** What to write instead, and when it is right as it is. */
  readonly remedy: string;
  /** @param id the filter's id, or the upstream's name */
  readonly check: (config: Config, id: string) => readonly Spot[];
}

/** One place that a rule finds. */
export interface Spot {
  /** The key of the configuration; empty for the part's own line. */
  readonly at: KeyPath;
  readonly message: string;
  /** What to write there instead. */
  readonly remedy: string;
  readonly related?: readonly { readonly at: KeyPath; readonly message: string }[];
  /** What `--fix` writes in place of the value: only where nobody who does right can notice. */
  readonly fix?: { readonly says: string; readonly text: string };
}
