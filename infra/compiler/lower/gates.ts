/** Maps tiers to gates by their `isolation`: a gate for each tier, for a route, or shared. */
import type { Plan } from "../../../functions/gateway/core/plan.ts";
import type { CheckedRoute, CheckedTier } from "../model/checked.ts";
import { lower } from "./lower.ts";

/** One tier, or a part of it, as a gate serves it. */
export interface Served {
  /** The tier, reduced to the routes and upstreams that are served here. */
  readonly checked: CheckedTier;
  readonly plan: Plan;
}

export interface Gate {
  /** `gate-wallet`, `gate-wallet--red-packet` or `gate-shared`, before the environment's name. */
  readonly name: string;
  /** Several in a shared one. */
  readonly serves: readonly Served[];
  readonly shared: boolean;
}

export interface LiftedRoute {
  readonly route: string;
  readonly gate: string;
}

/** All small tiers together. */
export const sharedGate = "gate-shared";

const liftedOf = ({ routes }: CheckedTier): CheckedRoute[] =>
  routes.filter(({ settings }) => settings.isolation === "route");

/** The routes of a tier that have gates of their own. */
export const liftedRoutes = (tier: CheckedTier): LiftedRoute[] =>
  liftedOf(tier).map(({ name }) => ({ route: name, gate: gateOfRoute(tier.manifest.tier, name) }));

/** The gate that serves all of a tier but its lifted routes. */
export const gateOf = ({ manifest }: CheckedTier): string =>
  manifest.isolation === "shared" ? sharedGate : `gate-${manifest.tier}`;

/** Tier names have no double hyphen, so this name is unique. */
const gateOfRoute = (tier: string, route: string): string => `gate-${tier}--${route}`;

export const isLifted = ({ name }: Pick<Gate, "name">): boolean => name.includes("--");

/** What a tier's gates serve: its own first, then those of its lifted routes. Its own gate keeps the whole route table, so that 404 and 405 stay correct. */
export const lowerTier = (tier: CheckedTier, environment: string): Served[] => {
  const lifted = liftedOf(tier);
  const own = restrictRoutes(
    tier,
    tier.routes.filter((it) => !lifted.includes(it)),
  );
  return [
    { checked: own, plan: lower(own, environment, tier.routes) },
    ...lifted.map((route) => {
      const alone = restrictRoutes(tier, [route]);
      return { checked: alone, plan: lower(alone, environment, alone.routes) };
    }),
  ];
};

const restrictRoutes = (tier: CheckedTier, routes: readonly CheckedRoute[]): CheckedTier => {
  if (routes.length === tier.routes.length) return tier;
  const used = new Set(routes.flatMap(usedUpstreams));
  const upstreams = Object.fromEntries(Object.entries(tier.upstreams).filter(([name]) => used.has(name)));
  return { ...tier, routes, upstreams };
};

/** The upstreams that a route can lead to, by name. */
export const usedUpstreams = ({ settings: { to, cutover } }: CheckedRoute): string[] => [
  ...(typeof to === "string" ? [to] : (to ?? []).flatMap((it) => Object.keys(it))),
  ...(cutover ? [cutover.legacy] : []),
];

/** In a stable order. */
export const listGates = (
  tiers: readonly { readonly checked: CheckedTier; readonly serves: readonly Served[] }[],
): Gate[] => {
  const own = tiers.map(({ checked, serves }) => ({ name: gateOf(checked), served: serves[0] as Served }));
  const alone = own.filter(({ name }) => name !== sharedGate).map(({ name, served }) => singleGate(name, served));
  const sharing = own.filter(({ name }) => name === sharedGate).map(({ served }) => served);
  const lifted = tiers.flatMap(({ checked, serves }) =>
    liftedRoutes(checked).map(({ gate }, index) => singleGate(gate, serves[index + 1] as Served)),
  );
  const shared: Gate[] = sharing.length > 0 ? [{ name: sharedGate, serves: sharing, shared: true }] : [];
  return [...alone, ...lifted, ...shared].toSorted((a, b) => (a.name < b.name ? -1 : 1));
};

const singleGate = (name: string, served: Served): Gate => ({ name, serves: [served], shared: false });
