/** What the findings of one verdict share. */
import type { Criteria } from "../model/criteria.ts";
import type { Finding } from "../model/finding.ts";
import type { BetStage } from "../stats/evidence.ts";
import type { Stage } from "./evidence.ts";
import type { Forecast } from "./forecast.ts";

export interface VerdictContext {
  /** Stages in which both versions had users. */
  readonly stages: readonly Stage[];
  /** The last of them: a pass and a hold rest on it alone. */
  readonly newest: Stage | undefined;
  readonly criteria: Criteria;
  /** Probability of a false failure by one criterion. */
  readonly budget: number;
  readonly forecast: Forecast;
}

/** The canary's requests and units that a pass needs. A unit is a cluster, or a request that was dealt for itself. */
export const minUnits = 50;

/** Evidence of one criterion. */
export interface Evidence {
  /** Won by voters on whom a rollback may rest. */
  readonly harm: boolean;
  /** Won by others too, in the newest stage. */
  readonly suspicion: boolean;
  /** An effect as large as tolerated is excluded, on enough requests of enough units. */
  readonly passes: boolean;
}

export const verdictOf = ({ harm, suspicion, passes }: Evidence): Finding["verdict"] => {
  if (harm) return "fail";
  if (suspicion) return "hold";
  return passes ? "pass" : "not-enough";
};

export const betStages = (stages: readonly Stage[]): readonly BetStage[] =>
  stages.map(({ share, units }) => ({ share, units }));
