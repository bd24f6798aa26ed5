/** What a verdict rests on. */
import type { Sample } from "../../gateway/telemetry-samples.ts";

/** A stretch of time in which the split stood still, and what both versions did in it. */
export interface Stage {
  /** Of the canary, in [0, 1]. */
  readonly share: number;
  /** Milliseconds since the epoch. */
  readonly since: number;
  readonly until: number;
  readonly stable: Sample;
  readonly canary: Sample;
}
