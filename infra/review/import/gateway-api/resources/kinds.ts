/** Which resources are read, which are missing because they are not, and which are none of a gateway's business. */
import { type Resource, template, unrendered } from "./documents.ts";
import type { Find } from "./findings.ts";

export const apiGroup = "gateway.networking.k8s.io";

const experimentalGroup = "gateway.networking.x-k8s.io";

/** A kind counts with its group: Istio has a Gateway too, and Knative a Service. */
const read: Readonly<Record<string, string>> = {
  HTTPRoute: apiGroup,
  Gateway: apiGroup,
  GatewayClass: apiGroup,
  ReferenceGrant: apiGroup,
  Service: "",
  Namespace: "",
};

/** Shapes of the Gateway API that this import knows: v1, and what led to it. */
const versions = ["v1", "v1beta1", "v1alpha2", "v1alpha3"];

export interface Sorted {
  readonly read: readonly Resource[];
  /** How many there are of each kind that is no part of a gateway: workloads, secrets, charts. */
  readonly others: Readonly<Record<string, number>>;
}

export const sortedByKind = (resources: readonly Resource[], find: Find): Sorted => {
  const kept: Resource[] = [];
  const others = new Map<string, number>();
  for (const it of resources) {
    const why = isRead(it) ? unreadable(it) : missing(it);
    if (why !== undefined) find("left-out", it, ["kind"], why);
    else if (isRead(it)) kept.push(it);
    else others.set(label(it), (others.get(label(it)) ?? 0) + 1);
  }
  for (const it of kept) namedByOthers(it, find);
  return { read: latest(kept, find), others: Object.fromEntries([...others].toSorted()) };
};

const label = ({ kind, group }: Resource): string => (group ? `${kind}.${group}` : kind);

/** Without an apiVersion, a kind is the one that is read here. */
export const isRead = ({ kind, group }: Pick<Resource, "kind" | "group">): boolean =>
  Object.hasOwn(read, kind) && (group === undefined || group === read[kind]);

const unreadable = ({ kind, group, version, name, namespace, value: { spec } }: Resource): string | undefined => {
  if (group === apiGroup && version !== undefined && !versions.includes(version))
    return `the version ${version} of ${kind} is not known`;
  const written = JSON.stringify([name, namespace, spec]);
  // Without quotes, YAML reads a template as a map whose key is a map.
  return template.test(written) || written.includes('{"{ ') ? `it is ${unrendered}` : undefined;
};

/** What a gateway does that is not read: its other routes, and policies that are attached to what is. */
const missing = (it: Resource): string | undefined => {
  const { kind, group, value } = it;
  if (group === undefined || group === apiGroup || group === experimentalGroup) return `${kind} is not read`;
  const spec = (value.spec ?? {}) as Readonly<Record<string, unknown>>;
  const changed = [spec.targetRef, spec.targetRefs, spec.targetSelectors].flat().find(isOfGateways);
  if (changed === undefined) return undefined;
  return `${kind} is not read: what it adds to ${changed.kind} ${changed.name ?? "(by labels)"} is missing`;
};

const isOfGateways = (it: unknown): it is { kind: string; name?: string } => {
  const { group = "", kind } = (it ?? {}) as { group?: string; kind?: string };
  return group === apiGroup || group === experimentalGroup || (group === "" && target.test(kind ?? ""));
};

/** Without a group, the core's Service, or what nobody else calls so. */
const target = /^(?:Service|Gateway|HTTPRoute)$/;

/** Domains of implementations, whose annotations change what a route does: plugins, authentication, timeouts. */
const implementation =
  /^(?:[\w-]+\.)*(?:konghq\.com|nginx\.org|traefik\.io|haproxy\.org|envoyproxy\.io|istio\.io|solo\.io|kgateway\.dev|apache\.org|higress\.io|tyk\.io|projectcontour\.io)\//;

const namedByOthers = (it: Resource, find: Find): void => {
  const { annotations } = (it.value.metadata ?? {}) as { annotations?: Readonly<Record<string, unknown>> };
  // On a Gateway they are mostly about its machines.
  const kind = it.kind === "Gateway" ? "otherwise" : "left-out";
  for (const name of Object.keys(annotations ?? {}).filter((name) => implementation.test(name)))
    find(kind, it, ["metadata", "annotations", name], `the annotation ${name} has no equivalent`);
};

/** Of a Namespace, its labels are all that is asked for. */
const said = ({ kind, value }: Resource): string => {
  const { labels } = (value.metadata ?? {}) as { labels?: unknown };
  return JSON.stringify(kind === "Namespace" ? (labels ?? {}) : value);
};

/** Applied twice, the later one holds. */
const latest = (resources: readonly Resource[], find: Find): Resource[] => {
  const byName = new Map<string, Resource>();
  for (const it of resources) {
    const key = it.name === "" ? `${it.file}:${it.line([])}` : `${it.kind} ${it.namespace}/${it.name}`;
    const before = byName.get(key);
    const again = `${it.file}:${it.line(["kind"])}`;
    if (before && said(before) !== said(it))
      find("left-out", before, ["kind"], `it is defined again in ${again}, and that one is read`);
    byName.set(key, it);
  }
  return [...byName.values()];
};
