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
import { groupCounts, requestsOf, sum } from "../stats/counts.ts";
import { latenciesOf } from "../stats/latencies.ts";
import { binsOf, type Slowness, slowest, slownessOf } from "../stats/latency.ts";
import { highest, type Rates, ratesOf } from "../stats/rates.ts";
import { sampleRatio } from "../stats/sample-ratio.ts";
import { emptySample, sumOfSamples } from "../telemetry/samples.ts";
import { causesIn, clientsIn } from "./causes.ts";
import type { Stage } from "./evidence.ts";
import { type Forecast, forecasterOf } from "./forecast.ts";
import { deathsFinding, limitsOf } from "./limits.ts";
import { latencyText, rateText, ratioText } from "./verdict-text.ts";

/** Shares of alpha: latency has two, all absolute limits together one. */
const alphaParts = 8;

/** @param forecast whether findings say how much evidence is missing, which costs more than the verdict itself */
export const judge = (stages: readonly Stage[], criteria: Criteria, { forecast = false } = {}): Verdict => {
  // At 0 % only testers reach the canary, at 100 % nobody reaches stable: there is nothing to compare.
  const comparable = stages.filter(({ share }) => share > 0 && share < 1);
  const levels: Levels = { evidence: Math.log(alphaParts / criteria.alpha), bounds: Math.log(2 / criteria.beta) };
  const noForecast = () => undefined;
  if ((stages.at(-1)?.share ?? 0) >= 1) {
    const alone = stages.filter(({ share }) => share >= 1);
    return judgeAlone(alone, comparable, criteria, levels, forecast ? forecasterOf(alone) : noForecast);
  }
  const forecaster = forecast ? forecasterOf(comparable) : noForecast;
  const findings = [
    ratioFinding(comparable, criteria, levels, forecaster),
    ...counts.map((it) => rateFinding(it, comparable, criteria, levels, forecaster)),
    latencyFinding(comparable, criteria, levels, forecaster),
    ...limitsOf(comparable, criteria, levels.evidence, forecaster),
  ];
  return { verdict: combinedVerdict(findings), findings };
};

/**
 * If no users are left on stable: deaths and limits are absolute. Other criteria compare with stable as it was before. That
 * was at another time, so nothing is proved by them, and nobody may be rolled back for them.
 */
const judgeAlone = (
  alone: readonly Stage[],
  comparable: readonly Stage[],
  criteria: Criteria,
  levels: Levels,
  forecaster: Forecast,
): Verdict => {
  const [last] = alone as [Stage];
  const stable = comparable.map((it) => it.stable).reduce(sumOfSamples, emptySample);
  const apart: Stage = { ...last, stable, canary: alone.map((it) => it.canary).reduce(sumOfSamples) };
  const compared = [
    ...counts.map((it) => rateFinding(it, [apart], criteria, levels, forecaster)),
    latencyFinding([apart], criteria, levels, forecaster),
  ].map((it) => ({ ...it, why: `${it.why} (stable as it was before)` }));
  const findings = [
    deathsFinding(alone, criteria, levels.evidence, forecaster),
    ...limitsOf([...comparable, ...alone], criteria, levels.evidence, forecaster),
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
  { criterion: "errors", count: "errors" },
  { criterion: "refusals", count: "refusals" },
  { criterion: "upstream-errors", count: "upstreamErrors" },
  { criterion: "abandoned", count: "abandoned" },
] as const satisfies readonly { criterion: Finding["criterion"]; count: Count }[];

const ratioFinding = (
  stages: readonly Stage[],
  criteria: Criteria,
  { evidence }: Levels,
  forecast: Forecast,
): Finding => {
  const tolerate = criteria.tolerate.sampleRatio;
  const settled = stages.filter(({ since, until }) => until - since >= criteria.settleMs);
  const found = sampleRatio(
    settled.map(({ share, stable, canary }) => ({ share, stable: requestsOf(stable), canary: requestsOf(canary) })),
    1 - tolerate,
    evidence,
  );
  const { reported, expected, all, low, high } = found;
  const enough = reported >= criteria.minRequests && reported >= (1 - tolerate) * expected;
  const verdict = found.fewer ? "fail" : enough ? "pass" : "not-enough";
  const needs = forecast(verdict, reported, (times) => reported * times >= criteria.minRequests);
  return {
    criterion: "sample-ratio",
    verdict,
    stable: all > 0 ? (all - reported) / all : null,
    canary: all > 0 ? reported / all : null,
    low: low === null ? null : low - 1,
    high: high === null ? null : high - 1,
    tolerate,
    ...(needs !== undefined && { needs }),
    why: ratioText({
      ...{ verdict, reported, expected, all },
      settled: settled.length > 0 || stages.length === 0,
      settleMs: criteria.settleMs,
    }),
  };
};

const rateFinding = (
  { criterion, count }: (typeof counts)[number],
  stages: readonly Stage[],
  criteria: Criteria,
  { evidence, bounds }: Levels,
  forecast: Forecast,
): Finding => {
  const tolerate = criteria.tolerate[count];
  const pairs = stages.map(({ stable, canary }) => ({
    stable: groupCounts(stable, count),
    canary: groupCounts(canary, count),
  }));
  const rates = ratesOf(pairs, evidence, bounds);
  const { low, high, effective } = rates;
  const verdict = rateVerdict(rates, tolerate, criteria.minRequests);
  const requests = { stable: rates.stableRequests, canary: rates.canaryRequests };
  const needs = forecast(
    verdict,
    requests.canary,
    (times) => requests.canary * times >= criteria.minRequests && highest(effective, bounds, times) < tolerate,
  );
  const hits = (side: "stable" | "canary") => sum(pairs.map((it) => sum(it[side].hits)));
  const canary = { hits: hits("canary"), requests: requests.canary };
  const stable = { hits: hits("stable"), requests: requests.stable };
  const causes = causesIn(stages, count, requests);
  const clients = clientsIn(stages, count);
  return {
    criterion,
    verdict,
    stable: stable.requests > 0 ? rates.stable : null,
    canary: canary.requests > 0 ? rates.canary : null,
    low,
    high,
    tolerate,
    counts: { stable, canary },
    ...(canary.hits > 0 && { causes, clients }),
    ...(needs !== undefined && { needs }),
    why: rateText({
      ...{ verdict, count, canary, low, high, tolerate, causes, clients, needs },
      stable: { ...stable, rate: rates.stable },
    }),
  };
};

const rateVerdict = ({ larger, high, canaryRequests }: Rates, tolerate: number, least: number): Finding["verdict"] => {
  if (larger && high >= tolerate) return "fail";
  return high < tolerate && canaryRequests >= least ? "pass" : "not-enough";
};

const latencyFinding = (
  stages: readonly Stage[],
  criteria: Criteria,
  { evidence, bounds }: Levels,
  forecast: Forecast,
): Finding => {
  const tolerate = criteria.tolerate.p99;
  const stretch = binsOf(1 + tolerate);
  const slowness = slownessOf(
    stages.map(({ stable, canary }) => ({ stable: latenciesOf(stable, 0), canary: latenciesOf(canary, stretch) })),
    stretch,
    evidence,
    bounds,
  );
  const { stable, canary, low, high, requests, tail } = slowness;
  const verdict = latencyVerdict(slowness, tolerate, criteria.minRequests);
  const needs = forecast(verdict, requests, (times) => {
    const ratio = slowest(tail, bounds, times);
    return requests * times >= criteria.minRequests && ratio !== null && ratio < 1 + tolerate;
  });
  return {
    criterion: "latency",
    verdict,
    stable,
    canary,
    low: low === null ? null : low - 1,
    high: high === null ? null : high - 1,
    tolerate,
    ...(needs !== undefined && { needs }),
    why: latencyText({ ...slowness, verdict, tolerate, needs }),
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
