/** The finding of latency: how many requests are slower than stable's were on the same route. */

import type { Finding } from "../model/finding.ts";
import { boundsOf, combinedRate, seemsMore, totalOf } from "../stats/combined.ts";
import { betsOf, isWon } from "../stats/evidence.ts";
import type { Rate } from "../stats/measures.ts";
import type { RateSummary } from "../stats/stage-summary.ts";
import { betStages, hasEnoughUnits, type VerdictContext, verdictOf } from "./context.ts";
import { statsOf } from "./measurement.ts";
import { latencyText } from "./verdict-text.ts";

/**
 * So much more of the requests may be slower: a two-thousandth, for routes that have no request beyond their percentile any more.
 */
export const latencySlack = 0.0005;
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
  // Failed and abandoned requests have tolerances of their own, which a pass of all criteria needs too. If they always counted
  // as slow, one more in two thousand requests could never pass, and an incident of both versions would leave this open for long.
  const late = combinedRate(units, "late99");
  const slow = combinedRate(units, "slow99");
  const seemsSlower = slow !== undefined && seemsMore(slow);
  const isExcluded = (times: number): boolean =>
    [over, late].some((it) => it !== undefined && isWithin(it, times, seemsSlower));
  const part = budget / latencyParts;
  const bets = raised.flatMap((measure) => betsOf(betStages(stages), measure, "more", part));
  // Slower at all, unless what is tolerated is excluded.
  const slower = isExcluded(1) ? [] : betsOf(betStages(stages), "slow99", "more", part);
  // Failures are within the slowest hundredth: what is tolerated of them must not act here.
  const least = isExcluded(1) ? criteria.tolerate.errors : 0;
  const isHarm = (of: typeof bets, voters: "trusted" | "all"): boolean =>
    isWon(
      of.filter(({ measure }) => measure === "over99"),
      voters,
      least,
    ) ||
    isWon(
      of.filter(({ measure }) => measure !== "over99"),
      voters,
      0,
    );
  const isCurrent = ({ stage }: (typeof bets)[number]): boolean => stage === stages.length - 1;
  const measured = totalOf(units, "canary", "measured");
  const enough = (times: number) =>
    measured * times >= criteria.minRequests && hasEnoughUnits(newest, (over?.units ?? 0) * times);
  const verdict = verdictOf({
    harm: isHarm([...bets, ...slower], "trusted"),
    suspicion: isHarm([...bets, ...slower].filter(isCurrent), "all"),
    passes: enough(1) && isExcluded(1),
  });
  const needs = forecast(verdict, measured, (times) => enough(times) && isExcluded(times));
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
 * exceeds it: a few requests cannot prove that their difference is next to nothing too. A version that seems slower than stable in that
 * same time may be much slower and still faster than the past, so the second rule is not for it.
 */
const isWithin = (over: RateSummary, times: number, seemsSlower: boolean): boolean => {
  const alone = { ...over, stable: 0, variance: { ...over.variance, stable: 0 } };
  return boundsOf(over, times).high < latencySlack || (!seemsSlower && boundsOf(alone, times).high < beyondPercentile);
};
