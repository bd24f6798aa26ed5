/** Findings of the absolute limits: what the canary may never exceed, regardless of stable. */

import type { Criteria } from "../model/criteria.ts";
import type { Finding } from "../model/finding.ts";
import { effectOf, type GroupCounts, groupCounts, sum } from "../stats/counts.ts";
import { canaryP99 } from "../stats/latency.ts";
import { atLeast, atMost } from "../stats/wealth.ts";
import { emptySample } from "../telemetry/samples.ts";
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
      return limit === undefined
        ? []
        : [{ ...rateLimit(stages, count, limit, minRequests, evidencePerLimit), limit: count }];
    }),
    ...(limits.p99 === undefined
      ? []
      : [{ ...latencyLimit(stages, limits.p99, minRequests, evidencePerLimit), limit: "p99" as const }]),
  ];
};

const rateLimit = (
  stages: readonly Stage[],
  count: LimitedCount,
  limit: number,
  minRequests: number,
  evidence: number,
): Finding => {
  const { of, ...bounds } = rateBounds(
    stages.map(({ canary }) => groupCounts(canary, count)),
    limit,
    evidence,
  );
  return finding(
    bounds,
    of >= minRequests,
    `limit: ${names[count]} are ${percent(bounds.canary ?? 0)} of ${number(of)} requests where ${percent(limit)} is the maximum`,
  );
};

/** The part of the canary's requests whose gate died, against the tolerance of errors: it needs no stable version beside. */
export const deathsFinding = (
  stages: readonly Stage[],
  { tolerate, minRequests }: Criteria,
  evidence: number,
): Finding => {
  const { of, ...bounds } = rateBounds(
    stages.map(({ canary, deaths = emptySample }) => ({
      hits: groupCounts(deaths, "errors").hits,
      of: groupCounts(canary, "errors").of,
    })),
    tolerate.errors,
    evidence,
  );
  const why = `deaths: the gate died in ${percent(bounds.canary ?? 0)} of ${number(of)} requests where ${percent(tolerate.errors)} is tolerated`;
  return { ...finding(bounds, of >= minRequests, why), criterion: "deaths" };
};

const rateBounds = (
  all: readonly GroupCounts[],
  limit: number,
  evidence: number,
): LimitBounds & { readonly of: number } => {
  const effect = effectOf(all);
  const [hits, of] = [sum(all.map((it) => sum(it.hits))), sum(all.map((it) => sum(it.of)))];
  return {
    of,
    canary: of > 0 ? hits / of : null,
    low: atLeast(hits / effect, of / effect, evidence),
    high: atMost(hits / effect, of / effect, evidence),
    limit,
  };
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
