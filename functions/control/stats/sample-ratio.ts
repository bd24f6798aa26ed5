/**
 * Tests whether the canary reports far fewer requests than its share: a version that crashes or hangs reports nothing, so its
 * own figures do not show it.
 *
 * Each request is the canary's with the probability that is its share of users; a bet against "not fewer" (a sample ratio
 * test: Lindon and Malek 2022), that counts if the canary reports less than the tolerated part. Users are sticky, so users are
 * drawn, not requests, and busy ones count for many: counts are divided by the number of requests of a typical request's user.
 * If there are so few users that the canary may have none by chance, no number of their requests is evidence.
 */
import { sum, userEffect } from "./counts.ts";
import { atLeast, atMost, logWealth } from "./wealth.ts";

export interface StageShares {
  /** The canary's share of users, in (0, 1). */
  readonly share: number;
  /** Requests by group. */
  readonly stable: Float64Array;
  readonly canary: Float64Array;
}

export interface SampleRatio {
  readonly reported: number;
  readonly expected: number;
  readonly all: number;
  /** Significantly fewer than tolerated. */
  readonly fewer: boolean;
  /** Bounds of reported divided by expected requests. */
  readonly low: number | null;
  readonly high: number | null;
}

/** @param least the smallest part of its share that the canary must report */
export const sampleRatio = (stages: readonly StageShares[], least: number, evidence: number): SampleRatio => {
  const counts = stages.map(({ share, stable, canary }) => ({
    share,
    reported: sum(canary),
    all: sum(canary) + sum(stable),
  }));
  const effect = userEffect(
    stages.reduce(
      (all, { stable, canary }) => all.map((it, group) => it + (stable[group] ?? 0) + (canary[group] ?? 0)),
      new Float64Array(stages[0]?.stable.length ?? 0),
    ),
  );
  const [all, reported] = [sum(counts.map((it) => it.all)), sum(counts.map((it) => it.reported))];
  const expected = sum(counts.map((it) => it.share * it.all));
  const bets = counts.map((it) => ({ hits: it.reported / effect, of: it.all / effect, chance: it.share }));
  return {
    reported,
    expected,
    all,
    fewer: reported < least * expected && logWealth("fewer", bets) >= evidence,
    low: expected > 0 ? (atLeast(reported / effect, all / effect, evidence) * all) / expected : null,
    high: expected > 0 ? (atMost(reported / effect, all / effect, evidence) * all) / expected : null,
  };
};
