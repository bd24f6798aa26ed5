/**
 * The verdict on a rollout: compares both versions during the same time; pass, fail, hold, or not enough evidence.
 *
 * A pure function of summaries, which can be called any number of times. Proved, whatever users, load and incidents are like: over all
 * evaluations and criteria together, a canary that changes nothing fails with probability `alpha` at most, as long as the
 * platform assigns clients at random and no more than two clusters know their version (`stats/evidence.ts`). Approximate: a
 * pass, which rests on the variance between clusters (`stats/difference.ts`). `npm run sim:rollout` measures both; see
 * docs/rollout-statistics.md.
 */

import type { Criteria } from "../model/criteria.ts";
import type { Finding, Verdict } from "../model/finding.ts";
import { comparedFindings } from "./alone.ts";
import type { VerdictContext } from "./context.ts";
import type { Stage } from "./evidence.ts";
import { forecasterOf } from "./forecast.ts";
import { latencyFinding } from "./latency.ts";
import { faultsLimit, limitsOf } from "./limits.ts";
import { countedRates, faultsFinding, rateFinding } from "./rates.ts";
import { ratioFinding } from "./sample-ratio.ts";

/** Shares of alpha: one for each criterion, and one for all absolute limits together. */
const alphaParts = countedRates.length + 4;

/** @param forecast whether findings say how much evidence is missing, which costs more than the verdict itself */
export const judge = (stages: readonly Stage[], criteria: Criteria, { forecast = false } = {}): Verdict => {
  // At 0 % only testers reach the canary, at 100 % nobody reaches stable: there is nothing to compare.
  const compared = stages.filter(({ share }) => share > 0 && share < 1);
  const alone = stages.filter(({ share }) => share >= 1);
  const isAlone = (stages.at(-1)?.share ?? 0) >= 1;
  const budget = criteria.alpha / alphaParts;
  const context: VerdictContext = {
    stages: compared,
    newest: compared.at(-1),
    criteria,
    budget,
    forecast: forecast ? forecasterOf(isAlone ? alone : compared) : () => undefined,
  };
  if (isAlone) {
    const findings = [
      faultsLimit(alone, context),
      ...limitsOf([alone.at(-1) as Stage], context),
      ...comparedFindings(alone, context),
    ];
    return { verdict: combinedVerdict(findings), findings };
  }
  const findings = [
    ratioFinding(context),
    faultsFinding(context),
    ...countedRates.map((it) => rateFinding(it, context)),
    latencyFinding(context),
    ...limitsOf(compared.slice(-1), context),
  ];
  return { verdict: combinedVerdict(findings), findings };
};

/** Adds findings, which count like the other criteria. */
export const withFindings = ({ findings }: Verdict, more: readonly Finding[]): Verdict => {
  const all = [...findings, ...more];
  return { verdict: combinedVerdict(all), findings: all };
};

const combinedVerdict = (findings: readonly Finding[]): Verdict["verdict"] => {
  const has = (verdict: Finding["verdict"]) => findings.some((it) => it.verdict === verdict);
  if (has("fail")) return "fail";
  if (has("hold")) return "hold";
  return has("not-enough") ? "not-enough" : "pass";
};
