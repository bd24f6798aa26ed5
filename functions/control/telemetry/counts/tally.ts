/** Counters besides requests, by name and labels. */

/** An increment of a counter. */
export interface Tally {
  readonly name: TallyName;
  /** Without tier and version, which are the store's. */
  readonly labels: Readonly<Record<string, string>>;
  readonly by: number;
}

export type TallyName =
  /** Decisions of shadowed filters: `route`, `filter`, `decision`. */
  | "shadow"
  /** Requests for which a filter's store was unavailable: `route`, `filter`. */
  | "degraded"
  /** Streams that the gate ended: `route`, `how`, `kind`. */
  | "streams"
  /** Responses whose body failed after its headers: `route`, `upstream`, `how`. */
  | "bodies"
  /** Lost reports of gates. */
  | "reports-lost"
  /** Rejected reports: a gate of the tier reported for a tier that it does not serve. */
  | "reports-refused"
  /** Requests that died, as observed by the tail and the front: `seen`, `outcome`. */
  | "deaths"
  /** Fault lines that the tail received: `code`. */
  | "faults"
  /** Milliseconds of CPU that the tail received: `route`. */
  | "cpu"
  /** Requests whose CPU the tail knows: `route`. */
  | "cpu-requests"
  /** Requests that the front forwarded or answered itself: `status`, `code`. */
  | "front"
  /** Pushes to the collector: `signal`, `outcome`. */
  | "pushes"
  /** Spans and data points that did not reach the collector: `signal`. */
  | "push-lost"
  /** Data points beyond Analytics Engine's limit. */
  | "analytics-lost";
