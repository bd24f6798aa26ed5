/** What is counted of each cluster, and of requests that were dealt one by one. */

/**
 * `clientErrors`: the service's own 4xx. `faults`: requests that the gate itself failed, or that died. `measured`: those whose
 * latency is known, of a route that stable's past knows; what follows are parts of it, in which failed and abandoned requests
 * count. `slow99`: slower than the 99th percentile of stable's past on that route. `over50` to `over99`: slower than that
 * percentile, which for the canary is raised by the tolerated ratio. `late99`: as `over99`, without failed and abandoned requests.
 */
export const measures = [
  "requests",
  "errors",
  "refusals",
  "clientErrors",
  "abandoned",
  "faults",
  "measured",
  "slow99",
  "over50",
  "over90",
  "over99",
  "late99",
] as const;

export type Measure = (typeof measures)[number];

/** One number for each measure, in this order. */
export type MeasureCounts = ArrayLike<number>;

export const indexOf = Object.fromEntries(measures.map((it, index) => [it, index])) as Readonly<
  Record<Measure, number>
>;

/** A rate, and what it is a share of. */
export const rates = {
  errors: "requests",
  refusals: "requests",
  clientErrors: "requests",
  abandoned: "requests",
  faults: "requests",
  slow99: "measured",
  over50: "measured",
  over90: "measured",
  over99: "measured",
  late99: "measured",
} as const satisfies Partial<Record<Measure, "requests" | "measured">>;

export type Rate = keyof typeof rates;

export type Side = "stable" | "canary";
