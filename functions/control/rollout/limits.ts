/** Findings of the absolute limits: what the canary may never exceed, regardless of stable. */

import type { Criteria } from "../model/criteria.ts";
import type { Finding } from "../model/finding.ts";
import { effectOf, groupCounts, sum } from "../stats/counts.ts";
import { canaryP99 } from "../stats/latency.ts";
import { atLeast, atMost } from "../stats/wealth.ts";
import type { Stage } from "./evidence.ts";
import { milliseconds, number, percent } from "./format.ts";

const names = { errors: "errors", refusals: "refusals", abandoned: "abandoned by the client" } as const;

type LimitedCount = keyof typeof names;

/** @param evidence logarithm of 1/α for all limits together */
export const limitsOf = (
  stages: readonly Stage[],
  { limits = {}, minRequests }: Criteria,
  evidence: number,
): Finding[] => {
  const evidencePerLimit = evidence + Math.log(Math.max(1, Object.keys(limits).length));
  return [
    ...(Object.keys(names) as LimitedCount[]).flatMap((count) => {
      const limit = limits[count];
      return limit === undefined ? [] : [rateLimit(stages, count, limit, minRequests, evidencePerLimit)];
    }),
    ...(limits.p99 === undefined ? [] : [latencyLimit(stages, limits.p99, minRequests, evidencePerLimit)]),
  ];
};

const rateLimit = (
  stages: readonly Stage[],
  count: LimitedCount,
  limit: number,
  minRequests: number,
  evidence: number,
): Finding => {
  const all = stages.map(({ canary }) => groupCounts(canary, count));
  const effect = effectOf(all);
  const [hits, of] = [sum(all.map((it) => sum(it.hits))), sum(all.map((it) => sum(it.of)))];
  const low = atLeast(hits / effect, of / effect, evidence);
  const high = atMost(hits / effect, of / effect, evidence);
  return finding(
    { canary: of > 0 ? hits / of : null, low, high, limit },
    of >= minRequests,
    `limit: ${names[count]} are ${percent(of > 0 ? hits / of : 0)} of ${number(of)} requests where ${percent(limit)} is the maximum`,
  );
};

const latencyLimit = (stages: readonly Stage[], limit: number, minRequests: number, evidence: number): Finding => {
  const { value, low, high, requests } = canaryP99(
    stages.map(({ canary }) => canary),
    evidence,
  );
  return finding(
    { canary: value, low, high, limit },
    requests >= minRequests,
    `limit: p99 is ${milliseconds(value)} of ${number(requests)} warm requests where ${milliseconds(limit)} is the maximum`,
  );
};

interface LimitBounds {
  readonly canary: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly limit: number;
}

/** Bounds are distances from the limit; other criteria measure from stable. */
const finding = ({ canary, low, high, limit }: LimitBounds, enough: boolean, why: string): Finding => {
  const verdict =
    low !== null && low > limit ? "fail" : high !== null && high <= limit && enough ? "pass" : "not-enough";
  return {
    criterion: "limit",
    verdict,
    stable: null,
    canary,
    low: low === null ? null : low - limit,
    high: high === null ? null : high - limit,
    tolerate: limit,
    why: verdict === "not-enough" ? `${why}; not enough evidence yet` : why,
  };
};
