/** The `release` of a manifest, as it is written. */
import type { Query, ReleaseCriteria } from "./criteria.ts";

/** What a manifest may write of a step: `10%`, or with more to it. */
export type StepConfig =
  | string
  | { readonly share: string; readonly bake?: string | undefined; readonly hold?: boolean | undefined };

/** What the new version is asked before any user meets it. */
export interface SmokeRequest {
  /** As `GET /rates/USD`, under the tier's base. */
  readonly send: string;
  /** By default anything below 500. */
  readonly expect?: number | undefined;
}

export interface ReleaseConfig {
  readonly steps: readonly StepConfig[];
  readonly bake: string;
  readonly tolerate: ReleaseCriteria["tolerate"];
  readonly limits?: ReleaseCriteria["limits"];
  readonly queries?: Readonly<Record<string, Query>> | undefined;
  readonly smoke?: readonly SmokeRequest[] | undefined;
  readonly drain?: string | undefined;
}
