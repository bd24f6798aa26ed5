/** The `release` of a manifest, as it is written. */
import type { Query, ReleaseCriteria } from "./criteria.ts";

/** A step in a manifest: `10%`, or an object. */
export type StepConfig =
  | string
  | { readonly share: string; readonly bake?: string | undefined; readonly hold?: boolean | undefined };

/** A smoke test's request and expected status. */
export interface SmokeRequest {
  /** Method and path under the tier's base, such as `GET /rates/USD`. */
  readonly send: string;
  /** Expected status; default: any below 500. */
  readonly expect?: number | undefined;
}

/** The watch after the promotion in a manifest: `1h`, or an object. */
export type WatchConfig = string | { readonly for: string; readonly "hold-back": string };

export interface ReleaseConfig {
  /** `auto`: chosen by the traffic when the rollout starts. */
  readonly steps: readonly StepConfig[] | "auto";
  readonly bake: string;
  readonly tolerate: ReleaseCriteria["tolerate"];
  readonly limits?: ReleaseCriteria["limits"];
  readonly queries?: Readonly<Record<string, Query>> | undefined;
  readonly smoke?: readonly SmokeRequest[] | undefined;
  readonly drain?: string | undefined;
  readonly watch?: WatchConfig | undefined;
}
