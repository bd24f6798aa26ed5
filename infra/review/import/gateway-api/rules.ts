/** A rule of an HTTPRoute as routes of a manifest: one for each match, with the rule's filters and backends. */
import { milliseconds } from "../../../../functions/gateway/core/quantities.ts";
import type { Path } from "../../../diagnostics/locate.ts";
import { headers, translated, type Written } from "./filters.ts";
import { type Taken, takenOf } from "./matches.ts";
import type { Cluster } from "./resources/cluster.ts";
import type { Find } from "./resources/findings.ts";
import { type Change, changesScheme } from "./resources/redirects.ts";
import type { Route } from "./resources/resources.ts";
import type { BackendRef, Filter, RouteMatch, Rule } from "./resources/schema.ts";
import type { Service, Upstreams } from "./upstreams.ts";

export interface Draft {
  readonly route: Route;
  readonly rule: number;
  readonly match: number;
  readonly taken: Taken;
  /** Where the match, or else the rule, stands. */
  readonly path: Path;
  /** All of the manifest's route but its match, conditions and rank. */
  readonly does: Written;
  /** Where it redirects to another scheme. */
  readonly change: Change | undefined;
}

interface Surroundings {
  readonly cluster: Cluster;
  readonly upstreams: Upstreams;
  readonly find: Find;
}

export const draftsOf = (route: Route, around: Surroundings): Draft[] =>
  (route.spec.rules.length === 0 ? [everything] : route.spec.rules).flatMap((rule, index) => {
    const at: Path = ["spec", "rules", index];
    const matches = rule.matches.length === 0 ? [whole] : rule.matches;
    return matches.flatMap((match, place): Draft[] => {
      // It has a condition that is not known, which has been listed.
      if (match === null) return [];
      const path = rule.matches.length === 0 ? at : [...at, "matches", place];
      const taken = attempt(() => takenOf(match), around.find, route, path);
      if (!taken) return [];
      const does = doesOf(route, rule, at, taken, around);
      return [{ route, rule: index, match: place, taken, path, does, change: changesScheme(rule) }];
    });
  });

const whole: RouteMatch = { path: { type: "PathPrefix", value: "/" }, headers: [], queryParams: [] };
const everything: Rule = { matches: [], filters: [], backendRefs: [], timeouts: {} };

const attempt = <T>(work: () => T, find: Find, { resource }: Route, at: Path): T | undefined => {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    find("left-out", resource, at, error.message);
    return undefined;
  }
};

const refused = { respond: { status: 500 } };

const doesOf = (route: Route, rule: Rule, at: Path, taken: Taken, around: Surroundings): Written => {
  const { find } = around;
  const named = rule.backendRefs.map((it, index) => ({ it, at: [...at, "backendRefs", index] }));
  // What every backend does is done ahead of them.
  const shared = named.every(({ it }) => JSON.stringify(it.filters) === JSON.stringify(named[0]?.it.filters));
  const asked = [
    ...rule.filters.map((it, index) => ({ it, at: [...at, "filters", index] })),
    ...(shared ? (named[0]?.it.filters ?? []).map((it) => ({ it, at: named[0]?.at ?? at })) : []),
  ];
  const urlOf = (where: Path) => (backend: NonNullable<Filter["requestMirror"]>["backendRef"]) => {
    const service = around.cluster.resolve(backend, route.resource.namespace);
    if (!("invalid" in service)) return around.upstreams.urlOf(service);
    find("left-out", route.resource, where, `${service.invalid}, so nothing is mirrored`);
    return undefined;
  };
  for (const { it, at: where } of asked)
    if (it.urlRewrite?.hostname !== undefined)
      find(
        "otherwise",
        route.resource,
        where,
        "the service reads the hostname in x-forwarded-host; Host is its own URL's",
      );
  const done = asked.map(({ it, at: where }) =>
    attempt(() => translated(it, { prefix: taken.prefix, urlOf: urlOf(where) }), find, route, where),
  );
  if (done.includes(undefined)) {
    find("left-out", route.resource, at, "without that filter the rule answers 500, since no filter may be skipped");
    return refused;
  }
  const timeouts = timeoutsOf(route, rule, at, find);
  const timeout = timeouts.request;
  const filters = inOrder([
    ...done.flatMap((it) => it?.filters ?? []),
    ...(timeout !== undefined && timeout !== endless ? [{ timeout }] : []),
  ]);
  const redirect = done.find((it) => it?.redirect)?.redirect;
  const goes = redirect
    ? { redirect }
    : leads(route, rule, at, shared, { ...around, timeout: upstreamTimeout(timeouts) });
  return { ...(filters.length > 0 && { filters }), ...goes };
};

/** CORS and the time that all else may take come first; a kind that stands there twice is told apart. */
const inOrder = (filters: readonly Written[]): Written[] => {
  const early = ["cors", "timeout"];
  const kindOf = (it: Written) => Object.keys(it)[0] as string;
  const place = (it: Written) => (early.includes(kindOf(it)) ? early.indexOf(kindOf(it)) : early.length);
  const seen = new Map<string, number>();
  return filters
    .toSorted((a, b) => place(a) - place(b))
    .map((it) => {
      const count = (seen.get(kindOf(it)) ?? 0) + 1;
      seen.set(kindOf(it), count);
      return count === 1 ? it : { ...it, id: `${kindOf(it)}-${count}` };
    });
};

/** Where the rule's requests go, and with which weights. */
const leads = (
  route: Route,
  rule: Rule,
  at: Path,
  shared: boolean,
  { cluster, upstreams, find, timeout }: Surroundings & { readonly timeout: string | undefined },
): Written => {
  if (rule.backendRefs.length === 0) return refused;
  const protocols = new Set<string | undefined>();
  const weights = new Map<string, number>();
  let serves = false;
  for (const [index, backend] of rule.backendRefs.entries()) {
    const where = [...at, "backendRefs", index];
    const found = cluster.resolve(backend, route.resource.namespace);
    if ("invalid" in found) find("left-out", route.resource, where, `${found.invalid}, so its share is answered 500`);
    const own = shared ? {} : attempt(() => headersOf(backend), find, route, where);
    const dead = "invalid" in found || !own;
    const name = dead ? upstreams.broken() : upstreams.use(found as Service, { headers: own, timeout });
    if (!dead && backend.weight > 0) serves = true;
    if (!("invalid" in found)) {
      protocols.add(found.protocol);
      if (found.protocol === "kubernetes.io/h2c")
        find("otherwise", route.resource, where, `the Service ${found.name} speaks h2c, and is called by HTTP/1.1`);
    }
    weights.set(name, (weights.get(name) ?? 0) + backend.weight);
  }
  if (!serves) return refused;
  const upgrade = [...protocols].every((it) => /^kubernetes\.io\/wss?$/.test(it ?? "")) && protocols.size > 0;
  const [only] = weights.keys();
  return {
    to: weights.size === 1 ? only : [...weights].map(([name, weight]) => ({ [name]: scaled(weight, weights) })),
    ...(upgrade && { upgrade: "websocket" }),
  };
};

/** A manifest's weights go to 10000. */
const scaled = (weight: number, all: ReadonlyMap<string, number>): number => {
  const most = Math.max(...all.values());
  return most <= 10_000 ? weight : Math.ceil((weight * 10_000) / most);
};

/** What one backend of several changes is written by its upstream, and that writes headers of requests. */
const headersOf = ({ filters }: BackendRef): Written => {
  const odd = filters.find(({ requestHeaderModifier: it }) => !it);
  if (odd)
    throw new SyntaxError(`a ${odd.type} of one backend among several has no equivalent; its share is answered 500`);
  return Object.assign({}, ...filters.map(({ requestHeaderModifier: it }) => (it ? headers(it) : {})));
};

/** What stands for no limit. */
const endless = "1h";

const units = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;

/** `1h30m` is one of the Gateway API's durations (GEP-2257), of which a manifest's has one unit; 0 is no limit. */
const timeoutOf = (text: string): string => {
  if (!/^(?:\d{1,5}(?:h|ms|m|s)){1,4}$/.test(text))
    throw new SyntaxError(`"${text}" is no duration: 500ms, 10s, 1h30m`);
  const parts = [...text.matchAll(/(\d+)(h|ms|m|s)/g)];
  const ms = parts.reduce((sum, [, count, unit]) => sum + Number(count) * units[unit as "h"], 0);
  if (ms === 0) return endless;
  if (ms > milliseconds(longest)) return longest;
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
};

/** The longest duration of a manifest. */
const longest = "24d";

type Timeouts = Readonly<Partial<Record<"request" | "backendRequest", string>>>;

const timeoutsOf = (route: Route, { timeouts }: Rule, at: Path, find: Find): Timeouts => {
  const read = (name: "request" | "backendRequest") => {
    const text = timeouts[name];
    return text === undefined ? {} : { [name]: attempt(() => timeoutOf(text), find, route, [...at, "timeouts", name]) };
  };
  return { ...read("request"), ...read("backendRequest") };
};

/** An upstream has thirty seconds by itself, where the rule gives no more. */
const upstreamTimeout = ({ request, backendRequest }: Timeouts): string | undefined => {
  if (backendRequest !== undefined) return backendRequest;
  return request !== undefined && milliseconds(request) > 30_000 ? request : undefined;
};
