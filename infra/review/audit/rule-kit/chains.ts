/** Questions that several audit rules ask about routes and their filters. */
import { isDeepStrictEqual } from "node:util";
import type { FilterSecurity } from "../../../../functions/gateway/hooks/security.ts";
import { isEnforced } from "../../../compiler/check/rules/enforced.ts";
import type { CheckedFilter, CheckedRoute, CheckedTier } from "../../../compiler/model/checked.ts";
import type { RelatedLocation } from "../../../diagnostics/problem.ts";

/** A filter with one security fact of its configuration. */
export interface FilterFact<Fact> {
  readonly filter: CheckedFilter;
  readonly fact: Fact;
}

const factsOf = ({ spec, config }: CheckedFilter): FilterSecurity => spec.security?.(config) ?? {};

/** The filters of any kind that are not off and have a security fact. */
export const filtersWith = <Name extends keyof FilterSecurity>(
  chain: readonly CheckedFilter[],
  name: Name,
): FilterFact<NonNullable<FilterSecurity[Name]>>[] =>
  chain.flatMap((filter) => {
    const fact = filter.mode === "off" ? undefined : factsOf(filter)[name];
    return fact === undefined || fact === false ? [] : [{ filter, fact }];
  });

/** Whether a filter with the fact is enforced for every request. */
export const enforces = (chain: readonly CheckedFilter[], name: keyof FilterSecurity): boolean =>
  filtersWith(chain, name).some(({ filter }) => isEnforced(filter));

/** The distinct filters of all routes. */
export const distinctFilters = ({ routes }: CheckedTier): CheckedFilter[] => [
  ...new Set(routes.flatMap(({ chain }) => chain)),
];

/** Upstreams that a route's filters protect. */
export const upstreamNames = ({ settings: { to } }: CheckedRoute): string[] =>
  typeof to === "string" ? [to] : (to ?? []).flatMap((it) => Object.keys(it));

/** Keys of the services behind a route: two upstreams with the same URL or Worker are one service. */
const serviceKeys = ({ upstreams }: CheckedTier, route: CheckedRoute): string[] =>
  upstreamNames(route).map((name) => {
    const { use, spec, config } = upstreams[name] ?? {};
    const { endpoint, worker } = spec?.security?.(config) ?? {};
    if (endpoint === undefined) return `${use} ${worker ?? name}`;
    const { host, pathname } = new URL(endpoint.url);
    return host + pathname.replace(/\/$/, "");
  });

export const hasUpstream = (route: CheckedRoute): boolean => upstreamNames(route).length > 0;

const writeMethodNames = ["POST", "PUT", "PATCH", "DELETE", "ANY"];

/** A route's write methods. */
export const writeMethods = ({ methods }: CheckedRoute): string[] =>
  methods.filter((it) => writeMethodNames.includes(it));

export const enforcesIdentity = (filter: CheckedFilter): boolean =>
  filter.spec.phase === "identity" && isEnforced(filter);

/** A protected route, and another route to the same service that lacks some of its identity and access guards. */
export interface UnguardedPair {
  readonly guarded: CheckedRoute;
  readonly unprotected: CheckedRoute;
  readonly missing: readonly CheckedFilter[];
}

/** Compares routes in groups with the same guards, to avoid comparing every pair. */
export const unguardedPairs = (tier: CheckedTier): UnguardedPair[] => {
  const { routes } = tier;
  const services = new Map(routes.map((route) => [route, serviceKeys(tier, route)]));
  const shareService = (a: CheckedRoute, b: CheckedRoute): boolean =>
    services.get(a)?.some((it) => services.get(b)?.includes(it)) === true;
  const groups = [
    ...Map.groupBy(routes, ({ chain }) => JSON.stringify(chain.filter(isGuard).map(({ id }) => id))).values(),
  ];
  return groups.flatMap((some) =>
    groups.flatMap((others) => {
      const missing = missingGuards(others[0] as CheckedRoute, some[0] as CheckedRoute);
      if (missing.length === 0) return [];
      return some.flatMap((guarded) =>
        others
          .filter((unprotected) => shareService(guarded, unprotected))
          .map((unprotected) => ({ guarded, unprotected, missing })),
      );
    }),
  );
};

/** The guards that another route lacks. A guard with the same settings counts as the same. */
const missingGuards = (other: CheckedRoute, { chain }: CheckedRoute): CheckedFilter[] => {
  const own = other.chain.filter(isGuard);
  const isSame = (a: CheckedFilter, b: CheckedFilter): boolean =>
    a.id === b.id || (a.use === b.use && isDeepStrictEqual(a.config, b.config));
  return chain.filter((it) => isGuard(it) && !own.some((one) => isSame(it, one)));
};

const isGuard = (it: CheckedFilter): boolean =>
  isEnforced(it) && (it.spec.phase === "identity" || it.spec.phase === "access");

/** Whether only listed addresses are allowed. */
export const hasAllowList = ({ chain }: CheckedRoute): boolean => enforces(chain, "admitsAddresses");

/** Whether the route is open to everybody. */
export const isPublic = (route: CheckedRoute): boolean => !route.chain.some(enforcesIdentity) && !hasAllowList(route);

export const isLimit = ({ spec, mode }: CheckedFilter): boolean => spec.phase === "limits" && mode === "enforce";

/** Locations where a route drops an inherited filter. */
export const droppedFilters = (
  { source, shared }: CheckedTier,
  { name, settings }: CheckedRoute,
  matches: (filter: CheckedFilter) => boolean,
): RelatedLocation[] =>
  shared.filters
    .filter((it) => matches(it) && settings.without.includes(it.id))
    .map(({ id }) =>
      source.related(["routes", name, "without", settings.without.indexOf(id)], `${name} drops ${id} here`),
    );

/** Edits of request headers by enforced `headers` filters. */
export const requestEdits = (chain: readonly CheckedFilter[]) =>
  filtersWith(chain, "requestHeaders").flatMap(({ filter, fact: { set, remove, at } }) =>
    isEnforced(filter) ? [{ filter, set, remove, setAt: [...filter.at, ...at] }] : [],
  );

/** `a, b and c` */
export const joinAnd = (words: readonly string[]): string =>
  words.length > 1 ? `${words.slice(0, -1).join(", ")} and ${words.at(-1)}` : words.join();
