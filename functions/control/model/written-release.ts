/** The `release` of a manifest, as it is written. */
import type { Query, Release } from "./criteria.ts";

/** What a manifest may write of a step: `10%`, or with more to it. */
export type WrittenStep =
  | string
  | { readonly share: string; readonly bake?: string | undefined; readonly hold?: boolean | undefined };

/** What the new version is asked before any user meets it. */
export interface Smoke {
  /** As `GET /rates/USD`, under the tier's base. */
  readonly send: string;
  /** By default anything below 500. */
  readonly expect?: number | undefined;
}

export interface WrittenRelease {
  readonly steps: readonly WrittenStep[];
  readonly bake: string;
  readonly tolerate: Release["tolerate"];
  readonly limits?: Release["limits"];
  readonly queries?: Readonly<Record<string, Query>> | undefined;
  readonly smoke?: readonly Smoke[] | undefined;
  readonly drain?: string | undefined;
}
