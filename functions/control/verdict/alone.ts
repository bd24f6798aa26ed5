/**
 * Findings while no users are left on stable: the canary now, and stable as it was before. That was at another time, so nothing is
 * proved by them, and nobody may be rolled back for them.
 */
import type { Finding } from "../model/finding.ts";
import { combinedRate, totalOf } from "../stats/combined.ts";
import type { Rate } from "../stats/measures.ts";
import type { RateSummary } from "../stats/stage-summary.ts";
import { causesIn } from "./causes.ts";
import type { VerdictContext } from "./context.ts";
import type { Stage } from "./evidence.ts";
import { statsOf } from "./measurement.ts";
import { countedRates, countsOf, sharesOf } from "./rates.ts";
import { latencyText, rateText } from "./verdict-text.ts";

/** Standard errors by which a difference alerts: it is looked at for hours. */
const alerting = 5;

export const comparedFindings = (alone: readonly Stage[], { newest, criteria }: VerdictContext): Finding[] => {
  const now = alone.at(-1);
  if (!now) return [];
  return [
    ...countedRates.map(({ criterion, count, tolerate: tolerated }): Finding => {
      const tolerate = criteria.tolerate[tolerated];
      const { verdict, low, high } = compared(newest, now, count, tolerate);
      const counts = { stable: countsOf(newest, "stable", count), canary: countsOf(now, "canary", count) };
      const { stable, canary } = counts;
      const causes = causesIn([now], count, counts);
      const why = rateText({
        ...{ verdict, count, canary, stable, low, high, tolerate, causes, clusters: [] },
        ...{ clients: null, needs: undefined, units: 0 },
      });
      return {
        ...{ criterion, verdict, low, high, tolerate, counts },
        ...sharesOf(counts),
        why: `${why} ${before}`,
      };
    }),
    latencyCompared(newest, now, criteria.tolerate.p99),
  ];
};

const before = "(stable as it was before)";

const latencyCompared = (earlier: Stage | undefined, now: Stage, tolerate: number): Finding => {
  const { verdict, low, high, shares } = compared(earlier, now, "over99", 0);
  const stable = earlier ? statsOf([earlier.stable]).p99 : null;
  const canary = statsOf([now.canary]).p99;
  const requests = totalOf(now.units, "canary", "measured");
  const text = latencyText({
    ...{ verdict, stable, canary, tolerate, low, high, requests, shares, clusters: [] },
    needs: undefined,
  });
  return {
    ...{ criterion: "latency" as const, verdict, stable, canary, low, high, tolerate },
    why: `${text} ${before}`,
  };
};

const compared = (earlier: Stage | undefined, now: Stage, rate: Rate, tolerate: number) => {
  const [one, other] = [earlier && combinedRate(earlier.units, rate), combinedRate(now.units, rate)];
  if (!one || !other || other.weight === 0)
    return { verdict: "not-enough" as const, low: -1, high: 1, shares: undefined };
  const shares = { stable: one.stable, canary: other.canary };
  const error = errorOf(one, other);
  const [low, high] = [-1, 1].map((sign) => shares.canary - shares.stable + sign * alerting * error) as [
    number,
    number,
  ];
  const isWorse = low > 0 && high >= tolerate;
  return {
    verdict: isWorse ? ("fail" as const) : high < tolerate ? ("pass" as const) : ("not-enough" as const),
    low,
    high,
    shares,
  };
};

/** One more hit is always possible. */
const errorOf = (one: RateSummary, other: RateSummary): number =>
  Math.sqrt(one.variance.stable + other.variance.canary + 1 / other.weight ** 2);
