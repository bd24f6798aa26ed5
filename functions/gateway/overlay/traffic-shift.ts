/**
 * Overlay changes that shift traffic: between the previous gateway and this one, and between the upstreams of a
 * route.
 */

import type { RoutePlan } from "../core/plan.ts";
import type { TrafficShift } from "./overlay.ts";

/** Skips changes that do not fit the plan. */
export const trafficShift: TrafficShift = (plan, change) => {
  const route = Object.hasOwn(plan.routes, change.route) ? plan.routes[change.route] : undefined;
  const after =
    route && (change.kind === "cutover" ? withPercent(route, change.percent) : withWeights(route, change.weights));
  return after ? { ...plan, routes: { ...plan.routes, [change.route]: after } } : plan;
};

const withPercent = (route: RoutePlan, percent: string): RoutePlan | undefined =>
  route.cutover && { ...route, cutover: { ...route.cutover, percent } };

/** Keeps the manifest's order, which decides the upstream of each user. */
const withWeights = (route: RoutePlan, weights: Readonly<Record<string, number>>): RoutePlan | undefined => {
  const { goes } = route;
  if (!("to" in goes) || typeof goes.to === "string") return undefined;
  const to = goes.to.map(([name]) => [name, weights[name] ?? Number.NaN] as const);
  // NaN for a missing weight makes the total NaN, so such a change is skipped.
  const total = to.reduce((sum, [, weight]) => sum + weight, 0);
  return total > 0 ? { ...route, goes: { to } } : undefined;
};
