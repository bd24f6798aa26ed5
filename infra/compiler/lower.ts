/** Turns what was checked into what runs: plain JSON, the same bytes whatever the order of the file's keys. */
import type { Environment } from "../../functions/gateway/config.ts";
import type { FilterPlan, FrontPlan, Plan, RoutePlan } from "../../functions/gateway/plan.ts";
import type { CheckedRoute, CheckedTier, Named } from "./checked.ts";

export const lower = ({ manifest, upstreams, routes }: CheckedTier, environment: string): Plan => ({
  api: manifest.api,
  tier: manifest.tier,
  environment,
  level: manifest.level,
  hosts: manifest.hosts.toSorted(),
  limits: manifest.limits,
  log: manifest.log,
  filters: sorted(routes.flatMap(({ chain }) => chain.map((it): [string, FilterPlan] => [it.id, lowerFilter(it)]))),
  upstreams: sorted(
    Object.entries(upstreams).map(([name, { use, timeout, config }]) => [
      name,
      { use, timeout, with: canonical(config) },
    ]),
  ),
  routes: sorted(routes.map((route) => [route.name, lowerRoute(route)])),
});

const lowerFilter = ({ use, about, mode, percent, config }: CheckedRoute["chain"][number]): FilterPlan => ({
  use,
  kind: about.kind,
  mode,
  percent,
  with: canonical(config),
});

const lowerRoute = ({ methods, path, chain, settings }: CheckedRoute): RoutePlan => ({
  methods: [...methods].sort(),
  path,
  filters: chain.map(({ id }) => id),
  to: settings.to,
  ...(settings.path !== undefined && { target: settings.path }),
  ...(settings.upgrade !== undefined && { upgrade: settings.upgrade }),
});

/** The front's table knows only where a tier's gate is found. */
export const lowerFront = (tiers: readonly CheckedTier[], environment: Named<Environment>): FrontPlan => {
  const { header, cookie } = environment.value.front["gray-key"];
  return {
    grayKey: { ...(header !== undefined && { header }), cookie },
    tiers: tiers
      .map(({ manifest: { tier, hosts, base } }) => ({
        tier,
        binding: gateBinding(tier),
        hosts: hosts.toSorted(),
        base,
      }))
      .toSorted((a, b) => (a.tier < b.tier ? -1 : 1)),
  };
};

export const gateBinding = (tier: string): string => `GATE_${tier.toUpperCase().replaceAll("-", "_")}`;

/** The keys of every map in order; lists stay as they are, since their order means something. */
const canonical = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== "object" || value === null) return value;
  return sorted(Object.entries(value).map(([key, item]) => [key, canonical(item)]));
};

const sorted = <T>(entries: readonly (readonly [string, T])[]): Record<string, T> =>
  Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
