/** Reads the current or last rollouts of a tier and of its cutovers. */
import type { ControlPlan } from "../model/plan.ts";
import type { Rollout } from "../model/rollout.ts";
import { rolloutObjectName } from "../model/shared-gates.ts";
import { parseSubject } from "../model/subject.ts";
import { objectOf } from "../rpc/objects.ts";
import type { Bindings } from "./bindings.ts";

/** Tiers of a shared gate have one rollout, which is the one's that started it. */
export const rolloutsOfTier = async (
  plan: Pick<ControlPlan, "tiers">,
  env: Pick<Bindings, "ROLLOUTS">,
  tier: string,
): Promise<readonly Rollout[]> => {
  const routes = Object.entries((Object.hasOwn(plan.tiers, tier) && plan.tiers[tier]?.routes) || {});
  const names = [tier, ...routes.filter(([, { cutover }]) => cutover).map(([route]) => `${tier}/${route}`)];
  const all = await Promise.all(names.map((name) => objectOf(env.ROLLOUTS, rolloutObjectName(plan, name)).status()));
  return all.filter((it) => it !== undefined).filter((it) => parseSubject(it.tier).tier === tier);
};
