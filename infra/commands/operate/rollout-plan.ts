/** `postern rollout plan`: what a release would take at the tier's traffic. `rollout start` shows the same before it changes anything. */
import { criteriaOf } from "../../../functions/control/model/criteria.ts";
import { evidenceTimeoutMs, stepsOf } from "../../../functions/control/model/release.ts";
import type { ReleaseConfig } from "../../../functions/control/model/release-config.ts";
import { withSteps } from "../../../functions/control/planning/auto-steps.ts";
import { planOf, type ReleasePlan } from "../../../functions/control/planning/release-plan.ts";
import type { TrafficEstimate } from "../../../functions/control/planning/traffic.ts";
import { frontName } from "../../../functions/front/front-name.ts";
import { compile } from "../../compiler/compile.ts";
import { type ControlClient, ControlError, controlClientFor } from "../../release/control-client.ts";
import { environmentFor, targetOf } from "../../release/target.ts";
import type { Outcome } from "../../terminal/outcome.ts";
import type { ControlOptions } from "./options.ts";
import { planText } from "./rollout-plan-view.ts";

interface PlanOptions extends ControlOptions {
  readonly bake?: string | undefined;
}

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

export const plan = async (tier: string, options: PlanOptions): Promise<Outcome> => {
  const it = await plannedStart(controlClientFor(options), tier, options);
  return { exitCode: 0, text: planText(it), data: it };
};

/** @param client of control, which knows the traffic */
export const plannedStart = async (
  client: ControlClient,
  tier: string,
  { bake, ...options }: PlanOptions,
): Promise<PlannedStart> => {
  const written = { ...releaseOf(tier.split("/")[0] as string, options), ...(bake !== undefined && { bake }) };
  return startAt(tier, written, await trafficOf(client, tier));
};

export const startAt = (tier: string, written: ReleaseConfig, traffic: TrafficEstimate | null): PlannedStart => {
  const release = withSteps(written, traffic);
  const planned = (it: ReleaseConfig) => traffic && planOf(stepsOf(it), evidenceTimeoutMs(it), criteriaOf(it), traffic);
  const plan = planned(release);
  const auto = withSteps({ ...written, steps: "auto" }, traffic);
  const isBetter = plan?.totalMs === null && planned(auto)?.totalMs !== null;
  return { tier, release, chosen: written.steps === "auto", plan, better: isBetter ? auto.steps : null };
};

/** @returns null if control is older than this command */
const trafficOf = (client: ControlClient, tier: string): Promise<TrafficEstimate | null> =>
  client.call<TrafficEstimate | null>("GET", `/v1/tiers/${encodeURIComponent(tier)}/traffic`).catch((error) => {
    if (error instanceof ControlError && error.status === 404) return null;
    throw error;
  });

/** Reads the current manifest, or the environment for the front; control's plan may be older. */
const releaseOf = (tier: string, { root, target, env }: ControlOptions): ReleaseConfig => {
  const { tiers, environment } = compile(root, environmentFor(targetOf(target), env));
  if (tier === frontName) return environment.value.front.release;
  const tierManifest = tiers.find(({ checked }) => checked.manifest.tier === tier);
  if (!tierManifest) throw new Error(`there is no valid manifest of a tier "${tier}"`);
  return tierManifest.checked.manifest.release;
};
