/** What a rule of the audit is: what it looks for, how grave that is, and what it has led to. */
import type { Environment } from "../../../../functions/manifest/environment.ts";
import type { CheckedTier, NamedFile } from "../../../compiler/model/checked.ts";
import type { Path } from "../../../diagnostics/locate.ts";
import type { RelatedLocation } from "../../../diagnostics/problem.ts";
import type { Source } from "../../../diagnostics/source.ts";
import type { Risk } from "../../core/risks.ts";
import type { TextChange } from "./edits.ts";
import type { PatternCosts } from "./patterns.ts";

export interface Rule {
  /** What people write behind `postern-ignore`; it keeps its meaning for ever. */
  readonly id: string;
  readonly severity: Risk;
  /** What is wrong, in one sentence. */
  readonly summary: string;
  /** What has happened where it was so, or can. */
  readonly incident: string;
  /** What to write instead, and when it is right as it is. */
  readonly remedy: string;
  readonly check: (subject: AuditTarget) => readonly RawFinding[];
}

/** One tier in one environment. */
export interface AuditTarget {
  readonly tier: CheckedTier;
  readonly environment: NamedFile<Environment>;
  /** All that people write for it: its manifest, its preset, the environment. */
  readonly files: readonly Source[];
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly patternCosts: PatternCosts;
}

/** What a rule has found. A filter that many routes share is told once. */
export interface RawFinding {
  readonly source: Source;
  readonly at: Path;
  /** Mark this key of the map, not the map. */
  readonly key?: string | undefined;
  readonly message: string;
  readonly remedy: string;
  readonly related?: readonly RelatedLocation[] | undefined;
  /** What `--fix` does: only where nobody who does right can notice. */
  readonly fix?: Fix | undefined;
}

export interface Fix {
  readonly says: string;
  readonly change: TextChange;
}
