/** The types of an audit rule, its input and its findings. */
import type { Environment } from "../../../../functions/manifest/environment.ts";
import type { CheckedTier, NamedFile } from "../../../compiler/model/checked.ts";
import type { Path } from "../../../diagnostics/locate.ts";
import type { RelatedLocation } from "../../../diagnostics/problem.ts";
import type { Source } from "../../../diagnostics/source.ts";
import type { Risk } from "../../core/risks.ts";
import type { TextChange } from "./edits.ts";
import type { PatternCosts } from "./patterns.ts";

export interface Rule {
  /** Its name in `postern-ignore` comments; never reused for something else. */
  readonly id: string;
  readonly severity: Risk;
  /** What is wrong, in one sentence. */
  readonly summary: string;
  /** An incident that the rule would have prevented. */
  readonly incident: string;
  /** How to fix it, and when to ignore the rule. */
  readonly remedy: string;
  readonly check: (subject: AuditTarget) => readonly RawFinding[];
}

/** One tier in one environment. */
export interface AuditTarget {
  readonly tier: CheckedTier;
  readonly environment: NamedFile<Environment>;
  /** Its source files: manifest, preset, environment. */
  readonly files: readonly Source[];
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly patternCosts: PatternCosts;
}

/** A rule's result, before merging. */
export interface RawFinding {
  readonly source: Source;
  readonly at: Path;
  /** Mark this key of the map, not the map. */
  readonly key?: string | undefined;
  readonly message: string;
  readonly remedy: string;
  readonly related?: readonly RelatedLocation[] | undefined;
  /** The change that `--fix` makes; only if no legitimate client can notice it. */
  readonly fix?: Fix | undefined;
}

export interface Fix {
  readonly says: string;
  readonly change: TextChange;
}
