/** A gate's report to control: counts of an isolate since its last one. */

import type { BodyFailure, Outcome, StreamEnd, StreamKind } from "../core/types.ts";
import type { CellsAt } from "./cells.ts";
import type { FrontCounts } from "./front-counts.ts";
import type { Bins, Sample } from "./samples.ts";

/** Requests of one route with the same outcome. */
export interface Series {
  readonly route: string;
  /** A standard method, or `_OTHER`. */
  readonly method: string;
  /** `200`; empty in the overflow series. */
  readonly status: string;
  readonly verdict: Outcome["verdict"];
  readonly by: string;
  readonly code: string;
  /** The upstream that was called last; empty when there was none. */
  readonly upstream: string;
  readonly count: number;
  /** From the request to the response headers, or until the client disconnected. */
  readonly latency: Bins;
  /** Sums. */
  readonly upstreamMs: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** Events of requests besides their outcome. */
export interface Mark {
  /**
   * `shadow`: a decision of a shadowed filter. `degraded`: a filter's store was unavailable and `on-failure` applied.
   */
  readonly kind: "shadow" | "degraded";
  readonly route: string;
  readonly filter: string;
  /** The would-be problem code, or `pass`. */
  readonly decision: string;
  readonly count: number;
}

/** Streams that the gate ended. */
export interface EndedStreams {
  readonly route: string;
  readonly how: StreamEnd;
  readonly kind: StreamKind;
  readonly count: number;
}

/** Responses whose body failed after the headers. */
export interface FailedBodies {
  readonly route: string;
  readonly upstream: string;
  readonly how: BodyFailure;
  readonly count: number;
}

/** Responses of one cluster whose body failed after the headers, by the start of the interval in which the requests started. */
export interface BrokenBodies {
  readonly at: number;
  readonly cluster: number;
  readonly count: number;
}

/**
 * Requests of one cluster with the same series and latency. The bin is `unmeasured` for requests in a cold isolate.
 */
export type Cell = readonly [series: number, cluster: number, bin: number, count: number];

/** An isolate's report, version 1 of the format. It holds no path, query, header or key. */
export interface Report {
  readonly tier: string;
  readonly version: string;
  /** Without groups: control of this release reads `cells`. An older one requires it. */
  readonly sample: Sample;
  readonly series: readonly Series[];
  /** In the report of a gateway of a cutover: its series, for the causes of failures alone. */
  readonly causes?: readonly Series[];
  /** All requests, by cluster. A cell's series is an index of `causes` if there are any, else of `series`. */
  readonly cells: readonly CellsAt<Cell>[];
  /** Of the clusters that `cells` and `brokenBodies` count: see `isCounted`. */
  readonly every: number;
  readonly marks: readonly Mark[];
  readonly streams: readonly EndedStreams[];
  readonly bodies: readonly FailedBodies[];
  /** Those of responses that were no failures until then. */
  readonly brokenBodies: readonly BrokenBodies[];
  readonly fronts: readonly FrontCounts[];
  /** Earlier reports that could not be delivered. */
  readonly lost: number;
}
