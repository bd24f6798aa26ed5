/** The release that a start would get, and what it would take. */
import { criteriaOf } from "../../../functions/control/model/criteria.ts";
import { evidenceTimeoutMs, stepsOf } from "../../../functions/control/model/release.ts";
import type { ReleaseConfig } from "../../../functions/control/model/release-config.ts";
import { withSteps } from "../../../functions/control/planning/auto-steps.ts";
import { planOf, type ReleasePlan } from "../../../functions/control/planning/release-plan.ts";
import type { TrafficEstimate } from "../../../functions/control/planning/traffic.ts";

export interface PlannedStart {
  readonly tier: string;
  /** Its steps are those that a start would get. */
  readonly release: ReleaseConfig & { readonly steps: ReturnType<typeof withSteps>["steps"] };
  /** The steps of the manifest are `auto`. */
  readonly chosen: boolean;
  /** Null if the traffic is unknown. */
  readonly plan: ReleasePlan | null;
  /** The steps that `steps: auto` would have, if a step does not pass. */
  readonly better: ReturnType<typeof withSteps>["steps"] | null;
}

/** @param traffic null if it is unknown */
export const startAt = (tier: string, written: ReleaseConfig, traffic: TrafficEstimate | null): PlannedStart => {
  const release = withSteps(written, traffic);
  const planned = (it: ReleaseConfig) => traffic && planOf(stepsOf(it), evidenceTimeoutMs(it), criteriaOf(it), traffic);
  const plan = planned(release);
  const auto = withSteps({ ...written, steps: "auto" }, traffic);
  const isBetter = plan?.totalMs === null && planned(auto)?.totalMs !== null;
  return { tier, release, chosen: written.steps === "auto", plan, better: isBetter ? auto.steps : null };
};
