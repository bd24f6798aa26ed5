/** What a verdict on a rollout is given: what both versions did at the same time, stage by stage. */
import type { Sample } from "../../gateway/observability/samples.ts";

export type { Bins, Group, Sample } from "../../gateway/observability/samples.ts";

/** A stretch of time in which the split stood still. Its samples are totals: a later look has more of the same. */
export interface Stage {
  /** Of the canary's users, in [0, 1]. */
  readonly share: number;
  /** Milliseconds since the epoch. */
  readonly since: number;
  readonly until: number;
  readonly stable: Sample;
  readonly canary: Sample;
}
