/** What was found of a release, for a machine and in a sentence. */

export interface Finding {
  readonly criterion:
    | "sample-ratio"
    | "errors"
    | "refusals"
    | "upstream-errors"
    | "abandoned"
    | "latency"
    | "limit"
    | "query";
  readonly verdict: "pass" | "fail" | "not-enough";
  /** Shares of requests; of latency the 99th percentile in milliseconds; of the sample ratio shares of all requests. */
  readonly stable: number | null;
  readonly canary: number | null;
  /** Bounds of canary minus stable; of latency and the sample ratio, of their ratio less one. */
  readonly low: number | null;
  readonly high: number | null;
  readonly tolerate: number | null;
  /** Of a query: when it was asked, in milliseconds since the epoch, and how often in a row it has been out of bounds. */
  readonly query?: { readonly name: string; readonly at: number; readonly inRow: number };
  /** A sentence for people. */
  readonly why: string;
}

export interface Verdict {
  readonly verdict: "pass" | "fail" | "not-enough";
  readonly findings: readonly Finding[];
}
