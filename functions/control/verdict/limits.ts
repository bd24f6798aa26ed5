/** Findings of the absolute limits: what the canary may never exceed, regardless of stable. */

import type { Criteria } from "../model/criteria.ts";
import type { Finding } from "../model/finding.ts";
import { effectOf, type GroupCounts, groupCounts, sum } from "../stats/counts.ts";
import { canaryP99 } from "../stats/latency.ts";
import { atLeast, atMost } from "../stats/wealth.ts";
import { emptySample } from "../telemetry/samples.ts";
import type { Stage } from "./evidence.ts";
import type { Forecast } from "./forecast.ts";
import { type LimitFacts, limitText } from "./verdict-text.ts";

const limitedCounts = ["errors", "refusals", "abandoned"] as const;

type LimitedCount = (typeof limitedCounts)[number];

/** @param evidence logarithm of 1/α for all limits together */
export const limitsOf = (
  stages: readonly Stage[],
  { limits = {}, minRequests }: Criteria,
  evidence: number,
  forecast: Forecast,
): Finding[] => {
  const evidencePerLimit = evidence + Math.log(Math.max(1, Object.keys(limits).length));
  const context = { minRequests, evidence: evidencePerLimit, forecast };
  return [
    ...limitedCounts.flatMap((count) => {
      const limit = limits[count];
      return limit === undefined ? [] : [{ ...rateLimit(stages, count, limit, context), limit: count }];
    }),
    ...(limits.p99 === undefined ? [] : [{ ...latencyLimit(stages, limits.p99, context), limit: "p99" as const }]),
  ];
};

/** The part of the canary's requests whose gate died, against the tolerance of errors: it needs no stable version beside. */
export const deathsFinding = (
  stages: readonly Stage[],
  { tolerate, minRequests }: Criteria,
  evidence: number,
  forecast: Forecast,
): Finding => {
  const all = stages.map(({ canary, deaths = emptySample }) => ({
    hits: groupCounts(deaths, "errors").hits,
    of: groupCounts(canary, "errors").of,
  }));
  const context = { minRequests, evidence, forecast };
  return { ...boundedRate(all, "deaths", tolerate.errors, context), criterion: "deaths" };
};

interface LimitContext {
  readonly minRequests: number;
  /** Logarithm of 1/α for each limit. */
  readonly evidence: number;
  readonly forecast: Forecast;
}

const rateLimit = (stages: readonly Stage[], count: LimitedCount, limit: number, context: LimitContext): Finding =>
  boundedRate(
    stages.map(({ canary }) => groupCounts(canary, count)),
    count,
    limit,
    context,
  );

const boundedRate = (
  all: readonly GroupCounts[],
  count: LimitFacts["count"],
  limit: number,
  context: LimitContext,
): Finding => {
  const effect = effectOf(all);
  const [hits, of] = [sum(all.map((it) => sum(it.hits))), sum(all.map((it) => sum(it.of)))];
  const low = atLeast(hits / effect, of / effect, context.evidence);
  const highOf = (times: number) => atMost((hits * times) / effect, (of * times) / effect, context.evidence);
  const measured = { canary: of > 0 ? hits / of : null, low, highOf, requests: of, limit };
  return finding(measured, { count, value: hits }, context);
};

const latencyLimit = (stages: readonly Stage[], limit: number, context: LimitContext): Finding => {
  const samples = stages.map(({ canary }) => canary);
  const { value, low, requests, highOf } = canaryP99(samples, context.evidence);
  return finding({ canary: value, low, highOf, requests, limit }, { count: "p99", value }, context);
};

interface LimitBounds {
  readonly canary: number | null;
  readonly low: number | null;
  /** The upper bound for so many times the requests. */
  readonly highOf: (times: number) => number | null;
  readonly requests: number;
  readonly limit: number;
}

/** Bounds are distances from the limit; other criteria measure from stable. */
const finding = (
  { canary, low, highOf, requests, limit }: LimitBounds,
  named: Pick<LimitFacts, "count" | "value">,
  { minRequests, forecast }: LimitContext,
): Finding => {
  const passes = (times: number): boolean => {
    const bound = highOf(times);
    return bound !== null && bound <= limit && requests * times >= minRequests;
  };
  const high = highOf(1);
  const verdict = low !== null && low > limit ? "fail" : passes(1) ? "pass" : "not-enough";
  const needs = forecast(verdict, requests, passes);
  return {
    criterion: "limit",
    verdict,
    stable: null,
    canary,
    low: low === null ? null : low - limit,
    high: high === null ? null : high - limit,
    tolerate: limit,
    ...(needs !== undefined && { needs }),
    why: limitText({ ...named, verdict, requests, limit }),
  };
};
