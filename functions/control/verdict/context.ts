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

/** Units of the canary that a pass needs: clusters, and requests that were dealt for themselves. */
export const minUnits = 50;
/** Of an earlier release's 32 groups of clients. */
const minGroups = 20;

export const hasEnoughUnits = (stage: Stage | undefined, units: number): boolean =>
  units >= (stage?.units.some(({ isGrouped }) => isGrouped) ? minGroups : minUnits);

export type RateCount = "errors" | "refusals" | "clientErrors" | "abandoned";

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

/** For bets that the canary does more: the largest share makes that most probable by chance. */
export const betStages = (stages: readonly Stage[]): readonly BetStage[] =>
  stages.map(({ share, most = share, units }) => ({ share: most, units }));
