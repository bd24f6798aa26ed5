/** The findings of a verdict: figures for programs and a sentence for people. */

export const criteria = [
  "sample-ratio",
  "faults",
  "errors",
  "refusals",
  "client-errors",
  "abandoned",
  "latency",
  "limit",
  "query",
  "probe",
] as const;

export const verdicts = ["pass", "fail", "hold", "not-enough"] as const;

export interface Finding {
  readonly criterion:
    | (typeof criteria)[number]
    // Of rollouts of an earlier release.
    | "upstream-errors"
    | "deaths";
  /**
   * `hold`: harm that clients can cause themselves, or requests that are missing or too many. It does not roll back, and a person
   * decides about the next step.
   */
  readonly verdict: (typeof verdicts)[number];
  /** Shares of requests; for latency the 99th percentile in milliseconds; for the sample ratio shares of all requests. */
  readonly stable: number | null;
  readonly canary: number | null;
  /**
   * Bounds of canary minus stable, between clusters; for latency of the shares of requests that are slower than tolerated, and for
   * the sample ratio of the ratio minus one.
   */
  readonly low: number | null;
  readonly high: number | null;
  readonly tolerate: number | null;
  /** For a query: time of its evaluation in milliseconds since the epoch, and how often in a row it was out of bounds. */
  readonly query?: { readonly name: string; readonly at: number; readonly inRow: number };
  /** For a limit: what it bounds. */
  readonly limit?: "errors" | "refusals" | "abandoned" | "p99";
  /** For probes of the front: how often in a row each request was answered worse by the new version. */
  readonly probes?: Readonly<Record<string, number>>;
  /** What the shares are of. Absent for latency and queries, and in findings of an earlier release. */
  readonly counts?: { readonly stable: HitCount; readonly canary: HitCount };
  /** The most frequent causes of the new version's hits. */
  readonly causes?: readonly FindingCause[];
  /** The new version's hits come from at least so many clients; null if that is unknown. */
  readonly clients?: number | null;
  /** The clusters of the new version with most hits: `cluster` in the access log. */
  readonly clusters?: readonly HitCluster[];
  /** What is missing for a pass; null if the new version does not pass at its present rates. */
  readonly needs?: EvidenceNeeds | null;
  /** Sentences for people: `verdict-text.ts` writes all of them. */
  readonly why: string;
}

/** Requests that failed, were refused, or were abandoned. */
export interface HitCount {
  readonly hits: number;
  readonly requests: number;
}

export interface HitCluster {
  readonly cluster: number;
  readonly hits: number;
}

/** Why requests of the new version were refused, failed or were abandoned, and how many of stable were for the same cause. */
export interface FindingCause {
  /** `open/rates`; `open` if no route matched. */
  readonly route: string;
  /** The filter or the upstream; empty for an answer of the service itself. */
  readonly by: string;
  /** The problem's code, or the status of the service's answer. */
  readonly code: string;
  readonly canary: number;
  readonly stable: number;
}

/** More evidence, if requests continue as they do. */
export interface EvidenceNeeds {
  /** More requests of the new version. */
  readonly requests: number;
  /** Milliseconds; null if the new version gets no requests. */
  readonly ms: number | null;
}

export interface Verdict {
  readonly verdict: Finding["verdict"];
  readonly findings: readonly Finding[];
}
