/** When a version that changes nothing passes a step: an estimate for people, and for `steps: auto`. */
import { msOf } from "../../gateway/observability/samples.ts";
import type { Criteria } from "../model/criteria.ts";
import { boundsOf } from "../stats/combined.ts";
import { activities, crossingPart, type Load, quantile } from "../stats/power.ts";
import { minUnits } from "../verdict/context.ts";
import { latencySlack } from "../verdict/latency.ts";
import { isWithinShare } from "../verdict/sample-ratio.ts";
import type { TrafficEstimate } from "./traffic.ts";

/** Standard errors by which a criterion may be unlucky. All of them are looked at again and again, so nine in ten pass by then. */
const confidence = 0.8;
/** Variance between the rates of clusters, in units of the squared mean: some clients fail much oftener than others. */
const betweenClusters = 0.3;
/** Latency counts from then on. */
export const latencyFromMs = 120_000;
/** In requests of a mean cluster: what a pass, and the sample ratio, count of one at most. */
const maxWeights = { rate: 10, ratio: 2 };
/** A percentile of fewer says little. */
const minLatencies = 1000;
/** Beyond the 99th percentile raised by the tolerance, where no latencies are known: the tail of a log-normal one. */
const usualTail = 0.005;

export interface PassContext {
  readonly traffic: TrafficEstimate;
  readonly criteria: Criteria;
}

/** As long as clients are unknown: one sends a request in twenty seconds, and keeps its version. */
const clientsPerRequestPerSecond = 20;

export const loadOf = ({ requestsPerSecond, clients }: TrafficEstimate): Load => ({
  requestsPerSecond,
  ...(clients ?? { clusters: clientsPerRequestPerSecond * requestsPerSecond, authenticated: 0, dealt: 0 }),
});

/**
 * @param mostMs after which nobody waits
 * @returns milliseconds since the split was applied; null if it does not pass
 */
export const passesAfter = (context: PassContext, share: number, leastMs: number, mostMs: number): number | null => {
  if (!passes(context, share, mostMs)) return null;
  let [low, high] = [Math.min(leastMs, mostMs), mostMs];
  if (passes(context, share, low)) return low;
  while (high - low > Math.max(1000, low / 50)) {
    const middle = (low + high) / 2;
    if (passes(context, share, middle)) high = middle;
    else low = middle;
  }
  return high;
};

const passes = ({ traffic, criteria }: PassContext, share: number, ms: number): boolean => {
  const load = loadOf(traffic);
  const requests = (load.requestsPerSecond * ms) / 1000;
  const sides = { stable: sideOf(load, 1 - share, ms), canary: sideOf(load, share, ms) };
  const atLeast = (mean: number, least: number) => quantile(mean, -confidence) >= least;
  const isBelow = (rate: number, canary: number, tolerate: number, part = 1) => {
    const variance = { stable: varianceOf(sides.stable, rate, part), canary: varianceOf(sides.canary, canary, part) };
    const unlucky = confidence * Math.sqrt(variance.stable + variance.canary);
    const weight = sides.canary.requests * part;
    return boundsOf({ stable: rate, canary: canary + unlucky, variance, weight }).high < tolerate;
  };
  const { rates } = traffic;
  const { tolerate } = criteria;
  const measured = Math.max(0, 1 - latencyFromMs / ms);
  return (
    atLeast(share * requests * measured, criteria.minRequests) &&
    atLeast(sides.canary.clusters + sides.canary.dealt, minUnits) &&
    isBelow(rates.errors, rates.errors, tolerate.errors) &&
    isBelow(rates.refusals, rates.refusals, tolerate.refusals) &&
    isBelow(rates.clientErrors, rates.clientErrors, tolerate.refusals) &&
    isBelow(rates.abandoned, rates.abandoned, tolerate.abandoned) &&
    isBelow(0.01, tailBeyond(traffic, tolerate.p99), latencySlack, measured) &&
    hasItsShare(load, share, ms)
  );
};

interface Side {
  readonly requests: number;
  /** Clusters with requests. */
  readonly clusters: number;
  readonly dealt: number;
}

const sideOf = (load: Load, share: number, ms: number): Side => {
  const requests = (load.requestsPerSecond * share * ms) / 1000;
  return {
    requests,
    clusters: load.clusters * share * crossingPart(load, 1, ms, 1),
    dealt: requests * load.dealt,
  };
};

/** Of the mean over clusters: of independent requests, and between clusters. @param part of the requests that are measured */
const varianceOf = ({ requests, clusters, dealt }: Side, rate: number, part: number): number => {
  if (requests <= 0 || part <= 0) return 1;
  const clustered = 1 - dealt / requests;
  const between = clusters > 0 ? (betweenClusters * (rate * clustered) ** 2 * squares(maxWeights.rate)) / clusters : 0;
  return (rate * (1 - rate)) / (requests * part) + between;
};

/** Mean square of the clusters' requests, by the square of their mean; each weighs so many mean ones at most. */
const squares = (most: number): number => {
  const mean = (power: number) =>
    activities.reduce((sum, { part, times }) => sum + part * Math.min(times, most) ** power, 0);
  return mean(2) / mean(1) ** 2;
};

const hasItsShare = (load: Load, share: number, ms: number): boolean => {
  const requests = (load.requestsPerSecond * ms) / 1000;
  const clusters = load.clusters * crossingPart(load, 1, ms, 1);
  const clustered = clusters > 0 ? ((1 - load.dealt) ** 2 * squares(maxWeights.ratio)) / clusters : 0;
  const error = Math.sqrt(((1 - share) / share) * (clustered + load.dealt / requests));
  return isWithinShare({ part: 1 - confidence * error, error });
};

/** The part of requests that are slower than stable's 99th percentile, raised by the tolerance. */
const tailBeyond = ({ latency }: TrafficEstimate, tolerate: number): number => {
  const all = latency.reduce((sum, [, count]) => sum + count, 0);
  if (all < minLatencies) return usualTail;
  const raised = msOf(binAbove(latency, 0.01 * all)) * (1 + tolerate);
  return latency.reduce((sum, [bin, count]) => sum + (msOf(bin) > raised ? count : 0), 0) / all;
};

/** The first bin beyond which at most so many requests are. */
const binAbove = (latency: TrafficEstimate["latency"], most: number): number => {
  let beyond = latency.reduce((sum, [, count]) => sum + count, 0);
  for (const [bin, count] of latency) {
    beyond -= count;
    if (beyond <= most) return bin;
  }
  return 0;
};
