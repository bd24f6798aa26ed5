/** The evidence for a verdict: what both versions did during the same time, stage by stage. */
import type { StoredSample } from "../telemetry/samples.ts";

export type { Bins, Group, Sample } from "../../gateway/observability/samples.ts";

/** A period with an unchanged split. Its samples are cumulative: a later evaluation includes them. */
export interface Stage {
  /** The canary's share of users, in [0, 1]; 1 if stable has no users. */
  readonly share: number;
  /** Milliseconds since the epoch. */
  readonly since: number;
  readonly until: number;
  readonly stable: StoredSample;
  readonly canary: StoredSample;
  /** The canary's requests whose gate died; only for a period without users on stable. They are part of `canary` too. */
  readonly deaths?: StoredSample;
}
