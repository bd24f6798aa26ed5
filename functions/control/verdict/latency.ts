/** The finding of latency: how many requests are slower than stable's were on the same route. */

import type { Finding } from "../model/finding.ts";
import { boundsOf, combinedRate, totalOf } from "../stats/combined.ts";
import { betsOf, isWon } from "../stats/evidence.ts";
import type { Rate } from "../stats/measures.ts";
import { betStages, minUnits, type VerdictContext, verdictOf } from "./context.ts";
import { statsOf } from "./measurement.ts";
import { latencyText } from "./verdict-text.ts";

/** Each has a part of the criterion's budget. */
const raised = ["over50", "over90", "over99"] as const satisfies readonly Rate[];

export const latencyFinding = ({ stages, newest, criteria, budget, forecast }: VerdictContext): Finding => {
  const tolerate = criteria.tolerate.p99;
  const units = newest?.units ?? [];
  const over = combinedRate(units, "over99");
  const { low, high } = over ? boundsOf(over) : { low: -1, high: 1 };
  const part = budget / (raised.length + 1);
  const all = raised.flatMap((measure) => betsOf(betStages(stages), measure, "more", part));
  // Slower at all, unless what is tolerated is excluded.
  const slower = high >= 0 ? betsOf(betStages(stages), "slow99", "more", part) : [];
  const bets = [...all, ...slower];
  const measured = totalOf(units, "canary", "measured");
  const enough = (times: number) => measured * times >= criteria.minRequests && (over?.units ?? 0) * times >= minUnits;
  const verdict = verdictOf({
    harm: isWon(bets, "trusted", 0),
    suspicion: isWon(
      bets.filter(({ stage }) => stage === stages.length - 1),
      "all",
      0,
    ),
    passes: enough(1) && high < 0,
  });
  const needs = forecast(
    verdict,
    measured,
    (times) => enough(times) && over !== undefined && boundsOf(over, times).high < 0,
  );
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
