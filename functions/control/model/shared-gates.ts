/** Tiers of a shared gate: its Worker is released to all of them at once, so they share one rollout at a time, judged over all of them. */

import type { ControlPlan } from "./plan.ts";
import { parseSubject } from "./subject.ts";

/** @returns the name of the Durable Object that holds the rollouts of a tier or of a route's cutover */
export const rolloutObjectName = ({ tiers }: Pick<ControlPlan, "tiers">, name: string): string => {
  const facts = Object.hasOwn(tiers, name) ? tiers[name] : undefined;
  // A colon is not allowed in a tier's name.
  return facts?.shared ? `shared:${facts.workers[0]}` : name;
};

/** @returns the tiers that a Worker serves; for a route's cutover its own tier */
export const tiersServed = ({ tiers }: Pick<ControlPlan, "tiers">, name: string, worker: string): readonly string[] => {
  const served = Object.keys(tiers).filter((tier) => tiers[tier]?.workers.includes(worker));
  return served.length > 0 ? served : [parseSubject(name).tier];
};
