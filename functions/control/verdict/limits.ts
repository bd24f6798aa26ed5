/** Findings of the absolute limits: what the canary may never exceed, regardless of stable. */

import type { Finding } from "../model/finding.ts";
import { combinedRate, effectiveRequests, totalOf, trustedRate } from "../stats/combined.ts";
import type { Rate } from "../stats/measures.ts";
import { percentile99 } from "../stats/percentile.ts";
import { atLeast, atMost } from "../stats/wealth.ts";
import type { VerdictContext } from "./context.ts";
import type { Stage } from "./evidence.ts";
import type { Forecast } from "./forecast.ts";
import { statsOf } from "./measurement.ts";
import { type LimitFacts, limitText } from "./verdict-text.ts";

const limitedCounts = ["errors", "refusals", "abandoned"] as const;

/** @param stages at most one: the newest */
export const limitsOf = (stages: readonly Stage[], { criteria, budget, forecast }: VerdictContext): Finding[] => {
  const { limits = {}, minRequests } = criteria;
  const evidence = Math.log(Math.max(1, Object.keys(limits).length) / budget);
  const context = { minRequests, evidence, forecast };
  return [
    ...limitedCounts.flatMap((count) => {
      const limit = limits[count];
      return limit === undefined ? [] : [{ ...boundedRate(stages, count, limit, context), limit: count }];
    }),
    ...(limits.p99 === undefined ? [] : [{ ...latencyLimit(stages, limits.p99, context), limit: "p99" as const }]),
  ];
};

/** Requests that the gate itself failed, against the tolerance of errors: it needs no stable version beside. */
export const faultsLimit = (stages: readonly Stage[], { criteria, budget, forecast }: VerdictContext): Finding => ({
  ...boundedRate(stages, "faults", criteria.tolerate.errors, {
    minRequests: criteria.minRequests,
    evidence: -Math.log(budget),
    forecast,
  }),
  criterion: "faults",
});

interface LimitContext {
  readonly minRequests: number;
  /** Logarithm of 1/α for each limit. */
  readonly evidence: number;
  readonly forecast: Forecast;
}

const boundedRate = (
  stages: readonly Stage[],
  count: LimitFacts["count"] & Rate,
  limit: number,
  context: LimitContext,
): Finding => {
  const units = stages.flatMap((it) => it.units);
  const [hits, requests] = [totalOf(units, "canary", count), totalOf(units, "canary", "requests")];
  const rate = combinedRate(units, count);
  // A defect of the gate counts by requests; what clients can cause counts by clusters, without the worst two.
  const isFault = count === "faults";
  const of = isFault || !rate ? requests : effectiveRequests(rate);
  const mean = isFault || !rate ? (requests > 0 ? hits / requests : 0) : rate.canary;
  const low = atLeast(mean * of, of, context.evidence);
  const highOf = (times: number) => atMost(mean * of * times, of * times, context.evidence);
  const measured = { canary: requests > 0 ? hits / requests : null, low, highOf, requests, limit };
  const confirmed = () => !causedByClients.has(count) || exceedsByTrust(units, count, limit, context.evidence);
  return finding(measured, { count, value: hits, clusters: rate?.top ?? [] }, confirmed, context);
};

/** Anonymous clients alone hold a rollout by these, and do not roll it back. */
const causedByClients: ReadonlySet<Rate> = new Set<Rate>(["refusals", "abandoned"]);

/** Whether authenticated clusters and dealt requests alone exceed it. */
const exceedsByTrust = (units: Stage["units"], rate: Rate, limit: number, evidence: number): boolean => {
  const trusted = trustedRate(units, rate);
  const worth = trusted ? effectiveRequests(trusted) : 0;
  return trusted !== undefined && atLeast(trusted.canary * worth, worth, evidence) > limit;
};

/** The part of stable's requests beyond their 99th percentile. */
const usuallySlow = 0.01;

/** One client that uploads slowly can raise the percentile. So it acts if others are slower than stable's past too. */
const latencyLimit = (stages: readonly Stage[], limit: number, context: LimitContext): Finding => {
  const { latency } = statsOf(stages.map(({ canary }) => canary));
  const units = stages.flatMap((it) => it.units);
  const rate = combinedRate(units, "slow99");
  const requests = latency.reduce((sum, [, count]) => sum + count, 0);
  const worth = rate && rate.weight > 0 ? (requests * effectiveRequests(rate)) / rate.weight : requests;
  const { value, low, highOf } = percentile99(latency, worth, context.evidence);
  const confirmed = () => exceedsByTrust(units, "slow99", usuallySlow, context.evidence);
  const named = { count: "p99" as const, value, clusters: rate?.top ?? [] };
  return finding({ canary: value, low, highOf, requests, limit }, named, confirmed, context);
};

interface LimitBounds {
  readonly canary: number | null;
  readonly low: number | null;
  /** The upper bound for so many times the requests. */
  readonly highOf: (times: number) => number | null;
  readonly requests: number;
  readonly limit: number;
}

/**
 * Bounds are distances from the limit; other criteria measure from stable.
 * @param confirmed whether more than the limit is a failure; else it holds
 */
const finding = (
  { canary, low, highOf, requests, limit }: LimitBounds,
  named: Pick<LimitFacts, "count" | "value" | "clusters">,
  confirmed: () => boolean,
  { minRequests, forecast }: LimitContext,
): Finding => {
  const passes = (times: number): boolean => {
    const bound = highOf(times);
    return bound !== null && bound <= limit && requests * times >= minRequests;
  };
  const high = highOf(1);
  const isExceeded = low !== null && low > limit;
  const verdict = isExceeded ? (confirmed() ? "fail" : "hold") : passes(1) ? "pass" : "not-enough";
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
