/** The resources of an import, checked, and what they are asked: which gateway, which service, who may refer to whom. */
import type { ZodType } from "zod";
import { type Path, valueAt } from "../../../../diagnostics/locate.ts";
import type { Resource } from "./documents.ts";
import type { Find } from "./findings.ts";
import { gatewayOf } from "./gateways.ts";
import { apiGroup } from "./kinds.ts";
import type { Gateway, Route } from "./resources.ts";
import { type Backend, gateway, grant, httpRoute, type Selector, service } from "./schema.ts";
import { redirectedSections } from "./assumed-listeners.ts";

export interface Cluster {
  /** The oldest first, then by namespace and name. */
  readonly routes: readonly Route[];
  readonly gateways: readonly Gateway[];
  /** Sections of gateways, those that are not here included, where a route redirects to https. */
  readonly redirected: ReadonlySet<string>;
  /** Whether a namespace has the labels that a gateway asks for; undefined where it is not known. */
  readonly labelled: (namespace: string, selector: Selector) => boolean | undefined;
  /** The service that a backend is, or why it is none. */
  readonly resolve: (backend: Backend, from: string) => Resolved;
}

export type Resolved =
  | {
      readonly kind: string;
      readonly namespace: string;
      readonly name: string;
      readonly port: number;
      readonly protocol?: string | undefined;
    }
  | { readonly invalid: string };

export const clusterOf = (resources: readonly Resource[], find: Find): Cluster => {
  const of = <T>(kind: string, schema: ZodType<T>) =>
    resources
      .filter((it) => it.kind === kind)
      .flatMap((resource) => {
        const spec = checked(resource, schema, find);
        return spec === undefined ? [] : [{ resource, spec }];
      });
  const services = of("Service", service);
  const grants = of("ReferenceGrant", grant);
  const namespaces = new Map(resources.filter((it) => it.kind === "Namespace").map((it) => [it.name, labelsOf(it)]));
  const routes = of("HTTPRoute", httpRoute).toSorted((a, b) => older(a.resource, b.resource));
  return {
    routes,
    redirected: redirectedSections(routes),
    gateways: of("Gateway", gateway).map(({ resource, spec }) => gatewayOf(resource, spec, find)),
    labelled: (namespace, selector) => {
      const known = namespaces.get(namespace);
      return known && selects(selector, { ...known, "kubernetes.io/metadata.name": namespace });
    },
    resolve: (backend, from) => {
      const { group, kind, name, port } = backend;
      const namespace = backend.namespace ?? from;
      if (!isService(backend)) return { invalid: `${kind}${kind === "Service" ? ` of ${group}` : ""} is no Service` };
      if (port === undefined) return { invalid: `the ${kind} ${name} is named without a port` };
      const granted = grants.some(
        ({ resource, spec }) =>
          resource.namespace === namespace &&
          spec.from.some((it) => it.kind === "HTTPRoute" && it.group === apiGroup && it.namespace === from) &&
          spec.to.some((it) => it.kind === kind && it.group === group && (it.name ?? name) === name),
      );
      if (namespace !== from && !granted)
        return { invalid: `no ReferenceGrant lets ${from} refer to the ${kind} ${name} of ${namespace}` };
      if (kind !== "Service") return { kind, namespace, name, port };
      const beside = services.filter((it) => it.resource.namespace === namespace);
      const found = beside.find((it) => it.resource.name === name);
      // An import without Services takes all of them for there.
      if (beside.length > 0 && !found) return { invalid: `there is no Service ${namespace}/${name}` };
      const at = found?.spec.ports.find((it) => it.port === port);
      if (found && !at) return { invalid: `the Service ${namespace}/${name} has no port ${port}` };
      return { kind, namespace, name, port, protocol: at?.appProtocol };
    },
  };
};

/** A Service, or one of several clusters together (GEP-1748). */
const isService = ({ group, kind }: Backend): boolean =>
  (group === "" && kind === "Service") || (group === "multicluster.x-k8s.io" && kind === "ServiceImport");

/** Those whose age is not known come behind the others. */
const older = (a: Resource, b: Resource): number => {
  const key = (it: Resource) => [it.created || "9", it.namespace, it.name].join("\0");
  return key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0;
};

/** As a LabelSelector does: all of what it asks for. */
const selects = (
  { matchLabels = {}, matchExpressions = [] }: Selector,
  labels: Readonly<Record<string, string>>,
): boolean =>
  Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
  matchExpressions.every(({ key, operator, values }) => {
    const has = Object.hasOwn(labels, key);
    if (operator === "Exists" || operator === "DoesNotExist") return has === (operator === "Exists");
    return (has && values.includes(labels[key] as string)) === (operator === "In");
  });

const labelsOf = ({ value }: Resource): Readonly<Record<string, string>> =>
  ((value.metadata as { labels?: Record<string, string> } | undefined)?.labels ?? {}) as Record<string, string>;

/** A resource as far as it is known here: what the schema does not name is listed and left out. */
const checked = <T>(resource: Resource, schema: ZodType<T>, find: Find): T | undefined => {
  const spec = withoutNulls(resource.value.spec ?? {});
  for (;;) {
    const result = schema.safeParse(spec);
    if (result.success) return result.data;
    const unknown = result.error.issues.flatMap((it) =>
      it.code === "unrecognized_keys" ? it.keys.map((key) => [...it.path, key] as Path) : [],
    );
    if (unknown.length === 0) {
      for (const { path, message } of result.error.issues)
        find("left-out", resource, ["spec", ...(path as Path)], `${path.join(".")}: ${message}; all of it is left out`);
      return undefined;
    }
    for (const path of unknown) {
      find("left-out", resource, ["spec", ...path], `${String(path.at(-1))} has no equivalent`);
      without(spec, path);
    }
  }
};

/** Kubernetes reads null as nothing: of a list, as a value that says nothing. */
const withoutNulls = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map((it) => withoutNulls(it ?? {}));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, it]) => (it === null ? [] : [[key, withoutNulls(it)]])),
  );
};

/**
 * Takes out what is not known. A match would take more requests without its condition, so all of it goes; a filter would do
 * something else, so only its type stays, which refuses the requests of its rule.
 */
const without = (spec: unknown, path: Path): void => {
  const match = path.lastIndexOf("matches");
  const filter = path.lastIndexOf("filters");
  const at = path.slice(0, filter + 2);
  if (match >= 0) put(spec, path.slice(0, match + 2), null);
  else if (filter >= 0) put(spec, at, { type: valueAt(spec, [...at, "type"]) ?? "that is not known" });
  else put(spec, path, undefined);
};

const put = (spec: unknown, path: Path, value: unknown): void => {
  const holder = valueAt(spec, path.slice(0, -1)) as Record<PropertyKey, unknown>;
  const key = path.at(-1) as PropertyKey;
  if (value === undefined) delete holder[key];
  else holder[key] = value;
};
