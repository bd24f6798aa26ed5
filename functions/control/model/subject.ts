/** What a rollout is about, by its name: a tier, or a route of a tier that is cut over. */
import type { ControlPlan, TierFacts } from "./plan.ts";

/** What is rolled out: `wallet` is a tier's new version, `wallet/balance` a route that is cut over. */
export const parseSubject = (name: string): { readonly tier: string; readonly route: string | null } => {
  const [tier = "", route = null] = name.split("/");
  return { tier, route };
};

/** What control knows of it: of a route its tier's, with itself in place of the gates. */
export const subjectFacts = ({ tiers }: Pick<ControlPlan, "tiers">, name: string): TierFacts | undefined => {
  const { tier, route } = parseSubject(name);
  const facts = Object.hasOwn(tiers, tier) ? tiers[tier] : undefined;
  if (!facts || route === null) return facts;
  return Object.hasOwn(facts.routes, route) && facts.routes[route]?.cutover ? { ...facts, workers: [name] } : undefined;
};
