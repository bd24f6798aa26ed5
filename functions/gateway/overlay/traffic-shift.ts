/** Overlays that move users: between an old gateway and this one, and among the upstreams that a route chooses from. */

import type { RoutePlan } from "../core/plan.ts";
import type { TrafficShift } from "./overlay.ts";

/** What does not fit is left out. */
export const trafficShift: TrafficShift = (plan, change) => {
  const route = Object.hasOwn(plan.routes, change.route) ? plan.routes[change.route] : undefined;
  const after =
    route && (change.kind === "cutover" ? withPercent(route, change.percent) : withWeights(route, change.weights));
  return after ? { ...plan, routes: { ...plan.routes, [change.route]: after } } : plan;
};

const withPercent = (route: RoutePlan, percent: string): RoutePlan | undefined =>
  route.cutover && { ...route, cutover: { ...route.cutover, percent } };

/** In the order of the manifest, since a user's place is told by it. */
const withWeights = (route: RoutePlan, weights: Readonly<Record<string, number>>): RoutePlan | undefined => {
  const { goes } = route;
  if (!("to" in goes) || typeof goes.to === "string") return undefined;
  const to = goes.to.map(([name]) => [name, weights[name] ?? Number.NaN] as const);
  // Each is known, and one of them can be asked.
  const total = to.reduce((sum, [, weight]) => sum + weight, 0);
  return total > 0 ? { ...route, goes: { to } } : undefined;
};
