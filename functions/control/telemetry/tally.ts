/** What is counted beside requests, by name and labels. */

/** So much more of it. */
export interface Tally {
  readonly name: TallyName;
  /** Without tier and version, which are the store's. */
  readonly labels: Readonly<Record<string, string>>;
  readonly by: number;
}

export type TallyName =
  /** Decisions of shadowed filters: `route`, `filter`, `decision`. */
  | "shadow"
  /** Requests for which a filter's store was not to be had: `route`, `filter`. */
  | "degraded"
  /** Streams that the gate ended: `route`, `how`. */
  | "streams"
  /** Reports of gates that reached nobody. */
  | "reports-lost"
  /** Reports that a gate of the tier made in the name of a tier that it does not serve. */
  | "reports-refused"
  /** What the tail and the front know of requests that died: `seen`, `outcome`. */
  | "deaths"
  /** Lines of faults that the tail heard of: `code`. */
  | "faults"
  /** Milliseconds of CPU that the tail heard of: `route`. */
  | "cpu"
  /** Requests of which it knows the CPU: `route`. */
  | "cpu-requests"
  /** Requests that the front handed on or answered itself: `status`, `code`. */
  | "front"
  /** Pushes to the collector: `signal`, `outcome`. */
  | "pushes"
  /** Spans and data points that reached no collector: `signal`. */
  | "push-lost"
  /** Data points that Analytics Engine would not have taken. */
  | "analytics-lost";
