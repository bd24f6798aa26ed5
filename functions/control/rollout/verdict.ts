/**
 * The verdict on a rollout: compares both versions during the same time; pass, fail, or not enough evidence.
 *
 * A pure function of totals, which can be called any number of times. Proved for independent requests: over all
 * evaluations and criteria together, a canary that is no worse than stable fails with probability `alpha` at most (each
 * criterion gets a part of alpha, a union bound), and a canary with an effect as large as tolerated passes with
 * probability `beta` at most (all criteria must pass, so each may use all of beta). Approximate: the correlation of one
 * user's requests is corrected by design effects, estimated from groups of users (`stats/clusters.ts`); the canary's
 * share of requests is assumed constant within a stage; if latency drifts, quantiles are those of the mixture.
 * `npm run sim:rollout` measures how well this holds for users who are far from independent; see
 * docs/rollout-statistics.md.
 */

import type { Criteria } from "../model/criteria.ts";
import type { Finding, Verdict } from "../model/finding.ts";
import type { Count } from "../stats/counts.ts";
import { groupCounts, requestsOf } from "../stats/counts.ts";
import { latenciesOf } from "../stats/latencies.ts";
import { binsOf, type Slowness, slownessOf } from "../stats/latency.ts";
import { type Rates, ratesOf } from "../stats/rates.ts";
import { sampleRatio } from "../stats/sample-ratio.ts";
import { emptySample, sumOfSamples } from "../telemetry/samples.ts";
import type { Stage } from "./evidence.ts";
import { milliseconds, number, percent, points } from "./format.ts";
import { deathsFinding, limitsOf } from "./limits.ts";

/** Shares of alpha: latency has two, all absolute limits together one. */
const alphaParts = 8;

export const judge = (stages: readonly Stage[], criteria: Criteria): Verdict => {
  // At 0 % only testers reach the canary, at 100 % nobody reaches stable: there is nothing to compare.
  const comparable = stages.filter(({ share }) => share > 0 && share < 1);
  const levels: Levels = { evidence: Math.log(alphaParts / criteria.alpha), bounds: Math.log(2 / criteria.beta) };
  if ((stages.at(-1)?.share ?? 0) >= 1) return judgeAlone(stages, comparable, criteria, levels);
  const findings = [
    ratioFinding(comparable, criteria, levels),
    ...counts.map((it) => rateFinding(it, comparable, criteria, levels)),
    latencyFinding(comparable, criteria, levels),
    ...limitsOf(comparable, criteria, levels.evidence),
  ];
  return { verdict: combinedVerdict(findings), findings };
};

/**
 * If no users are left on stable: deaths and limits are absolute. Other criteria compare with stable as it was before. That
 * was at another time, so nothing is proved by them, and nobody may be rolled back for them.
 */
const judgeAlone = (
  stages: readonly Stage[],
  comparable: readonly Stage[],
  criteria: Criteria,
  levels: Levels,
): Verdict => {
  const alone = stages.filter(({ share }) => share >= 1);
  const [last] = alone as [Stage];
  const stable = comparable.map((it) => it.stable).reduce(sumOfSamples, emptySample);
  const apart: Stage = { ...last, stable, canary: alone.map((it) => it.canary).reduce(sumOfSamples) };
  const compared = [
    ...counts.map((it) => rateFinding(it, [apart], criteria, levels)),
    latencyFinding([apart], criteria, levels),
  ].map((it) => ({ ...it, why: `${it.why} (stable as it was before)` }));
  const findings = [
    deathsFinding(alone, criteria, levels.evidence),
    ...limitsOf([...comparable, ...alone], criteria, levels.evidence),
    ...compared,
  ];
  return { verdict: combinedVerdict(findings), findings };
};

/** Adds findings, which count like the other criteria. */
export const withFindings = ({ findings }: Verdict, more: readonly Finding[]): Verdict => {
  const all = [...findings, ...more];
  return { verdict: combinedVerdict(all), findings: all };
};

/** Logarithms of 1/α. */
interface Levels {
  readonly evidence: number;
  readonly bounds: number;
}

const combinedVerdict = (findings: readonly Finding[]): Verdict["verdict"] => {
  if (findings.some(({ verdict }) => verdict === "fail")) return "fail";
  return findings.every(({ verdict }) => verdict === "pass") ? "pass" : "not-enough";
};

const counts = [
  { criterion: "errors", count: "errors", name: "errors" },
  { criterion: "refusals", count: "refusals", name: "refusals" },
  { criterion: "upstream-errors", count: "upstreamErrors", name: "upstream errors" },
  { criterion: "abandoned", count: "abandoned", name: "abandoned by the client" },
] as const satisfies readonly { criterion: Finding["criterion"]; count: Count; name: string }[];

const ratioFinding = (stages: readonly Stage[], criteria: Criteria, { evidence }: Levels): Finding => {
  const tolerate = criteria.tolerate.sampleRatio;
  const settled = stages.filter(({ since, until }) => until - since >= criteria.settleMs);
  const found = sampleRatio(
    settled.map(({ share, stable, canary }) => ({ share, stable: requestsOf(stable), canary: requestsOf(canary) })),
    1 - tolerate,
    evidence,
  );
  const { reported, expected, all, low, high } = found;
  const enough = reported >= criteria.minRequests && reported >= (1 - tolerate) * expected;
  const summary = `sample ratio: the canary reported ${number(reported)} of ${number(all)} requests where ${number(expected)} were expected`;
  return {
    criterion: "sample-ratio",
    verdict: found.fewer ? "fail" : enough ? "pass" : "not-enough",
    stable: all > 0 ? (all - reported) / all : null,
    canary: all > 0 ? reported / all : null,
    low: low === null ? null : low - 1,
    high: high === null ? null : high - 1,
    tolerate,
    why: found.fewer
      ? `${summary}; statistically significant`
      : enough || reported >= criteria.minRequests
        ? summary
        : `${summary}; a verdict needs ${number(criteria.minRequests)}`,
  };
};

const rateFinding = (
  { criterion, count, name }: (typeof counts)[number],
  stages: readonly Stage[],
  criteria: Criteria,
  { evidence, bounds }: Levels,
): Finding => {
  const tolerate = criteria.tolerate[count];
  const rates = ratesOf(
    stages.map(({ stable, canary }) => ({ stable: groupCounts(stable, count), canary: groupCounts(canary, count) })),
    evidence,
    bounds,
  );
  const verdict = rateVerdict(rates, tolerate, criteria.minRequests);
  return {
    criterion,
    verdict,
    stable: rates.stableRequests > 0 ? rates.stable : null,
    canary: rates.canaryRequests > 0 ? rates.canary : null,
    low: rates.low,
    high: rates.high,
    tolerate,
    why: `${name}: ${percent(rates.canary)} of ${number(rates.canaryRequests)} requests against ${percent(rates.stable)} of ${number(rates.stableRequests)}; ${rateReason(verdict, rates, tolerate)}`,
  };
};

const rateVerdict = ({ larger, high, canaryRequests }: Rates, tolerate: number, least: number): Finding["verdict"] => {
  if (larger && high >= tolerate) return "fail";
  return high < tolerate && canaryRequests >= least ? "pass" : "not-enough";
};

const rateReason = (verdict: Finding["verdict"], { low, high }: Rates, tolerate: number): string => {
  if (verdict === "fail") return `at least ${points(low)} more, and ${points(tolerate)} cannot be excluded`;
  if (verdict === "pass") return `at most ${points(high)} more`;
  return `not enough evidence to exclude ${points(tolerate)} more`;
};

const latencyFinding = (stages: readonly Stage[], criteria: Criteria, { evidence, bounds }: Levels): Finding => {
  const tolerate = criteria.tolerate.p99;
  const stretch = binsOf(1 + tolerate);
  const slowness = slownessOf(
    stages.map(({ stable, canary }) => ({ stable: latenciesOf(stable, 0), canary: latenciesOf(canary, stretch) })),
    stretch,
    evidence,
    bounds,
  );
  const { stable, canary, low, high } = slowness;
  const verdict = latencyVerdict(slowness, tolerate, criteria.minRequests);
  return {
    criterion: "latency",
    verdict,
    stable,
    canary,
    low: low === null ? null : low - 1,
    high: high === null ? null : high - 1,
    tolerate,
    why: `latency: p99 ${milliseconds(canary)} in ${number(slowness.requests)} warm requests against ${milliseconds(stable)}; ${latencyReason(verdict, slowness, tolerate)}`,
  };
};

const latencyVerdict = (
  { larger, slower, high, requests }: Slowness,
  tolerate: number,
  least: number,
): Finding["verdict"] => {
  if (slower || (larger && (high === null || high >= 1 + tolerate))) return "fail";
  return high !== null && high < 1 + tolerate && requests >= least ? "pass" : "not-enough";
};

const latencyReason = (verdict: Finding["verdict"], { slower, low, high }: Slowness, tolerate: number): string => {
  if (verdict === "pass" && high !== null)
    return high < 1 ? `at least ${percent(1 - high)} faster` : `at most ${percent(high - 1)} slower`;
  if (verdict === "fail" && low !== null && low > 1) return `at least ${percent(low - 1)} slower`;
  if (slower) return `more than ${percent(tolerate)} slower elsewhere in its distribution`;
  if (verdict === "fail") return "significantly slower";
  return `not enough evidence to exclude ${percent(tolerate)} slower`;
};
