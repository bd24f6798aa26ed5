/** What is counted of each cluster, and of requests that were dealt one by one. */

/** A count is the sum of its hits; `measured` is what the three counts of slowness are shares of. */
export const measures = [
  "requests",
  "errors",
  "refusals",
  "clientErrors",
  "abandoned",
  "faults",
  "measured",
  "slow50",
  "slow90",
  "slow99",
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
  slow50: "measured",
  slow90: "measured",
  slow99: "measured",
} as const satisfies Partial<Record<Measure, "requests" | "measured">>;

export type Rate = keyof typeof rates;

export type Side = "stable" | "canary";
