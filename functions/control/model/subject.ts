/** The subject of a rollout, by its name: a tier, a route of a tier with a cutover, or the front. */
import { frontName } from "../../front/front-name.ts";
import type { ControlPlan, ReleaseFacts } from "./plan.ts";

/** Parses what is rolled out: `wallet` is a tier's new version, `wallet/balance` a route's cutover, `front` the front. */
export const parseSubject = (name: string): { readonly tier: string; readonly route: string | null } => {
  const [tier = "", route = null] = name.split("/");
  return { tier, route };
};

/** Facts of a rollout's subject. For a route they are its tier's, with the route in place of the Workers. */
export const subjectFacts = (
  { tiers, frontFacts }: Pick<ControlPlan, "tiers" | "frontFacts">,
  name: string,
): ReleaseFacts | undefined => {
  if (name === frontName) return frontFacts;
  const { tier, route } = parseSubject(name);
  const facts = Object.hasOwn(tiers, tier) ? tiers[tier] : undefined;
  if (!facts || route === null) return facts;
  return Object.hasOwn(facts.routes, route) && facts.routes[route]?.cutover ? { ...facts, workers: [name] } : undefined;
};
