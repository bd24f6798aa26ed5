/** Groups hosts into tiers: hosts with the same routes share one, with routes in Gateway API precedence. */
import { type Attachment, moreSpecificListener } from "./attach.ts";
import { addressOf, listenerAddresses } from "./listener-addresses.ts";
import type { Cluster } from "./resources/cluster.ts";
import type { ReportFinding } from "./resources/findings.ts";
import { wildcardCovers } from "./resources/hostnames.ts";
import { findSchemeChange } from "./resources/redirects.ts";
import type { GatewayResource, HttpRouteResource, ListenerAddress } from "./resources/resources.ts";
import type { RouteDraft } from "./rules.ts";

/** The routes of some hosts, each with its scheme and port if these distinguish routes. */
export interface HostGroup {
  readonly hosts: readonly string[];
  /** Undefined for hosts that no route names. */
  readonly isNamed: boolean;
  readonly routes: readonly { readonly route: HttpRouteResource; readonly address: ListenerAddress }[];
}

/** A host with its own routes at a listener gets no others there: a wildcard covers the remaining hosts. */
export const groupHosts = (
  attached: readonly Attachment[],
  { gateways }: Cluster,
  report: ReportFinding,
): HostGroup[] => {
  const byHost = Map.groupBy(attached, ({ host }) => host);
  const hosts = [...byHost.keys()].flatMap((it) => it ?? []);
  // A listener without routes takes its host's requests all the same.
  const listenerHosts = gateways.flatMap(({ listeners }) => listeners.flatMap(({ hostname }) => hostname ?? []));
  for (const host of listenerHosts)
    if (!byHost.has(host) && hosts.some((it) => wildcardCovers(it, host))) byHost.set(host, []);
  const groups = new Map<string, { hosts: string[]; isNamed: boolean; routes: HostGroup["routes"] }>();
  for (const [host, ownAttachments] of byHost) {
    const all =
      host === undefined
        ? ownAttachments
        : [...ownAttachments, ...inheritedRoutes(host, ownAttachments, attached, gateways)];
    const routes = listenerAddresses(host, all, report);
    const key = JSON.stringify([host === undefined, routes.map(({ route, address }) => [routeId(route), address])]);
    const group = groups.get(key) ?? { hosts: [], isNamed: host !== undefined, routes };
    if (host !== undefined) group.hosts.push(host);
    groups.set(key, group);
  }
  return [...groups.values()].flatMap((it) => splitHosts(it.hosts.toSorted()).map((hosts) => ({ ...it, hosts })));
};

/** Hosts that one tier can have. */
const maxHosts = 100;

const splitHosts = (hosts: readonly string[]): (readonly string[])[] => {
  const count = Math.max(1, Math.ceil(hosts.length / maxHosts));
  return Array.from({ length: count }, (_, part) => hosts.slice(part * maxHosts, (part + 1) * maxHosts));
};

/**
 * Routes that a host inherits from a wildcard, or from routes without hostnames, at listeners where it has none itself.
 * So a redirect for all hosts at the HTTP listener applies to a host whose routes are all at the HTTPS listener.
 */
const inheritedRoutes = (
  host: string,
  ownAttachments: readonly Attachment[],
  attached: readonly Attachment[],
  gateways: readonly GatewayResource[],
): Attachment[] => {
  if (ownAttachments.some(({ via }) => via === undefined)) return [];
  const found = [...ownAttachments];
  const gatewayIds = [
    ...ownAttachments.map(({ via }) => via?.gateway),
    ...gateways.filter(({ listeners }) => listeners.some(({ hostname }) => hostname === host)),
  ].map((it) => it && routeId(it));
  const broader = attached.filter((it) => it.host === undefined || wildcardCovers(it.host, host));
  const byWidth = [...Map.groupBy(broader, (it) => it.host?.length ?? 0)].toSorted(([a], [b]) => b - a);
  for (const [, level] of byWidth)
    found.push(
      ...level.filter(({ route, via }) => {
        if (!via || found.some((it) => !it.via || isSameAddress(it.via, via))) return false;
        if (moreSpecificListener(host, via.listener, via.gateway)) return false;
        // Another gateway has another address. Redirects to the host itself apply all the same.
        return gatewayIds.includes(routeId(via.gateway)) || route.spec.rules.every(findSchemeChange);
      }),
    );
  return found.slice(ownAttachments.length);
};

const isSameAddress = (a: NonNullable<Attachment["via"]>, b: NonNullable<Attachment["via"]>): boolean => {
  const [one, other] = [addressOf(a.listener), addressOf(b.listener)];
  return one.scheme === other.scheme && one.port === other.port;
};

const routeId = ({ resource }: Pick<HttpRouteResource, "resource">): string => `${resource.namespace}/${resource.name}`;

export interface RankedDraft extends RouteDraft {
  readonly address: ListenerAddress;
  /** The rank among routes of the same path and method; undefined for a single one. */
  readonly rank: number | undefined;
}

/**
 * The router puts exact paths, longer prefixes and named methods first. Of one path and method, the match with more
 * headers is first, then the one with more parameters, then the older route's, then the one that is written first.
 */
export const rankDrafts = (
  drafts: readonly (RouteDraft & Pick<RankedDraft, "address">)[],
  report: ReportFinding,
): RankedDraft[] =>
  [...Map.groupBy(drafts, ({ requestMatch }) => `${requestMatch.method} ${requestMatch.path}`).values()].flatMap(
    (sameMatch) => {
      // The drafts come in the order of their routes and rules, and sorting keeps it.
      const ordered = sameMatch.toSorted(
        (a, b) => b.requestMatch.headers - a.requestMatch.headers || b.requestMatch.queries - a.requestMatch.queries,
      );
      const seen = new Map<string, RouteDraft>();
      const reachable = ordered.filter((it) => {
        const key = JSON.stringify([
          sortedEntries(it.requestMatch.when.header),
          sortedEntries(it.requestMatch.when.query),
          it.address,
        ]);
        const first = seen.get(key);
        if (!first) seen.set(key, it);
        else
          report(
            "left-out",
            it.route.resource,
            it.path,
            `${routeId(first.route)} takes the same requests of this host (line ${first.route.resource.line(first.path)})`,
          );
        return !first;
      });
      return reachable.map((it, index) => ({ ...it, rank: reachable.length > 1 ? index + 1 : undefined }));
    },
  );

const sortedEntries = (values: object | undefined): unknown =>
  Object.entries(values ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1));
