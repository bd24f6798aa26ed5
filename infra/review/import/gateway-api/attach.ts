/** Which hosts each route is served on: its own hostnames, as far as listeners of the gateways it names take them. */
import type { Path } from "../../../diagnostics/locate.ts";
import type { Cluster } from "./resources/cluster.ts";
import type { Find } from "./resources/findings.ts";
import { compared, covers, hostProblem, isTooWide } from "./resources/hostnames.ts";
import { apiGroup } from "./resources/kinds.ts";
import type { Gateway, Route } from "./resources/resources.ts";
import type { Listener, Parent } from "./resources/schema.ts";
import { supposedListener } from "./resources/assumed-listeners.ts";

/** A route on a host. */
export interface Attached {
  readonly route: Route;
  /** Undefined for every host that no other attachment names. */
  readonly host: string | undefined;
  /** Undefined where the gateway is not here and its listener is not known by the route either. */
  readonly by: { readonly gateway: Gateway; readonly listener: Listener } | undefined;
  /** The reference to its gateway. */
  readonly at: Path;
}

/** @param only a gateway's name, or its namespace and name, where routes of others are not wanted */
export const attachedIn = (cluster: Cluster, only: string | undefined, find: Find): Attached[] =>
  cluster.routes.flatMap((route) => {
    const parents = parentsOf(route).filter(([parent]) => isWanted(parent, route, only));
    if (parents.length === 0) return [];
    const hosts = hostsOf(route, find);
    const all = parents.flatMap(([parent, index]) => attachedTo({ route, hosts }, parent, index, cluster, find));
    return all.filter(({ host, at }) => {
      const wide = host !== undefined && isTooWide(host);
      const where = route.spec.hostnames.length > 0 ? ["spec", "hostnames"] : at;
      if (wide) find("left-out", route.resource, where, `no tier can be for ${host}, a whole top-level domain`);
      return !wide;
    });
  });

/** A route and its hosts as they are compared: undefined where it names none. */
interface Wanting {
  readonly route: Route;
  readonly hosts: readonly (string | undefined)[];
}

/** A route that names hosts gets no others, even where none of them can be one. */
const hostsOf = ({ resource, spec }: Route, find: Find): (string | undefined)[] => {
  if (spec.hostnames.length === 0) return [undefined];
  return spec.hostnames.flatMap((host, index) => {
    const problem = hostProblem(host);
    if (problem !== undefined) find("left-out", resource, ["spec", "hostnames", index], problem);
    return problem === undefined ? [compared(host)] : [];
  });
};

const isGateway = ({ group, kind }: Parent): boolean => group === apiGroup && kind === "Gateway";

const isWanted = (parent: Parent | undefined, { resource }: Route, only: string | undefined): boolean => {
  if (only === undefined) return true;
  if (parent === undefined || !isGateway(parent)) return false;
  return only === parent.name || only === `${parent.namespace ?? resource.namespace}/${parent.name}`;
};

const parentsOf = ({ spec }: Route): (readonly [Parent | undefined, number])[] =>
  spec.parentRefs.length === 0 ? [[undefined, 0]] : spec.parentRefs.map((it, index) => [it, index] as const);

const attachedTo = (
  wanting: Wanting,
  parent: Parent | undefined,
  index: number,
  cluster: Cluster,
  find: Find,
): Attached[] => {
  const { route, hosts } = wanting;
  const { resource } = route;
  const at = ["spec", "parentRefs", index];
  const by = (gateway: Gateway, listener: Listener) =>
    onListener(wanting, listener, gateway, find).map((host) => ({ route, host, by: { gateway, listener }, at }));
  if (parent === undefined) return hosts.map((host) => ({ route, host, by: undefined, at }));
  if (!isGateway(parent)) {
    find("left-out", resource, at, `a route of a ${parent.kind} ${whyNot(parent)}`);
    return [];
  }
  const namespace = parent.namespace ?? resource.namespace;
  const gateway = cluster.gateways.find(
    (it) => it.resource.name === parent.name && it.resource.namespace === namespace,
  );
  if (!gateway) {
    const { as, says } = supposed(parent, namespace, route, cluster);
    find("otherwise", resource, at, `the Gateway ${namespace}/${parent.name} is not here: ${says}`);
    return as ? by(as, as.listeners[0] as Listener) : hosts.map((host) => ({ route, host, by: undefined, at }));
  }
  const all = gateway.listeners
    .filter((it) => takes(it, parent, route, gateway, cluster, find))
    .flatMap((listener) => by(gateway, listener));
  if (all.length === 0) find("left-out", resource, at, "no listener takes this route");
  else for (const it of unserved(wanting, all)) find("otherwise", resource, ["spec", "hostnames"], it);
  return all;
};

const whyNot = ({ group, kind }: Parent): string => {
  if (kind === "Service" && (group === "" || group === apiGroup)) return "is for traffic within the cluster";
  return group === apiGroup ? "has no equivalent" : `(${group || "core"}) has no equivalent`;
};

/** The gateway that has the listener which the reference names, as far as it is known. */
const supposed = (parent: Parent, namespace: string, { resource }: Route, { redirected }: Cluster) => {
  const listener = supposedListener(parent, namespace, redirected);
  if (!listener) return { says: "its listeners narrow nothing" };
  const { name, protocol, port } = listener;
  const as: Gateway = {
    resource: { ...resource, kind: "Gateway", namespace, name: parent.name },
    listeners: [listener],
  };
  return { as, says: `its listener ${name} is taken for ${protocol} on port ${port}` };
};

/** Hostnames that meet no listener: the Gateway serves them neither. */
const unserved = ({ hosts }: Wanting, all: readonly Attached[]): string[] =>
  hosts
    .filter((own) => own !== undefined && !all.some(({ host }) => host !== undefined && common(own, host) === host))
    .map((own) => `no listener takes the hostname ${own}`);

const takes = (
  listener: Listener,
  parent: Parent,
  { resource }: Route,
  gateway: Gateway,
  cluster: Cluster,
  find: Find,
) => {
  if (parent.sectionName !== undefined && parent.sectionName !== listener.name) return false;
  if (parent.port !== undefined && parent.port !== listener.port) return false;
  if (listener.protocol !== "HTTP" && listener.protocol !== "HTTPS") return false;
  if (listener.protocol === "HTTPS" && listener.tls?.mode === "Passthrough") return false;
  const { namespaces, kinds } = listener.allowedRoutes;
  if (kinds && !kinds.some(({ group, kind }) => group === apiGroup && kind === "HTTPRoute")) return false;
  if (namespaces.from === "Same") return resource.namespace === gateway.resource.namespace;
  if (namespaces.from !== "Selector") return namespaces.from === "All";
  const labelled = cluster.labelled(resource.namespace, namespaces.selector ?? {});
  if (labelled === undefined)
    find(
      "otherwise",
      resource,
      ["metadata", "namespace"],
      `the Namespace ${resource.namespace} is not here: it is taken to have the labels that ${listener.name} asks for`,
    );
  return labelled !== false;
};

/** The hosts that a route has on a listener; undefined is every other one. */
const onListener = ({ route, hosts: own }: Wanting, listener: Listener, gateway: Gateway, find: Find) => {
  const hosts = own.flatMap((it) => (it === undefined ? [listener.hostname] : (common(it, listener.hostname) ?? [])));
  return hosts.filter((host) => {
    const nearer = host === undefined ? undefined : nearerListener(host, listener, gateway);
    const says = `the listener ${nearer?.name} takes ${host}, so ${listener.name} does not serve it`;
    if (nearer) find("otherwise", route.resource, ["spec", "hostnames"], says);
    return !nearer;
  });
};

/** Requests for a host go to the listener that names it best, and to no other one. */
export const nearerListener = (host: string, own: Listener, { listeners }: Gateway): Listener | undefined =>
  listeners.find(
    (it) =>
      it.port === own.port &&
      it.hostname !== undefined &&
      (it.hostname === host || covers(it.hostname, host)) &&
      (own.hostname === undefined || (it.hostname !== own.hostname && covers(own.hostname, it.hostname))),
  );

/** What both take: the narrower of the two, or undefined where they have nothing in common. */
const common = (a: string, b: string | undefined): string | undefined => {
  if (b === undefined || a === b || covers(b, a)) return a;
  return covers(a, b) ? b : undefined;
};
