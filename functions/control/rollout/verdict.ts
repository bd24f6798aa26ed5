/** What is found of a release. */
import type { Criteria } from "./criteria.ts";
import type { Stage } from "./evidence.ts";

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
  readonly stable: number | null;
  readonly canary: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly tolerate: number | null;
  readonly why: string;
}

export interface Verdict {
  readonly verdict: "pass" | "fail" | "not-enough";
  readonly findings: readonly Finding[];
}

export const judge = (_stages: readonly Stage[], _criteria: Criteria): Verdict => ({
  verdict: "not-enough",
  findings: [],
});
