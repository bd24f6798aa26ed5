/** How much more evidence a criterion needs, if requests go on at their present rates. An estimate for people; no decision uses it. */
import type { EvidenceNeeds, Finding } from "../model/finding.ts";
import { totalOf } from "../stats/combined.ts";
import type { Stage } from "./evidence.ts";

/** Beyond this, nobody waits. */
const maxTimes = 1000;
const searchSteps = 10;

/**
 * @param requests of the new version so far
 * @param passes whether the criterion passes with so many times the evidence
 * @returns null if it does not pass at the present rates; undefined if nothing is missing, or nobody wants to know
 */
export type Forecast = (
  verdict: Finding["verdict"],
  requests: number,
  passes: (times: number) => boolean,
) => EvidenceNeeds | null | undefined;

export const forecasterOf = (stages: readonly Stage[]): Forecast => {
  const rate = requestRateOf(stages);
  return (verdict, requests, passes) => {
    if (verdict !== "not-enough" || requests <= 0) return undefined;
    if (!passes(maxTimes)) return null;
    let [low, high] = [0, Math.log(maxTimes)];
    for (let step = 0; step < searchSteps; step++) {
      const middle = (low + high) / 2;
      if (passes(Math.exp(middle))) high = middle;
      else low = middle;
    }
    const more = requests * Math.expm1(high);
    return { requests: twoFigures(more), ms: rate > 0 ? Math.ceil(more / rate) : null };
  };
};

/** Requests of the new version per millisecond, in the newest period in which both versions have users. */
const requestRateOf = (stages: readonly Stage[]): number => {
  const newest = stages.at(-1);
  const ms = newest ? newest.until - newest.since : 0;
  return newest && ms > 0 ? totalOf(newest.units, "canary", "requests") / ms : 0;
};

/** Rounded up: it is an estimate. */
const twoFigures = (value: number): number => {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, value))) - 1);
  return Math.ceil(value / unit) * unit;
};
