/** The evidence for a verdict: what both versions did during the same time, stage by stage. */
import type { StageSummary } from "../stats/stage-evidence.ts";
import type { StoredSample } from "../telemetry/samples.ts";

export type { Bins, Group, Sample } from "../../gateway/observability/samples.ts";

/** A period with an unchanged split. */
export interface Stage {
  /** The canary's share of users, in [0, 1]; 1 if stable has no users. */
  readonly share: number;
  /** Milliseconds since the epoch. */
  readonly since: number;
  readonly until: number;
  /** What clusters did, one for each store of telemetry. */
  readonly units: readonly StageSummary[];
  /** Totals to display, with the causes of failures. */
  readonly stable: StoredSample;
  readonly canary: StoredSample;
  /** Requests of both versions as the tail saw them. Absent if it saw none. */
  readonly witnessed?: { readonly stable: number; readonly canary: number };
}
