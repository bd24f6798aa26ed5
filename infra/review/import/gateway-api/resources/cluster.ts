/** The checked resources of an import, with lookups: gateways, services, reference grants, namespace labels. */
import type { ZodType } from "zod";
import { type Path, valueAt } from "../../../../diagnostics/locate.ts";
import { redirectedSections } from "./assumed-listeners.ts";
import type { Resource } from "./documents.ts";
import type { ReportFinding } from "./findings.ts";
import { readGateway } from "./gateways.ts";
import { apiGroup } from "./kinds.ts";
import type { GatewayResource, HttpRouteResource } from "./resources.ts";
import { type Backend, gateway, grant, httpRoute, type Selector, service } from "./schema.ts";

export interface Cluster {
  /** The oldest first, then by namespace and name. */
  readonly routes: readonly HttpRouteResource[];
  readonly gateways: readonly GatewayResource[];
  /** Gateway sections on which a route redirects to HTTPS, including those of gateways that are not in the input. */
  readonly redirected: ReadonlySet<string>;
  /** Whether a namespace has the labels that a gateway selects; undefined if it is unknown. */
  readonly hasLabels: (namespace: string, selector: Selector) => boolean | undefined;
  /** The service of a backend, or why it is invalid. */
  readonly resolve: (backend: Backend, from: string) => ResolvedBackend;
}

export type ResolvedBackend =
  | {
      readonly kind: string;
      readonly namespace: string;
      readonly name: string;
      readonly port: number;
      readonly protocol?: string | undefined;
    }
  | { readonly invalid: string };

export const readCluster = (resources: readonly Resource[], report: ReportFinding): Cluster => {
  const resourcesOf = <T>(kind: string, schema: ZodType<T>) =>
    resources
      .filter((it) => it.kind === kind)
      .flatMap((resource) => {
        const spec = parseSpec(resource, schema, report);
        return spec === undefined ? [] : [{ resource, spec }];
      });
  const services = resourcesOf("Service", service);
  const grants = resourcesOf("ReferenceGrant", grant);
  const namespaces = new Map(resources.filter((it) => it.kind === "Namespace").map((it) => [it.name, labels(it)]));
  const routes = resourcesOf("HTTPRoute", httpRoute).toSorted((a, b) => byAge(a.resource, b.resource));
  return {
    routes,
    redirected: redirectedSections(routes),
    gateways: resourcesOf("Gateway", gateway).map(({ resource, spec }) => readGateway(resource, spec, report)),
    hasLabels: (namespace, selector) => {
      const known = namespaces.get(namespace);
      return known && selectorMatches(selector, { ...known, "kubernetes.io/metadata.name": namespace });
    },
    resolve: (backend, from) => {
      const { group, kind, name, port } = backend;
      const namespace = backend.namespace ?? from;
      if (!isService(backend))
        return { invalid: `${kind}${kind === "Service" ? ` of ${group}` : ""} is not a Service` };
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
      const namespaceServices = services.filter((it) => it.resource.namespace === namespace);
      const found = namespaceServices.find((it) => it.resource.name === name);
      // Without Services in the input, every reference counts as valid.
      if (namespaceServices.length > 0 && !found) return { invalid: `there is no Service ${namespace}/${name}` };
      const servicePort = found?.spec.ports.find((it) => it.port === port);
      if (found && !servicePort) return { invalid: `the Service ${namespace}/${name} has no port ${port}` };
      return { kind, namespace, name, port, protocol: servicePort?.appProtocol };
    },
  };
};

/** A Service, or one of several clusters together (GEP-1748). */
const isService = ({ group, kind }: Backend): boolean =>
  (group === "" && kind === "Service") || (group === "multicluster.x-k8s.io" && kind === "ServiceImport");

/** Resources of unknown age come last. */
const byAge = (a: Resource, b: Resource): number => {
  const key = (it: Resource) => [it.created || "9", it.namespace, it.name].join("\0");
  return key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0;
};

/** Matches like a LabelSelector: all labels and expressions must hold. */
const selectorMatches = (
  { matchLabels = {}, matchExpressions = [] }: Selector,
  labels: Readonly<Record<string, string>>,
): boolean =>
  Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
  matchExpressions.every(({ key, operator, values }) => {
    const has = Object.hasOwn(labels, key);
    if (operator === "Exists" || operator === "DoesNotExist") return has === (operator === "Exists");
    return (has && values.includes(labels[key] as string)) === (operator === "In");
  });

const labels = ({ value }: Resource): Readonly<Record<string, string>> =>
  ((value.metadata as { labels?: Record<string, string> } | undefined)?.labels ?? {}) as Record<string, string>;

/** The known fields of a resource; others are listed and left out. */
const parseSpec = <T>(resource: Resource, schema: ZodType<T>, report: ReportFinding): T | undefined => {
  const spec = withoutNulls(resource.value.spec ?? {});
  for (;;) {
    const result = schema.safeParse(spec);
    if (result.success) return result.data;
    const unknown = result.error.issues.flatMap((it) =>
      it.code === "unrecognized_keys" ? it.keys.map((key) => [...it.path, key] as Path) : [],
    );
    if (unknown.length === 0) {
      for (const { path, message } of result.error.issues)
        report(
          "left-out",
          resource,
          ["spec", ...(path as Path)],
          `${path.join(".")}: ${message}; all of it is left out`,
        );
      return undefined;
    }
    for (const path of unknown) {
      report("left-out", resource, ["spec", ...path], `${String(path.at(-1))} has no equivalent`);
      removeUnknown(spec, path);
    }
  }
};

/** Kubernetes treats null as absent; in a list, as an empty value. */
const withoutNulls = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map((it) => withoutNulls(it ?? {}));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, it]) => (it === null ? [] : [[key, withoutNulls(it)]])),
  );
};

/**
 * Removes unknown fields. Without its condition a match would take more requests, so the whole match is removed; a filter would do
 * something else, so only its type stays, which refuses the requests of its rule.
 */
const removeUnknown = (spec: unknown, path: Path): void => {
  const match = path.lastIndexOf("matches");
  const filter = path.lastIndexOf("filters");
  const servicePort = path.slice(0, filter + 2);
  if (match >= 0) setValue(spec, path.slice(0, match + 2), null);
  else if (filter >= 0)
    setValue(spec, servicePort, { type: valueAt(spec, [...servicePort, "type"]) ?? "that is not known" });
  else setValue(spec, path, undefined);
};

const setValue = (spec: unknown, path: Path, value: unknown): void => {
  const container = valueAt(spec, path.slice(0, -1)) as Record<PropertyKey, unknown>;
  const key = path.at(-1) as PropertyKey;
  if (value === undefined) delete container[key];
  else container[key] = value;
};
