/**
 * Bounds of a latency's 99th percentile. A latency above it is a hit with a probability of 1 %. So a latency is excluded as the
 * percentile's value if too many or too few requests are above it. Only the true value needs to survive, so testing all of them
 * costs nothing (Howard and Ramdas, "Sequential estimation of quantiles with applications to A/B testing and best-arm
 * identification", Bernoulli 2022). Inside a bin, which is 5 % wide, the bound is interpolated.
 */
import { type Bins, maxBin } from "../../gateway/observability/samples.ts";
import { logWealth } from "./wealth.ts";

/** The width of a ratio in bins, rounded up: at least the ratio is tolerated. */
export const binsOf = (ratio: number): number => Math.ceil(Math.log(ratio) / Math.log(1.05) - 1e-9);

const rare = 0.01;

export interface Percentile {
  /** Milliseconds; null without requests. */
  readonly value: number | null;
  readonly low: number | null;
  /** The upper bound for so many times the requests, with the same latencies. */
  readonly highOf: (times: number) => number | null;
  readonly requests: number;
}

/**
 * @param independent how many independent requests these are worth
 * @param evidence logarithm of 1/α for each bound
 */
export const percentile99 = (bins: Bins, independent: number, evidence: number): Percentile => {
  const above = new Float64Array(maxBin + 1);
  let requests = 0;
  for (const [bin, count] of bins) {
    requests += count;
    for (let lower = 0; lower < Math.min(bin, maxBin + 1); lower++) above[lower] = (above[lower] ?? 0) + count;
  }
  const part = requests > 0 ? Math.min(1, independent / requests) : 1;
  const scaled = (times: number): Pooled => ({
    above: above.map((it) => it * part * times),
    count: requests * part * times,
  });
  const edge = (bin: number | null) => (bin === null ? null : 1.05 ** bin);
  return {
    value: estimateOf({ above, count: requests }),
    low: edge(bound(scaled(1), "more", evidence)),
    highOf: (times) => edge(bound(scaled(times), "fewer", evidence)),
    requests,
  };
};

interface Pooled {
  /** How many are above each bin. */
  readonly above: Float64Array;
  readonly count: number;
}

/** The first bin with at most so many latencies above it; the count falls with the bin. */
const firstBelow = (above: Float64Array, max: number): number => {
  let [left, right] = [0, maxBin];
  while (left < right) {
    const middle = (left + right) >> 1;
    if ((above[middle] ?? 0) <= max) right = middle;
    else left = middle + 1;
  }
  return left;
};

/** In milliseconds. */
const estimateOf = ({ above, count }: Pooled): number | null => {
  if (count === 0) return null;
  const bin = firstBelow(above, rare * count);
  const [before, after] = [bin > 0 ? (above[bin - 1] ?? 0) : count, above[bin] ?? 0];
  const part = before > after ? (before - rare * count) / (before - after) : 1;
  return 1.05 ** (bin - 1 + Math.min(1, Math.max(0, part)));
};

/**
 * A bound of the 99th percentile, in bins. The lower bound is the last bin with significantly more than 1 % above it, the
 * upper bound the first bin with significantly less.
 */
const bound = ({ above, count }: Pooled, against: "more" | "fewer", evidence: number): number | null => {
  const excess = (bin: number): number => {
    const hits = above[bin] ?? 0;
    // Wealth grows with the distance from the expected count, but is no evidence on the other side of it.
    if (against === "more" ? hits <= rare * count : hits >= rare * count) return Number.NEGATIVE_INFINITY;
    return logWealth(against, [{ hits, of: count, chance: rare }]) - evidence;
  };
  const sign = against === "more" ? 1 : -1;
  let [left, right] = [0, maxBin];
  // "more" excludes all bins up to the bound, "fewer" all from the bound on.
  const excluded = (bin: number): boolean => excess(bin) >= 0;
  // The edge's clock does not resolve less than the first bin's millisecond; upwards there may be no bound.
  if (!excluded(against === "more" ? left : right)) return against === "more" ? 0 : null;
  while (right - left > 1) {
    const middle = (left + right) >> 1;
    if (excluded(middle) === sign > 0) left = middle;
    else right = middle;
  }
  const [at, beyond] = [excess(left), excess(right)];
  const part = Number.isFinite(at) && Number.isFinite(beyond) && at !== beyond ? at / (at - beyond) : sign > 0 ? 0 : 1;
  return left + Math.min(1, Math.max(0, part));
};
