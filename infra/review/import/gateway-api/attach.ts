/** Attaches HTTPRoutes to hosts: a route's hostnames, as far as the listeners of its gateways accept them. */
import type { Path } from "../../../diagnostics/locate.ts";
import { assumedListener } from "./resources/assumed-listeners.ts";
import type { Cluster } from "./resources/cluster.ts";
import type { ReportFinding } from "./resources/findings.ts";
import { hostProblem, isTooWide, normalizeHost, wildcardCovers } from "./resources/hostnames.ts";
import { apiGroup } from "./resources/kinds.ts";
import type { GatewayResource, HttpRouteResource } from "./resources/resources.ts";
import type { Listener, Parent } from "./resources/schema.ts";

/** A route on a host. */
export interface Attachment {
  readonly route: HttpRouteResource;
  /** Undefined for every host that no other attachment names. */
  readonly host: string | undefined;
  /** Undefined if the gateway is not in the input and the route does not imply its listener. */
  readonly via: { readonly gateway: GatewayResource; readonly listener: Listener } | undefined;
  /** The reference to its gateway. */
  readonly at: Path;
}

/** @param onlyGateway a gateway's name, or its namespace and name; routes of others are left out */
export const attachRoutes = (cluster: Cluster, onlyGateway: string | undefined, report: ReportFinding): Attachment[] =>
  cluster.routes.flatMap((route) => {
    const parents = parentsOf(route).filter(([parent]) => isWanted(parent, route, onlyGateway));
    if (parents.length === 0) return [];
    const hosts = routeHostnames(route, report);
    const all = parents.flatMap(([parent, index]) => attachToParent({ route, hosts }, parent, index, cluster, report));
    return all.filter(({ host, at }) => {
      const wide = host !== undefined && isTooWide(host);
      const where = route.spec.hostnames.length > 0 ? ["spec", "hostnames"] : at;
      if (wide) report("left-out", route.resource, where, `no tier can be for ${host}, a whole top-level domain`);
      return !wide;
    });
  });

/** A route and its normalized hosts; undefined if it names none. */
interface RouteHosts {
  readonly route: HttpRouteResource;
  readonly hosts: readonly (string | undefined)[];
}

/** A route that names hosts gets no others, even if none of them is valid. */
const routeHostnames = ({ resource, spec }: HttpRouteResource, report: ReportFinding): (string | undefined)[] => {
  if (spec.hostnames.length === 0) return [undefined];
  return spec.hostnames.flatMap((host, index) => {
    const problem = hostProblem(host);
    if (problem !== undefined) report("left-out", resource, ["spec", "hostnames", index], problem);
    return problem === undefined ? [normalizeHost(host)] : [];
  });
};

const isGateway = ({ group, kind }: Parent): boolean => group === apiGroup && kind === "Gateway";

const isWanted = (
  parent: Parent | undefined,
  { resource }: HttpRouteResource,
  onlyGateway: string | undefined,
): boolean => {
  if (onlyGateway === undefined) return true;
  if (parent === undefined || !isGateway(parent)) return false;
  return onlyGateway === parent.name || onlyGateway === `${parent.namespace ?? resource.namespace}/${parent.name}`;
};

const parentsOf = ({ spec }: HttpRouteResource): (readonly [Parent | undefined, number])[] =>
  spec.parentRefs.length === 0 ? [[undefined, 0]] : spec.parentRefs.map((it, index) => [it, index] as const);

const attachToParent = (
  routeHosts: RouteHosts,
  parent: Parent | undefined,
  index: number,
  cluster: Cluster,
  report: ReportFinding,
): Attachment[] => {
  const { route, hosts } = routeHosts;
  const { resource } = route;
  const at = ["spec", "parentRefs", index];
  const via = (gateway: GatewayResource, listener: Listener) =>
    hostsOnListener(routeHosts, listener, gateway, report).map((host) => ({
      route,
      host,
      via: { gateway, listener },
      at,
    }));
  if (parent === undefined) return hosts.map((host) => ({ route, host, via: undefined, at }));
  if (!isGateway(parent)) {
    report("left-out", resource, at, `a route of a ${parent.kind} ${parentProblem(parent)}`);
    return [];
  }
  const namespace = parent.namespace ?? resource.namespace;
  const gateway = cluster.gateways.find(
    (it) => it.resource.name === parent.name && it.resource.namespace === namespace,
  );
  if (!gateway) {
    const { as, says } = assumeGateway(parent, namespace, route, cluster);
    report("otherwise", resource, at, `the Gateway ${namespace}/${parent.name} is not here: ${says}`);
    return as ? via(as, as.listeners[0] as Listener) : hosts.map((host) => ({ route, host, via: undefined, at }));
  }
  const all = gateway.listeners
    .filter((it) => acceptsRoute(it, parent, route, gateway, cluster, report))
    .flatMap((listener) => via(gateway, listener));
  if (all.length === 0) report("left-out", resource, at, "no listener takes this route");
  else for (const it of unservedHosts(routeHosts, all)) report("otherwise", resource, ["spec", "hostnames"], it);
  return all;
};

const parentProblem = ({ group, kind }: Parent): string => {
  if (kind === "Service" && (group === "" || group === apiGroup)) return "is for traffic within the cluster";
  return group === apiGroup ? "has no equivalent" : `(${group || "core"}) has no equivalent`;
};

/** The gateway with the listener that the reference names; undefined if it is unknown. */
const assumeGateway = (parent: Parent, namespace: string, { resource }: HttpRouteResource, { redirected }: Cluster) => {
  const listener = assumedListener(parent, namespace, redirected);
  if (!listener) return { says: "its listeners narrow nothing" };
  const { name, protocol, port } = listener;
  const as: GatewayResource = {
    resource: { ...resource, kind: "Gateway", namespace, name: parent.name },
    listeners: [listener],
  };
  return { as, says: `its listener ${name} is taken for ${protocol} on port ${port}` };
};

/** Hostnames that no listener accepts: a Gateway does not serve them either. */
const unservedHosts = ({ hosts }: RouteHosts, all: readonly Attachment[]): string[] =>
  hosts
    .filter(
      (own) => own !== undefined && !all.some(({ host }) => host !== undefined && narrowerHost(own, host) === host),
    )
    .map((own) => `no listener takes the hostname ${own}`);

const acceptsRoute = (
  listener: Listener,
  parent: Parent,
  { resource }: HttpRouteResource,
  gateway: GatewayResource,
  cluster: Cluster,
  report: ReportFinding,
) => {
  if (parent.sectionName !== undefined && parent.sectionName !== listener.name) return false;
  if (parent.port !== undefined && parent.port !== listener.port) return false;
  if (listener.protocol !== "HTTP" && listener.protocol !== "HTTPS") return false;
  if (listener.protocol === "HTTPS" && listener.tls?.mode === "Passthrough") return false;
  const { namespaces, kinds } = listener.allowedRoutes;
  if (kinds && !kinds.some(({ group, kind }) => group === apiGroup && kind === "HTTPRoute")) return false;
  if (namespaces.from === "Same") return resource.namespace === gateway.resource.namespace;
  if (namespaces.from !== "Selector") return namespaces.from === "All";
  const labelled = cluster.hasLabels(resource.namespace, namespaces.selector ?? {});
  if (labelled === undefined)
    report(
      "otherwise",
      resource,
      ["metadata", "namespace"],
      `the Namespace ${resource.namespace} is not here: it is taken to have the labels that ${listener.name} asks for`,
    );
  return labelled !== false;
};

/** The hosts of a route on a listener; undefined stands for every other host. */
const hostsOnListener = (
  { route, hosts: own }: RouteHosts,
  listener: Listener,
  gateway: GatewayResource,
  report: ReportFinding,
) => {
  const hosts = own.flatMap((it) =>
    it === undefined ? [listener.hostname] : (narrowerHost(it, listener.hostname) ?? []),
  );
  return hosts.filter((host) => {
    const moreSpecific = host === undefined ? undefined : moreSpecificListener(host, listener, gateway);
    const says = `the listener ${moreSpecific?.name} takes ${host}, so ${listener.name} does not serve it`;
    if (moreSpecific) report("otherwise", route.resource, ["spec", "hostnames"], says);
    return !moreSpecific;
  });
};

/** Requests for a host go only to the listener with the most specific hostname. */
export const moreSpecificListener = (
  host: string,
  own: Listener,
  { listeners }: GatewayResource,
): Listener | undefined =>
  listeners.find(
    (it) =>
      it.port === own.port &&
      it.hostname !== undefined &&
      (it.hostname === host || wildcardCovers(it.hostname, host)) &&
      (own.hostname === undefined || (it.hostname !== own.hostname && wildcardCovers(own.hostname, it.hostname))),
  );

/** The intersection: the narrower of the two, or undefined if they have nothing in common. */
const narrowerHost = (a: string, b: string | undefined): string | undefined => {
  if (b === undefined || a === b || wildcardCovers(b, a)) return a;
  return wildcardCovers(a, b) ? b : undefined;
};
