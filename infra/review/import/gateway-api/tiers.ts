/** Tiers of an import: hosts that the same routes are served on share one, with its routes in the order of the Gateway API. */
import { type Attached, covers } from "./attach.ts";
import type { Cluster, Route } from "./cluster.ts";
import { type Door, doorsOf } from "./doors.ts";
import type { Find } from "./findings.ts";
import type { Draft } from "./rules.ts";

/** Routes of some hosts, each with the scheme and port that it is served at where that tells them apart. */
export interface Group {
  readonly hosts: readonly string[];
  /** Undefined for hosts that nothing names. */
  readonly named: boolean;
  readonly routes: readonly { readonly route: Route; readonly door: Door }[];
}

/** A host that has routes of its own gets no others: a wildcard stands for the rest. */
export const groupsOf = (attached: readonly Attached[], { gateways }: Cluster, find: Find): Group[] => {
  const byHost = Map.groupBy(attached, ({ host }) => host);
  const hosts = [...byHost.keys()].flatMap((it) => it ?? []);
  // A listener that no route is attached to takes its host's requests all the same.
  const idle = gateways.flatMap(({ listeners }) => listeners.flatMap(({ hostname }) => hostname ?? []));
  for (const host of idle) if (!byHost.has(host) && hosts.some((it) => covers(it, host))) byHost.set(host, []);
  const groups = new Map<string, { hosts: string[]; named: boolean; routes: Group["routes"] }>();
  for (const [host, all] of byHost) {
    const routes = doorsOf(host, all, find);
    const key = JSON.stringify([host === undefined, routes.map(({ route, door }) => [idOf(route), door])]);
    const group = groups.get(key) ?? { hosts: [], named: host !== undefined, routes };
    if (host !== undefined) group.hosts.push(host);
    groups.set(key, group);
  }
  return [...groups.values()].map((it) => ({ ...it, hosts: it.hosts.toSorted() }));
};

const idOf = ({ resource }: Route): string => `${resource.namespace}/${resource.name}`;

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
