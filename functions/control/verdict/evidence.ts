/** The evidence for a verdict: what both versions did during the same time, stage by stage. */
import type { Side } from "../stats/measures.ts";
import type { StageSummary } from "../stats/stage-summary.ts";
import type { StoredSample } from "../telemetry/counts/samples.ts";

export type { Bins, Group, Sample } from "../../gateway/observability/samples.ts";

/** A period with an unchanged split. Its evidence is cumulative: a later evaluation includes it. */
export interface Stage {
  /** The canary's share of users, in [0, 1]; 1 if stable has no users. */
  readonly share: number;
  /** The largest that a Worker had, if they had different ones. */
  readonly most?: number;
  /** Milliseconds since the epoch. */
  readonly since: number;
  readonly until: number;
  /** What clusters met, for each tier and Worker; one more for what only the tail saw of a front. */
  readonly units: readonly StageSummary[];
  /** Totals for display, with the causes of failures. */
  readonly stable: StoredSample;
  readonly canary: StoredSample;
  /**
   * Requests that the tail saw, by its access lines: if gates reported fewer of the canary, it tells lost reports from lost
   * requests. Absent if the tail saw none.
   */
  readonly witnessed?: Readonly<Record<Side, number>>;
}
