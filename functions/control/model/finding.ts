/** The findings of a verdict: figures for programs and a sentence for people. */

export interface Finding {
  readonly criterion:
    | "sample-ratio"
    | "errors"
    | "refusals"
    | "upstream-errors"
    | "abandoned"
    | "latency"
    | "limit"
    | "query"
    | "probe";
  readonly verdict: "pass" | "fail" | "not-enough";
  /** Shares of requests; for latency the 99th percentile in milliseconds; for the sample ratio shares of all requests. */
  readonly stable: number | null;
  readonly canary: number | null;
  /** Bounds of canary minus stable; for latency and the sample ratio, of the ratio minus one. */
  readonly low: number | null;
  readonly high: number | null;
  readonly tolerate: number | null;
  /** For a query: time of its evaluation in milliseconds since the epoch, and how often in a row it was out of bounds. */
  readonly query?: { readonly name: string; readonly at: number; readonly inRow: number };
  /** For probes of the front: how often in a row each request was answered worse by the new version. */
  readonly probes?: Readonly<Record<string, number>>;
  /** A sentence for people. */
  readonly why: string;
}

export interface Verdict {
  readonly verdict: "pass" | "fail" | "not-enough";
  readonly findings: readonly Finding[];
}
