/** Tiers that one gate serves: its Worker is released to all of them at once, so they have one rollout at a time, judged over all. */

import type { ControlPlan } from "./plan.ts";
import { parseSubject } from "./subject.ts";

/** @returns the object that holds the rollouts of a tier, or of a route that is cut over */
export const rolloutObjectName = ({ tiers }: Pick<ControlPlan, "tiers">, name: string): string => {
  const facts = Object.hasOwn(tiers, name) ? tiers[name] : undefined;
  // No tier is called so.
  return facts?.shared ? `shared:${facts.workers[0]}` : name;
};

/** @returns the tiers whose users a Worker serves; of a route that is cut over its own */
export const tiersServed = ({ tiers }: Pick<ControlPlan, "tiers">, name: string, worker: string): readonly string[] => {
  const served = Object.keys(tiers).filter((tier) => tiers[tier]?.workers.includes(worker));
  return served.length > 0 ? served : [parseSubject(name).tier];
};
