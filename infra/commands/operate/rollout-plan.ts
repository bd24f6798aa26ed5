/** `postern rollout plan`: what a release would take at the tier's traffic. `rollout start` shows the same before it changes anything. */
import type { ReleaseConfig } from "../../../functions/control/model/release-config.ts";
import type { TrafficEstimate } from "../../../functions/control/planning/traffic.ts";
import { frontName } from "../../../functions/front/front-name.ts";
import { compile } from "../../compiler/compile.ts";
import { type ControlClient, ControlError, controlClientFor } from "../../release/control-client.ts";
import { environmentFor, targetOf } from "../../release/target.ts";
import type { Outcome } from "../../terminal/outcome.ts";
import type { ControlOptions } from "./options.ts";
import { type PlannedStart, startAt } from "./planned-start.ts";
import { planText } from "./rollout-plan-view.ts";

interface PlanOptions extends ControlOptions {
  readonly bake?: string | undefined;
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
  const release = releaseOf(tier, options);
  if (!release) throw new Error(`there is no valid manifest of a tier "${tier.split("/")[0]}"`);
  return startAt(tier, { ...release, ...(bake !== undefined && { bake }) }, await trafficOf(client, tier));
};

/** @returns null if control is older than this command, or cannot read its telemetry: a release does not wait for an estimate */
const trafficOf = (client: ControlClient, tier: string): Promise<TrafficEstimate | null> =>
  client.call<TrafficEstimate | null>("GET", `/v1/tiers/${encodeURIComponent(tier)}/traffic`).catch((error) => {
    if (error instanceof ControlError && (error.status === 404 || error.status >= 500)) return null;
    throw error;
  });

/**
 * Reads the current manifest, or the environment for the front; control's plan may be older.
 * @returns undefined if no manifest of the tier is valid
 */
export const releaseOf = (name: string, { root, target, env }: ControlOptions): ReleaseConfig | undefined => {
  const { tiers, environment } = compile(root, environmentFor(targetOf(target), env));
  const [tier] = name.split("/");
  if (tier === frontName) return environment.value.front.release;
  return tiers.find(({ checked }) => checked.manifest.tier === tier)?.checked.manifest.release;
};
