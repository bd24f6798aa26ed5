/** A gate's report to control: counts of an isolate since its last one. */
import type { BodyFailure, Outcome, StreamEnd, StreamKind } from "../core/types.ts";
import type { FrontCounts } from "./outcome-counts.ts";
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

/** An isolate's report, version 1 of the format. It holds no path, query, header or key. */
export interface Report {
  readonly tier: string;
  readonly version: string;
  readonly sample: Sample;
  readonly series: readonly Series[];
  /** In the report of a gateway of a cutover: its series, for the causes of failures alone. */
  readonly causes?: readonly Series[];
  readonly marks: readonly Mark[];
  readonly streams: readonly EndedStreams[];
  readonly bodies: readonly FailedBodies[];
  readonly fronts: readonly FrontCounts[];
  /** Earlier reports that could not be delivered. */
  readonly lost: number;
}
