/** Which hosts each route is served on: its own hostnames, as far as listeners of the gateways it names take them. */
import type { Cluster, Gateway, Route } from "./cluster.ts";
import type { Find } from "./findings.ts";
import type { Listener, Parent } from "./schema.ts";

/** A route on a host. */
export interface Attached {
  readonly route: Route;
  /** Undefined for every host that no other attachment names. */
  readonly host: string | undefined;
  /** Undefined where the gateway is not known. */
  readonly scheme: "http" | "https" | undefined;
}

export const attachedIn = (cluster: Cluster, find: Find): Attached[] =>
  cluster.routes.flatMap((route) => {
    const all = parentsOf(route).flatMap(([parent, index]) => attachedTo(route, parent, index, cluster, find));
    if (all.length === 0) find("left-out", route.resource, ["spec", "parentRefs"], "no listener takes this route");
    return all;
  });

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
    return hosts.map((host) => ({ route, host: host?.toLowerCase(), scheme: undefined }));
  };
  if (parent === undefined) return free();
  if (parent.kind !== "Gateway") {
    find("left-out", resource, at, `a route of a ${parent.kind} is for traffic within the cluster`);
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
  for (const { name, port } of listeners)
    if (port !== 80 && port !== 443)
      find(
        "otherwise",
        resource,
        at,
        `the port ${port} of the listener ${name} is not told apart from others of its hosts`,
      );
  return listeners.flatMap((listener) => onListener(route, listener, gateway, find));
};

const takes = (listener: Listener, parent: Parent, { resource }: Route, gateway: Gateway, cluster: Cluster) => {
  if (parent.sectionName !== undefined && parent.sectionName !== listener.name) return false;
  if (parent.port !== undefined && parent.port !== listener.port) return false;
  if (listener.protocol !== "HTTP" && listener.protocol !== "HTTPS") return false;
  const { namespaces, kinds } = listener.allowedRoutes;
  if (kinds && !kinds.some(({ kind }) => kind === "HTTPRoute")) return false;
  if (namespaces.from === "Same") return resource.namespace === gateway.resource.namespace;
  if (namespaces.from === "Selector")
    return cluster.labelled(resource.namespace, namespaces.selector?.matchLabels ?? {}) !== false;
  return namespaces.from === "All";
};

const onListener = (route: Route, listener: Listener, gateway: Gateway, find: Find): Attached[] => {
  const own = route.spec.hostnames.map((it) => it.toLowerCase());
  const hosts = own.length === 0 ? [listener.hostname] : own.flatMap((it) => common(it, listener.hostname) ?? []);
  const scheme = listener.protocol === "HTTPS" ? "https" : "http";
  return hosts
    .map((host) => host?.toLowerCase())
    .filter((host) => {
      const nearer = host === undefined ? undefined : nearerListener(host, listener, gateway);
      const says = `the listener ${nearer?.name} takes ${host}, so ${listener.name} does not serve it`;
      if (nearer) find("otherwise", route.resource, ["spec", "hostnames"], says);
      return !nearer;
    })
    .map((host) => ({ route, host, scheme }));
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
