/**
 * The finding of the sample ratio: whether the canary has as many requests as its share of the users should send. A version that
 * crashes or hangs reports nothing, so its own figures do not show it.
 */

import type { Finding } from "../model/finding.ts";
import { type ShareOfRequests, shareOfRequests, totalOf } from "../stats/combined.ts";
import { type Bet, betsOf } from "../stats/evidence.ts";
import { type VerdictContext, verdictOf } from "./context.ts";
import type { Stage } from "./evidence.ts";
import { ratioText } from "./verdict-text.ts";

/** Less than half is a failure. */
const lost = 0.5;
/** Less than nine tenths holds. */
const missing = 0.9;
/** More than this holds: the new version has requests that are not its users'. */
const surplus = 1.25;
/** Standard errors of the bounds. */
const errors = { pass: 2, usual: 2.5, surplus: 4 };

export const ratioFinding = ({ stages, newest, criteria, budget, forecast }: VerdictContext): Finding => {
  const bets = betsOf(stages, "requests", "fewer", budget);
  const won = bets.filter(({ wealth, needed }) => wealth >= needed);
  const units = newest?.units ?? [];
  const found = newest && shareOfRequests(units, newest.share);
  const reported = totalOf(units, "canary", "requests");
  const all = reported + totalOf(units, "stable", "requests");
  const witnessed = newest && isWitnessed(newest);
  const isLost = won.length > 0 && found !== undefined && found.part + errors.pass * found.error < lost;
  const isMissing = won.length > 0 && found !== undefined && found.part < missing;
  const isSurplus = newest !== undefined && hasSurplus(shareOfRequests(units, newest.most ?? newest.share));
  const verdict = verdictOf({
    harm: isLost && !witnessed && !won.every((it) => isRefuted(it, stages)),
    suspicion: isMissing || isSurplus,
    passes: found !== undefined && reported >= criteria.minRequests && isWithinShare(found),
  });
  const needs = forecast(verdict, reported, (times) => reported * times >= criteria.minRequests);
  const settled = newest !== undefined && newest.until - newest.since >= criteria.settleMs;
  return {
    criterion: "sample-ratio",
    verdict,
    stable: all > 0 ? (all - reported) / all : null,
    canary: all > 0 ? reported / all : null,
    low: found ? found.part - errors.pass * found.error - 1 : null,
    high: found ? found.part + errors.pass * found.error - 1 : null,
    tolerate: criteria.tolerate.sampleRatio,
    ...(needs !== undefined && { needs }),
    why: ratioText({
      ...{ verdict, reported, all, witnessed: witnessed === true },
      expected: (newest?.share ?? 0) * all,
      part: found?.part,
      settled: settled || stages.length === 0,
      settleMs: criteria.settleMs,
    }),
  };
};

/** Whether the canary has as many requests as its share, as far as the assignment of clusters allows to say. */
export const isWithinShare = ({ part, error }: ShareOfRequests): boolean =>
  part >= 1 - Math.max(1 - missing, errors.usual * error) && part - errors.pass * error >= lost;

/**
 * Whether authenticated clusters and dealt requests have the new version as often as expected, so that only anonymous clients are
 * missing. Who knows which version a key has can send all requests to the other one.
 */
const isRefuted = ({ stage, voters, crossings }: Bet, stages: readonly Stage[]): boolean => {
  const { canary, all } = crossings.trusted;
  const share = stages[stage]?.share ?? 0;
  return (
    voters === "all" && all > 0 && canary - errors.pass * Math.sqrt(share * (1 - share) * all) >= lost * share * all
  );
};

const hasSurplus = (found: ShareOfRequests | undefined): boolean =>
  found !== undefined && found.part - errors.surplus * found.error > surplus;

/**
 * Whether the tail saw at least so many requests of the canary that it is no failure: then its reports were lost, and not its
 * requests. Few clients have the canary at first, so they may send less than their share of the requests.
 */
const isWitnessed = ({ share, witnessed }: Stage): boolean => {
  if (!witnessed) return false;
  const expected = share * (witnessed.stable + witnessed.canary);
  return expected > 0 && witnessed.canary >= lost * expected;
};
