/** Translates a rule of an HTTPRoute to manifest routes: one for each match, with the rule's filters and backends. */
import { milliseconds } from "../../../../functions/gateway/core/quantities.ts";
import type { Path } from "../../../diagnostics/locate.ts";
import { headerSettings, type Settings, translateFilter } from "./filters.ts";
import { type RequestMatch, translateMatch } from "./matches.ts";
import type { Cluster } from "./resources/cluster.ts";
import type { ReportFinding } from "./resources/findings.ts";
import { findSchemeChange, type SchemeChange } from "./resources/redirects.ts";
import type { HttpRouteResource } from "./resources/resources.ts";
import type { BackendRef, Filter, RouteMatch, Rule } from "./resources/schema.ts";
import type { BackendService, UpstreamSet } from "./upstreams.ts";

export interface RouteDraft {
  readonly route: HttpRouteResource;
  readonly rule: number;
  readonly match: number;
  readonly requestMatch: RequestMatch;
  /** The path of the match, or else of the rule. */
  readonly path: Path;
  /** The route's settings except match, conditions and rank. */
  readonly settings: Settings;
  /** Its redirect to another scheme. */
  readonly schemeChange: SchemeChange | undefined;
}

interface DraftContext {
  readonly cluster: Cluster;
  readonly upstreams: UpstreamSet;
  readonly report: ReportFinding;
}

export const draftRoutes = (route: HttpRouteResource, context: DraftContext): RouteDraft[] =>
  (route.spec.rules.length === 0 ? [emptyRule] : route.spec.rules).flatMap((rule, index) => {
    const at: Path = ["spec", "rules", index];
    const matches = rule.matches.length === 0 ? [matchAll] : rule.matches;
    return matches.flatMap((match, place): RouteDraft[] => {
      // The match has an unknown condition, which has been listed.
      if (match === null) return [];
      const path = rule.matches.length === 0 ? at : [...at, "matches", place];
      const requestMatch = attempt(() => translateMatch(match), context.report, route, path);
      if (!requestMatch) return [];
      const settings = routeSettings(route, rule, at, requestMatch, context);
      return [{ route, rule: index, match: place, requestMatch, path, settings, schemeChange: findSchemeChange(rule) }];
    });
  });

const matchAll: RouteMatch = { path: { type: "PathPrefix", value: "/" }, headers: [], queryParams: [] };
const emptyRule: Rule = { matches: [], filters: [], backendRefs: [], timeouts: {} };

const attempt = <T>(work: () => T, report: ReportFinding, { resource }: HttpRouteResource, at: Path): T | undefined => {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    report("left-out", resource, at, error.message);
    return undefined;
  }
};

const refusedRoute = { respond: { status: 500 } };

const routeSettings = (
  route: HttpRouteResource,
  rule: Rule,
  at: Path,
  requestMatch: RequestMatch,
  context: DraftContext,
): Settings => {
  const { report } = context;
  const backends = rule.backendRefs.map((it, index) => ({ it, at: [...at, "backendRefs", index] }));
  // Filters that all backends share become filters of the route.
  const shared = backends.every(({ it }) => JSON.stringify(it.filters) === JSON.stringify(backends[0]?.it.filters));
  const ruleFilters = [
    ...rule.filters.map((it, index) => ({ it, at: [...at, "filters", index] })),
    ...(shared ? (backends[0]?.it.filters ?? []).map((it) => ({ it, at: backends[0]?.at ?? at })) : []),
  ];
  const urlOf = (location: Path) => (backend: NonNullable<Filter["requestMirror"]>["backendRef"]) => {
    const service = context.cluster.resolve(backend, route.resource.namespace);
    if (!("invalid" in service)) return context.upstreams.urlOf(service);
    report("left-out", route.resource, location, `${service.invalid}, so nothing is mirrored`);
    return undefined;
  };
  for (const { it, at: location } of ruleFilters)
    if (it.urlRewrite?.hostname !== undefined)
      report(
        "otherwise",
        route.resource,
        location,
        "the service reads the hostname in x-forwarded-host; Host is its own URL's",
      );
  const translatedFilters = ruleFilters.map(({ it, at: location }) =>
    attempt(
      () => translateFilter(it, { prefix: requestMatch.prefix, urlOf: urlOf(location) }),
      report,
      route,
      location,
    ),
  );
  if (translatedFilters.includes(undefined)) {
    report("left-out", route.resource, at, "without that filter the rule answers 500, since no filter may be skipped");
    return refusedRoute;
  }
  const timeouts = ruleTimeouts(route, rule, at, report);
  const timeout = timeouts.request;
  const filters = orderFilters([
    ...translatedFilters.flatMap((it) => it?.filters ?? []),
    ...(timeout !== undefined && timeout !== noTimeout ? [{ timeout }] : []),
  ]);
  const redirect = translatedFilters.find((it) => it?.redirect)?.redirect;
  const destination = redirect
    ? { redirect }
    : backendSettings(route, rule, at, shared, { ...context, timeout: upstreamTimeout(timeouts) });
  return { ...(filters.length > 0 && { filters }), ...destination };
};

/** Puts CORS and the overall timeout first, and gives a second filter of one kind an id. */
const orderFilters = (filters: readonly Settings[]): Settings[] => {
  const firstKinds = ["cors", "timeout"];
  const kindOf = (it: Settings) => Object.keys(it)[0] as string;
  const place = (it: Settings) =>
    firstKinds.includes(kindOf(it)) ? firstKinds.indexOf(kindOf(it)) : firstKinds.length;
  const seen = new Map<string, number>();
  return filters
    .toSorted((a, b) => place(a) - place(b))
    .map((it) => {
      const count = (seen.get(kindOf(it)) ?? 0) + 1;
      seen.set(kindOf(it), count);
      return count === 1 ? it : { ...it, id: `${kindOf(it)}-${count}` };
    });
};

/** The rule's destinations, with their weights. */
const backendSettings = (
  route: HttpRouteResource,
  rule: Rule,
  at: Path,
  shared: boolean,
  { cluster, upstreams, report, timeout }: DraftContext & { readonly timeout: string | undefined },
): Settings => {
  if (rule.backendRefs.length === 0) return refusedRoute;
  const protocols = new Set<string | undefined>();
  const weights = new Map<string, number>();
  let hasLiveBackend = false;
  for (const [index, backend] of rule.backendRefs.entries()) {
    const location = [...at, "backendRefs", index];
    const found = cluster.resolve(backend, route.resource.namespace);
    if ("invalid" in found)
      report("left-out", route.resource, location, `${found.invalid}, so its share is answered 500`);
    const own = shared ? {} : attempt(() => backendHeaders(backend), report, route, location);
    const isInvalid = "invalid" in found || !own;
    const name = isInvalid
      ? upstreams.brokenName()
      : upstreams.nameFor(found as BackendService, { headers: own, timeout });
    if (!isInvalid && backend.weight > 0) hasLiveBackend = true;
    if (!("invalid" in found)) {
      protocols.add(found.protocol);
      if (found.protocol === "kubernetes.io/h2c")
        report(
          "otherwise",
          route.resource,
          location,
          `the Service ${found.name} uses h2c; the gate calls it by HTTP/1.1`,
        );
    }
    weights.set(name, (weights.get(name) ?? 0) + backend.weight);
  }
  if (!hasLiveBackend) return refusedRoute;
  const upgrade = [...protocols].every((it) => /^kubernetes\.io\/wss?$/.test(it ?? "")) && protocols.size > 0;
  const [only] = weights.keys();
  return {
    to: weights.size === 1 ? only : [...weights].map(([name, weight]) => ({ [name]: scaleWeight(weight, weights) })),
    ...(upgrade && { upgrade: "websocket" }),
  };
};

/** Scales weights to a manifest's maximum of 10000. */
const scaleWeight = (weight: number, all: ReadonlyMap<string, number>): number => {
  const largest = Math.max(...all.values());
  return largest <= 10_000 ? weight : Math.ceil((weight * 10_000) / largest);
};

/** Filters of one backend among several move to its upstream, which can only set request headers. */
const backendHeaders = ({ filters }: BackendRef): Settings => {
  const unsupported = filters.find(({ requestHeaderModifier: it }) => !it);
  if (unsupported)
    throw new SyntaxError(
      `a ${unsupported.type} of one backend among several has no equivalent; its share is answered 500`,
    );
  return Object.assign({}, ...filters.map(({ requestHeaderModifier: it }) => (it ? headerSettings(it) : {})));
};

/** The duration that expresses "no limit". */
const noTimeout = "1h";

const unitMs = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;

/** Converts a duration of the Gateway API (GEP-2257) such as `1h30m`; a manifest's has one unit. 0 means no limit. */
const translateTimeout = (text: string): string => {
  if (!/^(?:\d{1,5}(?:h|ms|m|s)){1,4}$/.test(text))
    throw new SyntaxError(`"${text}" is not a duration: 500ms, 10s, 1h30m`);
  const parts = [...text.matchAll(/(\d+)(h|ms|m|s)/g)];
  const ms = parts.reduce((sum, [, count, unit]) => sum + Number(count) * unitMs[unit as "h"], 0);
  if (ms === 0) return noTimeout;
  if (ms > milliseconds(maxDuration)) return maxDuration;
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
};

/** The longest duration of a manifest. */
const maxDuration = "24d";

type RuleTimeouts = Readonly<Partial<Record<"request" | "backendRequest", string>>>;

const ruleTimeouts = (route: HttpRouteResource, { timeouts }: Rule, at: Path, report: ReportFinding): RuleTimeouts => {
  const read = (name: "request" | "backendRequest") => {
    const text = timeouts[name];
    return text === undefined
      ? {}
      : { [name]: attempt(() => translateTimeout(text), report, route, [...at, "timeouts", name]) };
  };
  return { ...read("request"), ...read("backendRequest") };
};

/** Without a timeout in the rule, an upstream has thirty seconds. */
const upstreamTimeout = ({ request, backendRequest }: RuleTimeouts): string | undefined => {
  if (backendRequest !== undefined) return backendRequest;
  return request !== undefined && milliseconds(request) > 30_000 ? request : undefined;
};
