/** Lowers a checked tier to its plan: plain JSON, byte for byte the same for any order of the manifest's keys. */

import type {
  Destination,
  FilterPlan,
  FrontPlan,
  Plan,
  RedirectPlan,
  RouteClosure,
  RoutePlan,
} from "../../../functions/gateway/core/plan.ts";
import type { RouteTables } from "../../../functions/gateway/routing/finder.ts";
import { buildRouteTable, type RouteTable } from "../../../functions/gateway/routing/route-table.ts";
import { respondPlan } from "../../../functions/gateway/service/direct-response.ts";
import type { Environment } from "../../../functions/manifest/environment.ts";
import type { CheckedFilter, CheckedRoute, CheckedTier, NamedFile } from "../model/checked.ts";
import { fitName } from "./platform.ts";

/** @param tableRoutes the routes of the table: also those that another gate serves */
export const lower = (
  { manifest, upstreams, routes, validations }: CheckedTier,
  environment: string,
  tableRoutes: readonly CheckedRoute[],
): Plan => ({
  api: manifest.api,
  tier: manifest.tier,
  environment,
  level: manifest.level,
  hosts: manifest.hosts.toSorted(),
  ...acceptedHeaders(manifest),
  ...(manifest.base.strip && { strip: manifest.base.path }),
  limits: {
    body: manifest.limits.body,
    concurrency: manifest.limits.concurrency ?? defaultConcurrency[manifest.level],
    ...(manifest.limits["concurrency-from"] === "body" && { "concurrency-from": "body" }),
    "client-share": manifest.limits["client-share"],
    "body-idle": manifest.limits["body-idle"],
    ...(manifest.limits["stream-age"] !== undefined && { "stream-age": manifest.limits["stream-age"] }),
    ...(manifest.limits["response-idle"] !== undefined && { "response-idle": manifest.limits["response-idle"] }),
    ...(manifest.limits["websocket-age"] !== undefined && {
      "websocket-age": manifest.limits["websocket-age"],
      "websocket-bytes": manifest.limits["websocket-bytes"],
    }),
  },
  log: manifest.log,
  filters: sortKeys(
    routes.flatMap(({ chain }) =>
      chain.map((it): [string, FilterPlan] => [it.id, lowerFilter(it, validations.get(it.id)?.digest)]),
    ),
  ),
  upstreams: sortKeys(
    Object.entries(upstreams).map(([name, { use, timeout, config }]) => [
      name,
      { use, timeout, with: sortDeep(config) },
    ]),
  ),
  routes: sortKeys(routes.map((route) => [route.name, lowerRoute(route)])),
  ...routing(tableRoutes),
});

const acceptedHeaders = ({ "accept-headers": accepted }: CheckedTier["manifest"]): Pick<Plan, "accepts"> =>
  accepted.length > 0 ? { accepts: accepted.toSorted() } : {};

/** The route table, and a second one for routes that keep encoded slashes. */
const routing = (routes: readonly CheckedRoute[]): RouteTables => {
  const keeping = routes.filter(keepsEncodedSlashes);
  return { table: tableFor(routes), ...(keeping.length > 0 && { slashes: tableFor(keeping) }) };
};

const keepsEncodedSlashes = ({ settings }: CheckedRoute): boolean => settings["encoded-slashes"] === "keep";

/** Default concurrency limits by level. */
const defaultConcurrency = { core: 2000, standard: 1000, "best-effort": 250 } as const;

const tableFor = (routes: readonly CheckedRoute[]): RouteTable =>
  buildRouteTable(
    routes
      .map(({ name, methods, path, when, settings: { rank } }) => ({
        route: name,
        methods,
        path,
        when,
        ...(rank !== undefined && { rank }),
      }))
      .toSorted((a, b) => (a.route < b.route ? -1 : 1)),
  );

/** @param document digest of its validation, so that a changed document changes the plan */
const lowerFilter = (
  { use, spec, mode, percent, when, config }: CheckedFilter,
  document: string | undefined,
): FilterPlan => ({
  use,
  kind: spec.kind,
  mode,
  percent,
  ...(mode === "shadow" && spec.enforcing === "tightens" && { enforceable: true }),
  ...(when.length > 0 && { when }),
  with: sortDeep(document === undefined ? config : { ...withoutInlineSchemas(config), document }),
});

/** The configuration without inline schemas, which are compiled to code. */
const withoutInlineSchemas = (config: unknown): object =>
  Object.fromEntries(Object.entries(config as object).filter(([, it]) => typeof it !== "object"));

const lowerRoute = ({ chain, settings }: CheckedRoute): RoutePlan => ({
  filters: chain.map(({ id }) => id),
  goes: destinationOf(settings),
  ...(settings.path !== undefined && { target: settings.path }),
  ...(settings.cutover && { cutover: settings.cutover }),
  ...(settings.closed && { closed: closedPlan(settings.closed) }),
  ...(settings.upgrade !== undefined && { upgrade: settings.upgrade }),
  ...(settings.deprecated !== undefined && { deprecated: sortKeys(Object.entries(settings.deprecated)) }),
});

const closedPlan = (closed: NonNullable<CheckedRoute["settings"]["closed"]>): RouteClosure =>
  typeof closed === "boolean" ? {} : (sortKeys(Object.entries(closed)) as RouteClosure);

const destinationOf = ({ to, respond, redirect }: CheckedRoute["settings"]): Destination => {
  if (typeof to === "string") return { to };
  if (to) return { to: to.flatMap((it) => Object.entries(it)) };
  if (respond) return { respond: respondPlan(respond) };
  if (redirect) return { redirect: normalizeRedirect(redirect) };
  throw new Error("a route without a destination has been refused by the checker");
};

/** Expands the short form of a redirect. */
export const normalizeRedirect = (redirect: string | RedirectPlan): RedirectPlan =>
  typeof redirect === "string" ? { to: redirect, status: 308, query: "keep" } : redirect;

/** The target of a redirect for people: `/v2/{path.id}`, or what it changes of the request's URL. */
export const describeRedirect = ({ to, status: _, query: __, ...changes }: RedirectPlan): string =>
  to ??
  Object.entries(changes)
    .map(([key, value]) => `${key} ${value}`)
    .join(", ");

/** The front's plan: only hosts, bases and gate bindings of the tiers. */
export const lowerFront = (tiers: readonly CheckedTier[], environment: NamedFile<Environment>): FrontPlan => {
  const { "gray-key": grayKey, "request-id": requestId } = environment.value.front;
  const { header, cookie } = grayKey;
  return {
    grayKey: { ...(header !== undefined && { header }), cookie },
    ...(requestId.accept && { requestId: { accept: true } }),
    tiers: tiers
      .map((it) => {
        const { tier, hosts, base } = it.manifest;
        const slashes = it.routes.some(keepsEncodedSlashes) ? { encodedSlashes: "keep" as const } : {};
        return {
          ...{ tier, binding: gateBinding(tier), hosts: hosts.toSorted(), base: base.path },
          ...liftedPlan(it),
          ...acceptedHeaders(it.manifest),
          ...slashes,
        };
      })
      .toSorted((a, b) => (a.tier < b.tier ? -1 : 1)),
  };
};

/** If routes have their own gates, the front needs the route table of the tier. */
const liftedPlan = ({ manifest: { tier }, routes }: CheckedTier): Pick<FrontPlan["tiers"][number], "lifted"> => {
  const lifted = routes.filter(({ settings }) => settings.isolation === "route");
  if (lifted.length === 0) return {};
  const bindings = sortKeys(lifted.map(({ name }) => [name, routeBinding(tier, name)]));
  return { lifted: { ...routing(routes), bindings } };
};

/** Names have no underscore, so the double underscore is unique. */
export const routeBinding = (tier: string, route: string): string =>
  fitName(`${gateBinding(tier)}__${gateBinding(route).slice("GATE_".length)}`, "_");

export const gateBinding = (tier: string): string => `GATE_${tier.toUpperCase().replaceAll("-", "_")}`;

/** Sorts the keys of every map. The order of lists is significant and stays. */
const sortDeep = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sortDeep);
  if (typeof value !== "object" || value === null) return value;
  return sortKeys(Object.entries(value).map(([key, item]) => [key, sortDeep(item)]));
};

const sortKeys = <T>(entries: readonly (readonly [string, T])[]): Record<string, T> =>
  Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
