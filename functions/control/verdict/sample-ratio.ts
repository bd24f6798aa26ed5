/**
 * The finding of the sample ratio: whether the canary has as many requests as its share of the users should send. A version that
 * crashes or hangs reports nothing, so its own figures do not show it.
 */

import type { Finding } from "../model/finding.ts";
import { type ShareOfRequests, shareOfRequests, totalOf } from "../stats/combined.ts";
import { betsOf, isWon } from "../stats/evidence.ts";
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
  const isFewer = isWon(bets, "trusted", -1) || isWon(bets, "all", -1);
  const units = newest?.units ?? [];
  const found = newest && shareOfRequests(units, newest.share);
  const reported = totalOf(units, "canary", "requests");
  const all = reported + totalOf(units, "stable", "requests");
  const witnessed = newest && isWitnessed(newest);
  const harm = isFewer && found !== undefined && found.part + errors.pass * found.error < lost;
  const isMissing = isFewer && found !== undefined && found.part < missing;
  const isSurplus = newest !== undefined && hasSurplus(shareOfRequests(units, newest.most ?? newest.share));
  const verdict = verdictOf({
    harm: harm && !witnessed,
    suspicion: harm || isMissing || isSurplus,
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
