/** Which hosts each route is served on: its own hostnames, as far as listeners of the gateways it names take them. */
import type { Path } from "../../../compiler/locate.ts";
import type { Cluster, Gateway, Route } from "./cluster.ts";
import type { Find } from "./findings.ts";
import type { Listener, Parent } from "./schema.ts";

/** A route on a host. */
export interface Attached {
  readonly route: Route;
  /** Undefined for every host that no other attachment names. */
  readonly host: string | undefined;
  /** Undefined where the gateway is not known. */
  readonly by: { readonly gateway: Gateway; readonly listener: Listener } | undefined;
  /** The reference to its gateway. */
  readonly at: Path;
}

/** @param only a gateway's name, or its namespace and name, where routes of others are not wanted */
export const attachedIn = (cluster: Cluster, only: string | undefined, find: Find): Attached[] =>
  cluster.routes.flatMap((route) => {
    const parents = parentsOf(route).filter(([parent]) => isWanted(parent, route, only));
    if (parents.length === 0) return [];
    const all = parents.flatMap(([parent, index]) => attachedTo(route, parent, index, cluster, find));
    if (all.length === 0) find("left-out", route.resource, ["spec", "parentRefs"], "no listener takes this route");
    return all;
  });

const isWanted = (parent: Parent | undefined, { resource }: Route, only: string | undefined): boolean => {
  if (only === undefined) return true;
  if (parent?.kind !== "Gateway") return false;
  return only === parent.name || only === `${parent.namespace ?? resource.namespace}/${parent.name}`;
};

const parentsOf = ({ spec }: Route): (readonly [Parent | undefined, number])[] =>
  spec.parentRefs.length === 0 ? [[undefined, 0]] : spec.parentRefs.map((it, index) => [it, index] as const);

const attachedTo = (
  route: Route,
  parent: Parent | undefined,
  index: number,
  cluster: Cluster,
  find: Find,
): Attached[] => {
  const { resource, spec } = route;
  const at = ["spec", "parentRefs", index];
  const free = (): Attached[] => {
    const hosts = spec.hostnames.length > 0 ? spec.hostnames : [undefined];
    return hosts.map((host) => ({ route, host: host?.toLowerCase(), by: undefined, at }));
  };
  if (parent === undefined) return free();
  if (parent.kind !== "Gateway") {
    const why = parent.kind === "Service" ? "is for traffic within the cluster" : "has no equivalent";
    find("left-out", resource, at, `a route of a ${parent.kind} ${why}`);
    return [];
  }
  const namespace = parent.namespace ?? resource.namespace;
  const gateway = cluster.gateways.find(
    (it) => it.resource.name === parent.name && it.resource.namespace === namespace,
  );
  if (!gateway) {
    find(
      "otherwise",
      resource,
      at,
      `the Gateway ${namespace}/${parent.name} is not here: its listeners narrow nothing`,
    );
    return free();
  }
  const listeners = gateway.listeners.filter((it) => takes(it, parent, route, gateway, cluster));
  return listeners.flatMap((listener) =>
    onListener(route, listener, gateway, find).map((host) => ({ route, host, by: { gateway, listener }, at })),
  );
};

const takes = (listener: Listener, parent: Parent, { resource }: Route, gateway: Gateway, cluster: Cluster) => {
  if (parent.sectionName !== undefined && parent.sectionName !== listener.name) return false;
  if (parent.port !== undefined && parent.port !== listener.port) return false;
  if (listener.protocol !== "HTTP" && listener.protocol !== "HTTPS") return false;
  const { namespaces, kinds } = listener.allowedRoutes;
  if (kinds && !kinds.some(({ kind }) => kind === "HTTPRoute")) return false;
  if (namespaces.from === "Same") return resource.namespace === gateway.resource.namespace;
  if (namespaces.from === "Selector") return cluster.labelled(resource.namespace, namespaces.selector ?? {}) !== false;
  return namespaces.from === "All";
};

/** The hosts that a route has on a listener; undefined is every other one. */
const onListener = (route: Route, listener: Listener, gateway: Gateway, find: Find): (string | undefined)[] => {
  const own = route.spec.hostnames.map((it) => it.toLowerCase());
  const hosts = own.length === 0 ? [listener.hostname] : own.flatMap((it) => common(it, listener.hostname) ?? []);
  return hosts
    .map((host) => host?.toLowerCase())
    .filter((host) => {
      const nearer = host === undefined ? undefined : nearerListener(host, listener, gateway);
      const says = `the listener ${nearer?.name} takes ${host}, so ${listener.name} does not serve it`;
      if (nearer) find("otherwise", route.resource, ["spec", "hostnames"], says);
      return !nearer;
    });
};

/** Requests for a host go to the listener that names it best, and to no other one. */
const nearerListener = (host: string, own: Listener, { listeners }: Gateway): Listener | undefined =>
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

/** Whether a wildcard stands for a host, or for a wildcard beneath it. */
export const covers = (wildcard: string, host: string): boolean =>
  wildcard.startsWith("*.") && host !== wildcard && host.replace(/^\*\./, "x.").endsWith(wildcard.slice(1));
