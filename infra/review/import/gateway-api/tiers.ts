/** Tiers of an import: hosts that the same routes are served on share one, with its routes in the order of the Gateway API. */
import { type Attached, nearerListener } from "./attach.ts";
import { doorsOf, placeOf } from "./listener-addresses.ts";
import type { Cluster } from "./resources/cluster.ts";
import type { Find } from "./resources/findings.ts";
import { covers } from "./resources/hostnames.ts";
import { changesScheme } from "./resources/redirects.ts";
import type { Door, Gateway, Route } from "./resources/resources.ts";
import type { Draft } from "./rules.ts";

/** Routes of some hosts, each with the scheme and port that it is served at where that tells them apart. */
export interface Group {
  readonly hosts: readonly string[];
  /** Undefined for hosts that nothing names. */
  readonly named: boolean;
  readonly routes: readonly { readonly route: Route; readonly door: Door }[];
}

/** A host that has routes of its own at a listener gets no others there: a wildcard stands for the rest. */
export const groupsOf = (attached: readonly Attached[], { gateways }: Cluster, find: Find): Group[] => {
  const byHost = Map.groupBy(attached, ({ host }) => host);
  const hosts = [...byHost.keys()].flatMap((it) => it ?? []);
  // A listener that no route is attached to takes its host's requests all the same.
  const idle = gateways.flatMap(({ listeners }) => listeners.flatMap(({ hostname }) => hostname ?? []));
  for (const host of idle) if (!byHost.has(host) && hosts.some((it) => covers(it, host))) byHost.set(host, []);
  const groups = new Map<string, { hosts: string[]; named: boolean; routes: Group["routes"] }>();
  for (const [host, own] of byHost) {
    const all = host === undefined ? own : [...own, ...wider(host, own, attached, gateways)];
    const routes = doorsOf(host, all, find);
    const key = JSON.stringify([host === undefined, routes.map(({ route, door }) => [idOf(route), door])]);
    const group = groups.get(key) ?? { hosts: [], named: host !== undefined, routes };
    if (host !== undefined) group.hosts.push(host);
    groups.set(key, group);
  }
  return [...groups.values()].flatMap((it) => inParts(it.hosts.toSorted()).map((hosts) => ({ ...it, hosts })));
};

/** Hosts that one tier can have. */
const mostHosts = 100;

const inParts = (hosts: readonly string[]): (readonly string[])[] => {
  const count = Math.max(1, Math.ceil(hosts.length / mostHosts));
  return Array.from({ length: count }, (_, part) => hosts.slice(part * mostHosts, (part + 1) * mostHosts));
};

/**
 * Routes that a host has from a wildcard over it, or from those without hostnames: at listeners where it has none itself.
 * So a redirect for all hosts at the HTTP listener is there for a host that has routes at the HTTPS listener only.
 */
const wider = (
  host: string,
  own: readonly Attached[],
  attached: readonly Attached[],
  gateways: readonly Gateway[],
): Attached[] => {
  if (own.some(({ by }) => by === undefined)) return [];
  const found = [...own];
  const entries = [
    ...own.map(({ by }) => by?.gateway),
    ...gateways.filter(({ listeners }) => listeners.some(({ hostname }) => hostname === host)),
  ].map((it) => it && idOf(it));
  const over = attached.filter((it) => it.host === undefined || covers(it.host, host));
  const byWidth = [...Map.groupBy(over, (it) => it.host?.length ?? 0)].toSorted(([a], [b]) => b - a);
  for (const [, level] of byWidth)
    found.push(
      ...level.filter(({ route, by }) => {
        if (!by || found.some((it) => !it.by || isSamePlace(it.by, by))) return false;
        if (nearerListener(host, by.listener, by.gateway)) return false;
        // Another gateway has another address, but for what only sends to the one of the host itself.
        return entries.includes(idOf(by.gateway)) || route.spec.rules.every(changesScheme);
      }),
    );
  return found.slice(own.length);
};

const isSamePlace = (a: NonNullable<Attached["by"]>, b: NonNullable<Attached["by"]>): boolean => {
  const [one, other] = [placeOf(a.listener), placeOf(b.listener)];
  return one.scheme === other.scheme && one.port === other.port;
};

const idOf = ({ resource }: Pick<Route, "resource">): string => `${resource.namespace}/${resource.name}`;

export interface Ranked extends Draft {
  readonly door: Door;
  /** Among those of the same path and method; undefined for one that is alone. */
  readonly rank: number | undefined;
}

/**
 * Exact paths, longer prefixes and named methods come first by themselves. Of one path and method, the match with more
 * headers does, then with more parameters, then the older route's, then the one that is written first.
 */
export const rankedIn = (drafts: readonly (Draft & Pick<Ranked, "door">)[], find: Find): Ranked[] =>
  [...Map.groupBy(drafts, ({ taken }) => `${taken.method} ${taken.path}`).values()].flatMap((alike) => {
    // The drafts come in the order of their routes and rules, and sorting keeps it.
    const best = alike.toSorted((a, b) => b.taken.headers - a.taken.headers || b.taken.queries - a.taken.queries);
    const seen = new Map<string, Draft>();
    const reached = best.filter((it) => {
      const key = JSON.stringify([sorted(it.taken.when.header), sorted(it.taken.when.query), it.door]);
      const first = seen.get(key);
      if (!first) seen.set(key, it);
      else
        find(
          "left-out",
          it.route.resource,
          it.path,
          `${idOf(first.route)} takes the same requests of this host (line ${first.route.resource.line(first.path)})`,
        );
      return !first;
    });
    return reached.map((it, index) => ({ ...it, rank: reached.length > 1 ? index + 1 : undefined }));
  });

const sorted = (values: object | undefined): unknown =>
  Object.entries(values ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1));
