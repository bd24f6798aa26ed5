/** What a release will take at the tier's traffic: per step the time, the exposure, and the smallest harm that comes back. */
import type { Criteria } from "../model/criteria.ts";
import type { RolloutStep } from "../model/rollout.ts";
import type { Voters } from "../stats/evidence.ts";
import { type Criterion, harmedClients, type Load, type PlannedStage, smallestHarm } from "../stats/power.ts";
import { latencyParts } from "../verdict/latency.ts";
import { alphaParts } from "../verdict/verdict.ts";
import { latencyFromMs, loadOf, passesAfter } from "./passing.ts";
import type { TrafficEstimate } from "./traffic.ts";

export const plannedCriteria = ["errors", "refusals", "client-errors", "abandoned", "latency"] as const;
export type PlannedCriterion = (typeof plannedCriteria)[number];

/** The smallest increase of a rate that is met with a probability of 99 %; null if none would be. */
export interface PlannedHarm {
  readonly rollsBack: number | null;
  /** The rollout does not advance. */
  readonly holds: number | null;
}

export interface PlannedStep {
  /** In per cent. */
  readonly share: number;
  readonly bakeMs: number;
  /** A person decides about the next step. */
  readonly hold: boolean;
  /** The bake and the evidence timeout; a watch ends without evidence. */
  readonly endsMs: number;
  readonly watch: boolean;
  /** Null if it does not pass at this traffic. */
  readonly passesMs: number | null;
  /** Until it passes, or ends. Clients are null if they are unknown. */
  readonly exposed: { readonly requests: number; readonly clients: number | null };
  /** Null if the clients are unknown. */
  readonly harm: Readonly<Record<PlannedCriterion, PlannedHarm>> | null;
  /** Clients with failures, all of them on the new version, that a rollback needs at least. */
  readonly harmedClients: number;
}

export interface ReleasePlan {
  readonly traffic: TrafficEstimate;
  /** Steps in which both versions have users. */
  readonly steps: readonly PlannedStep[];
  /** Until all users have the new version without a person; null if a step does not pass. */
  readonly totalMs: number | null;
}

export const planOf = (
  steps: readonly RolloutStep[],
  evidenceTimeoutMs: number,
  criteria: Criteria,
  traffic: TrafficEstimate,
): ReleasePlan => {
  const compared = steps.filter(({ share }) => share > 0 && share < 100);
  const planned = compared.map((step, index) => plannedStep(step, index, { evidenceTimeoutMs, criteria, traffic }));
  const times = planned.map(({ passesMs }) => passesMs);
  const totalMs = times.reduce((sum, it) => (sum === null || it === null ? null : sum + it), 0);
  return { traffic, steps: planned, totalMs };
};

interface Context {
  readonly evidenceTimeoutMs: number;
  readonly criteria: Criteria;
  readonly traffic: TrafficEstimate;
}

const plannedStep = (
  { share: percent, bakeMs, hold, watch: isWatch }: RolloutStep,
  index: number,
  { evidenceTimeoutMs, criteria, traffic }: Context,
): PlannedStep => {
  const share = percent / 100;
  const watch = isWatch === true;
  const endsMs = watch ? bakeMs : bakeMs + evidenceTimeoutMs;
  const passesMs = watch ? bakeMs : passesAfter({ traffic, criteria }, share, bakeMs, endsMs);
  const ms = passesMs ?? endsMs;
  const stage = { share, index, ms: endsMs };
  const { clients } = traffic;
  return {
    ...{ share: percent, bakeMs, hold, endsMs, watch, passesMs },
    exposed: {
      requests: Math.round((traffic.requestsPerSecond * share * ms) / 1000),
      clients: clients && Math.round(clients.clusters * share),
    },
    harm: clients && harmOf(loadOf(traffic), stage, { criteria, traffic }),
    harmedClients: harmedClients(stage, criteria.alpha / alphaParts),
  };
};

const harmOf = (
  load: Load,
  stage: PlannedStage,
  { criteria: { alpha, tolerate }, traffic: { rates } }: Pick<Context, "criteria" | "traffic">,
): Record<PlannedCriterion, PlannedHarm> => {
  const budget = alpha / alphaParts;
  const measured = { ...stage, ms: Math.max(0, stage.ms - latencyFromMs) };
  const harm = (it: Omit<Criterion, "voters">, rollsBack: Voters, within = stage): PlannedHarm => ({
    rollsBack: smallestHarm(load, within, { ...it, voters: rollsBack }),
    holds: smallestHarm(load, within, { ...it, voters: "all" }),
  });
  return {
    errors: harm({ rate: rates.errors, tolerate: tolerate.errors, budget }, "all"),
    refusals: harm({ rate: rates.refusals, tolerate: tolerate.refusals, budget }, "trusted"),
    "client-errors": harm({ rate: rates.clientErrors, tolerate: tolerate.refusals, budget }, "trusted"),
    abandoned: harm({ rate: rates.abandoned, tolerate: tolerate.abandoned, budget }, "trusted"),
    latency: harm({ rate: 0.01, tolerate: 0, budget: budget / latencyParts }, "trusted", measured),
  };
};
