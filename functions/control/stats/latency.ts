/**
 * Tests whether the canary is slower, and bounds by how much.
 *
 * *The 99th percentile*: a latency above it is a hit with a probability of 1 %. So a latency is excluded as the
 * quantile's value if too many or too few requests are above it. Only the true value needs to survive, so
 * testing all of them costs nothing (Howard and Ramdas, "Sequential estimation of quantiles with applications to A/B
 * testing and best-arm identification", Bernoulli 2022). Inside a bin, which is 5 % wide, the bound is interpolated; if
 * the distribution drifts, the quantile is that of the mixture, and the bound is approximate.
 *
 * *All of the distribution*: if the canary is no slower than tolerated, then for every threshold its share of requests above the
 * threshold times the tolerated ratio is at most stable's share above the threshold. The wealth is the mean of one bet for each
 * of a fixed set of thresholds: stochastic order, after Lindon, Sanden and Shirikian, "Rapid Regression Detection in
 * Software Deployments through Sequential Testing", KDD 2022 (they use a confidence band around both distributions; a mean of bets
 * is equally valid, detects the tail sooner, and is not affected by changes common to both versions).
 */
import { maxBin, type Sample } from "../../gateway/observability/samples.ts";
import { effectOf, weightsOf } from "./counts.ts";
import { binsPerThreshold, type Latencies, latenciesOf, thresholds } from "./latencies.ts";
import { logWealth, type Trials } from "./wealth.ts";

/** The width of a ratio in bins, rounded up: at least the ratio is tolerated. */
export const binsOf = (ratio: number): number => Math.ceil(Math.log(ratio) / Math.log(1.05) - 1e-9);

export interface Slowness {
  /** Milliseconds. */
  readonly stable: number | null;
  readonly canary: number | null;
  /** Bounds of the ratio of the 99th percentiles; null if there is too little data. */
  readonly low: number | null;
  readonly high: number | null;
  /** The canary's 99th percentile is larger. */
  readonly larger: boolean;
  /** Significantly slower than tolerated somewhere in the distribution. */
  readonly slower: boolean;
  readonly requests: number;
  /** Counts divided by the design effects, from which the bounds come. */
  readonly tail: { readonly stable: Pooled; readonly canary: Pooled };
}

export interface LatencyPair {
  readonly stable: Latencies;
  /** The version whose thresholds are stretched. */
  readonly canary: Latencies;
}

const rare = 0.01;

/**
 * @param evidence logarithm of 1/α for "larger" and for "slower", each
 * @param bounds logarithm of 1/α for each of the two bounds above
 */
export const slownessOf = (
  pairs: readonly LatencyPair[],
  stretch: number,
  evidence: number,
  bounds: number,
): Slowness => {
  const weights = weightsOf(pairs.map(({ stable, canary }) => ({ stable: stable.count, canary: canary.count })));
  const stable = pooled(
    pairs.map((it) => it.stable),
    weights,
  );
  const canary = pooled(
    pairs.map((it) => it.canary),
    weights.map(() => 1),
  );
  const tail = {
    stable: deflated(
      stable,
      tailEffect(
        pairs.map((it) => it.stable),
        stable,
        0,
      ),
    ),
    canary: deflated(
      canary,
      tailEffect(
        pairs.map((it) => it.canary),
        canary,
        stretch,
      ),
    ),
  };
  const sure = { low: bound(tail.canary, "more", evidence), high: bound(tail.stable, "fewer", evidence) };
  const [low, stableHigh] = [bound(tail.canary, "more", bounds), bound(tail.stable, "fewer", bounds)];
  return {
    stable: quantile(stable),
    canary: quantile(canary),
    low: low === null || stableHigh === null ? null : 1.05 ** (low - stableHigh),
    high: slowest(tail, bounds),
    larger: sure.low !== null && sure.high !== null && sure.low > sure.high,
    slower: logWealthOfOrder(pairs) >= evidence,
    requests: canary.count,
    tail,
  };
};

/** The upper bound of the ratio of the 99th percentiles; of `more` times as many requests with the same latencies. */
export const slowest = ({ stable, canary }: Slowness["tail"], bounds: number, more = 1): number | null => {
  const high = bound(deflated(canary, 1 / more), "fewer", bounds);
  const stableLow = bound(deflated(stable, 1 / more), "more", bounds);
  return high === null || stableLow === null ? null : 1.05 ** (high - stableLow);
};

interface Pooled {
  /** How many are above each bin. */
  readonly above: Float64Array;
  readonly count: number;
}

const pooled = (stages: readonly Latencies[], weights: readonly number[]): Pooled => {
  const above = new Float64Array(maxBin + 1);
  let count = 0;
  for (const [index, stage] of stages.entries()) {
    const weight = weights[index] ?? 0;
    count += weight * stage.count;
    let higher = 0;
    for (let bin = maxBin; bin >= 0; bin--) {
      above[bin] = (above[bin] ?? 0) + weight * higher;
      higher += stage.bins[bin] ?? 0;
    }
  }
  return { above, count };
};

const deflated = ({ above, count }: Pooled, effect: number): Pooled => ({
  above: above.map((it) => it / effect),
  count: count / effect,
});

/** The design effect at the threshold next to the quantile. */
const tailEffect = (stages: readonly Latencies[], { above, count }: Pooled, stretch: number): number => {
  const slot = Math.min(
    Math.max(Math.round((firstBelow(above, rare * count) - stretch) / binsPerThreshold), 0),
    thresholds - 1,
  );
  return effectOf(stages.map(({ by, of }) => ({ hits: by(slot), of })));
};

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
const quantile = ({ above, count }: Pooled): number | null => {
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
export const bound = ({ above, count }: Pooled, against: "more" | "fewer", evidence: number): number | null => {
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

/** Logarithm of the mean wealth over all thresholds. */
const logWealthOfOrder = (pairs: readonly LatencyPair[]): number => {
  let wealth = 0;
  for (let threshold = 0; threshold < thresholds; threshold++) {
    // A bet cannot win if the canary is faster; counting it as zero wealth is conservative.
    if (!pairs.some((it) => isSlower(it, threshold))) continue;
    const effect = {
      stable: effectOf(pairs.map(({ stable: { by, of } }) => ({ hits: by(threshold), of }))),
      canary: effectOf(pairs.map(({ canary: { by, of } }) => ({ hits: by(threshold), of }))),
    };
    const trials = pairs.map(({ stable, canary }): Trials => {
      const hits = (canary.above[threshold] ?? 0) / effect.canary;
      const weight = canary.count / effect.canary;
      const all = weight + stable.count / effect.stable;
      return { hits, of: hits + (stable.above[threshold] ?? 0) / effect.stable, chance: all > 0 ? weight / all : 0 };
    });
    // Avoids overflow: beyond e^600 any bet is won.
    wealth += Math.exp(Math.min(600, logWealth("more", trials)));
  }
  return Math.log(wealth / thresholds);
};

const isSlower = ({ stable, canary }: LatencyPair, threshold: number): boolean =>
  (canary.above[threshold] ?? 0) * stable.count > (stable.above[threshold] ?? 0) * canary.count;

/** The canary's 99th percentile in milliseconds, with anytime-valid bounds. */
export const canaryP99 = (
  samples: readonly Sample[],
  evidence: number,
): {
  value: number | null;
  low: number | null;
  high: number | null;
  requests: number;
  /** The upper bound for `more` times as many requests with the same latencies. */
  highOf: (more: number) => number | null;
} => {
  const stages = samples.map((it) => latenciesOf(it, 0));
  const whole = pooled(
    stages,
    stages.map(() => 1),
  );
  const tail = deflated(whole, tailEffect(stages, whole, 0));
  const edge = (bin: number | null) => (bin === null ? null : 1.05 ** bin);
  return {
    value: quantile(whole),
    low: edge(bound(tail, "more", evidence)),
    high: edge(bound(tail, "fewer", evidence)),
    requests: whole.count,
    highOf: (more) => edge(bound(deflated(tail, 1 / more), "fewer", evidence)),
  };
};
