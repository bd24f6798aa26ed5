/** The finding of latency: how many requests are slower than stable's were on the same route. */

import type { Finding } from "../model/finding.ts";
import { boundsOf, combinedRate, totalOf } from "../stats/combined.ts";
import { betsOf, isWon } from "../stats/evidence.ts";
import type { Rate } from "../stats/measures.ts";
import type { RateSummary } from "../stats/stage-summary.ts";
import { betStages, hasEnoughUnits, type VerdictContext, verdictOf } from "./context.ts";
import { statsOf } from "./measurement.ts";
import { latencyText } from "./verdict-text.ts";

/**
 * So much more of the requests may be slower: a thousandth, for routes that have no request beyond their percentile any more.
 */
const slack = 0.001;
/** What is beyond a 99th percentile. */
const beyondPercentile = 0.01;
/** Each has a part of the criterion's budget. */
const raised = ["over50", "over90", "over99"] as const satisfies readonly Rate[];

/** The bets on these, and on being slower at all. */
export const latencyParts = raised.length + 1;

export const latencyFinding = ({ stages, newest, criteria, budget, forecast }: VerdictContext): Finding => {
  const tolerate = criteria.tolerate.p99;
  const units = newest?.units ?? [];
  const over = combinedRate(units, "over99");
  const { low, high } = over ? boundsOf(over) : { low: -1, high: 1 };
  const part = budget / latencyParts;
  const all = raised.flatMap((measure) => betsOf(betStages(stages), measure, "more", part));
  // Slower at all, unless what is tolerated is excluded.
  const slower = high >= slack ? betsOf(betStages(stages), "slow99", "more", part) : [];
  const bets = [...all, ...slower];
  const measured = totalOf(units, "canary", "measured");
  const enough = (times: number) =>
    measured * times >= criteria.minRequests && hasEnoughUnits(newest, (over?.units ?? 0) * times);
  const verdict = verdictOf({
    harm: isWon(bets, "trusted", 0),
    suspicion: isWon(
      bets.filter(({ stage }) => stage === stages.length - 1),
      "all",
      0,
    ),
    passes: enough(1) && isExcluded(over),
  });
  const needs = forecast(verdict, measured, (times) => enough(times) && isExcluded(over, times));
  const p99 = (side: "stable" | "canary") => (newest ? statsOf([newest[side]]).p99 : null);
  const [stable, canary] = [p99("stable"), p99("canary")];
  const clusters = over?.top ?? [];
  return {
    criterion: "latency",
    verdict,
    stable,
    canary,
    low,
    high,
    tolerate,
    ...(needs !== undefined && { needs }),
    why: latencyText({
      ...{ verdict, stable, canary, tolerate, needs, clusters, low, high },
      requests: measured,
      shares: over ? { stable: over.stable, canary: over.canary } : undefined,
    }),
  };
};

/**
 * Whether the new version's 99th percentile is not longer than tolerated: it exceeds stable's by no more than stable itself, or for less
 * than a hundredth of its requests. The second rule is for a time in which stable is faster than in its past, so that next to nothing
 * exceeds it: a few requests cannot prove that their difference is next to nothing too.
 */
const isExcluded = (over: RateSummary | undefined, times = 1): boolean => {
  if (!over) return false;
  const alone = { ...over, stable: 0, variance: { ...over.variance, stable: 0 } };
  return boundsOf(over, times).high < slack || boundsOf(alone, times).high < beyondPercentile;
};
