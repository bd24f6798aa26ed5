/** What the verdict needs to know of one stage: small, plain JSON. */
import type { Crossing } from "./crossings.ts";
import type { Difference } from "./difference.ts";
import type { Measure, Rate, Side } from "./measures.ts";
import type { Window } from "./windows.ts";

/** The clusters that reached a level in a window. */
export interface WindowCrossings {
  readonly window: Window;
  readonly measure: Measure;
  /** Index in `levels`. */
  readonly level: number;
  readonly trusted: Crossing;
  readonly anonymous: Crossing;
  /** The hits of each version in the window, and what they are a share of. */
  readonly hits: Readonly<Record<Side, { readonly hits: number; readonly of: number }>>;
}

/** Sums of one version. */
export interface SideSummary {
  /** By measure, in their order. */
  readonly totals: readonly number[];
  /** Clusters with requests; requests that were dealt one by one are not among them. */
  readonly clusters: number;
}

/** Clusters that a summary names. */
export const maxTop = 3;

/** The clusters of the canary with most hits. */
export interface TopCluster {
  readonly cluster: number;
  readonly hits: number;
}

export interface RateSummary extends Difference {
  /** The same of authenticated clusters and dealt requests alone. Absent where a limit needs none. */
  readonly trusted?: Difference;
  /** The canary's hits come from at least so many clients: consumers, and networks. */
  readonly clients: number;
  readonly top: readonly TopCluster[];
}

/** One for each store of telemetry. */
export interface StageSummary {
  /** A version reports groups of clients, as an earlier release does, so there are few units. */
  readonly isGrouped?: true;
  readonly stable: SideSummary;
  readonly canary: SideSummary;
  readonly crossings: readonly WindowCrossings[];
  /** Absent if only failures are judged. */
  readonly rates?: Readonly<Record<Rate, RateSummary>>;
  readonly requests?: RequestsSummary;
}

/** How the requests of both versions compare with the split. */
export interface RequestsSummary {
  /** Winsorised: of all clusters, and the canary's part of them. */
  readonly all: number;
  readonly canary: number;
  /** Sum of squares of the clusters' weights; one for each dealt request. */
  readonly squares: number;
}

/** When a measure begins to count after a change of the split, in milliseconds. */
export interface Settling {
  /** Earlier ones are no part of the sample ratio. */
  readonly requests: number;
  /** Of `measured` and its parts. Earlier ones count nowhere. */
  readonly latency: number;
}
