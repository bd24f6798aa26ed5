/** Sorts resources by kind: those that are read, those that are reported as unsupported, and unrelated ones. */
import { type Resource, templateMessage, templatePattern } from "./documents.ts";
import type { ReportFinding } from "./findings.ts";

export const apiGroup = "gateway.networking.k8s.io";

const experimentalGroup = "gateway.networking.x-k8s.io";

/** A kind counts with its group: Istio has a Gateway too, and Knative a Service. */
const readKinds: Readonly<Record<string, string>> = {
  HTTPRoute: apiGroup,
  Gateway: apiGroup,
  GatewayClass: apiGroup,
  ReferenceGrant: apiGroup,
  Service: "",
  Namespace: "",
};

/** The supported versions of the Gateway API: v1 and its predecessors. */
const knownVersions = ["v1", "v1beta1", "v1alpha2", "v1alpha3"];

export interface SortedResources {
  readonly resources: readonly Resource[];
  /** The number of unrelated resources by kind: workloads, secrets, charts. */
  readonly others: Readonly<Record<string, number>>;
}

export const sortByKind = (resources: readonly Resource[], report: ReportFinding): SortedResources => {
  const readable: Resource[] = [];
  const others = new Map<string, number>();
  for (const it of resources) {
    const reason = isRead(it) ? whyUnreadable(it) : whyMissing(it);
    if (reason !== undefined) report("left-out", it, ["kind"], reason);
    else if (isRead(it)) readable.push(it);
    else others.set(kindLabel(it), (others.get(kindLabel(it)) ?? 0) + 1);
  }
  for (const it of readable) reportAnnotations(it, report);
  return { resources: lastDefinitions(readable, report), others: Object.fromEntries([...others].toSorted()) };
};

const kindLabel = ({ kind, group }: Resource): string => (group ? `${kind}.${group}` : kind);

/** Without an apiVersion, a kind counts as the one of the Gateway API or the core. */
export const isRead = ({ kind, group }: Pick<Resource, "kind" | "group">): boolean =>
  Object.hasOwn(readKinds, kind) && (group === undefined || group === readKinds[kind]);

const whyUnreadable = ({ kind, group, version, name, namespace, value: { spec } }: Resource): string | undefined => {
  if (group === apiGroup && version !== undefined && !knownVersions.includes(version))
    return `the version ${version} of ${kind} is not known`;
  const resourceText = JSON.stringify([name, namespace, spec]);
  // Without quotes, YAML reads a template as a map whose key is a map.
  return templatePattern.test(resourceText) || resourceText.includes('{"{ ') ? `it is ${templateMessage}` : undefined;
};

/** Why a resource without support may be missed: it is another kind of route, or a policy that is attached to a gateway. */
const whyMissing = (it: Resource): string | undefined => {
  const { kind, group, value } = it;
  if (group === undefined || group === apiGroup || group === experimentalGroup) return `${kind} is not read`;
  const spec = (value.spec ?? {}) as Readonly<Record<string, unknown>>;
  const changed = [spec.targetRef, spec.targetRefs, spec.targetSelectors].flat().find(isGatewayTarget);
  if (changed === undefined) return undefined;
  return `${kind} is not read: what it adds to ${changed.kind} ${changed.name ?? "(by labels)"} is missing`;
};

const isGatewayTarget = (it: unknown): it is { kind: string; name?: string } => {
  const { group = "", kind } = (it ?? {}) as { group?: string; kind?: string };
  return group === apiGroup || group === experimentalGroup || (group === "" && targetKinds.test(kind ?? ""));
};

/** Targets of a policy that may omit the group. */
const targetKinds = /^(?:Service|Gateway|HTTPRoute)$/;

/** Domains of implementations, whose annotations change what a route does: plugins, authentication, timeouts. */
const implementationDomains =
  /^(?:[\w-]+\.)*(?:konghq\.com|nginx\.org|traefik\.io|haproxy\.org|envoyproxy\.io|istio\.io|solo\.io|kgateway\.dev|apache\.org|higress\.io|tyk\.io|projectcontour\.io)\//;

const reportAnnotations = (it: Resource, report: ReportFinding): void => {
  const { annotations } = (it.value.metadata ?? {}) as { annotations?: Readonly<Record<string, unknown>> };
  // On a Gateway they are mostly about its machines.
  const kind = it.kind === "Gateway" ? "otherwise" : "left-out";
  for (const name of Object.keys(annotations ?? {}).filter((name) => implementationDomains.test(name)))
    report(kind, it, ["metadata", "annotations", name], `the annotation ${name} has no equivalent`);
};

/** The text for comparing two definitions; only labels of a Namespace matter. */
const comparableText = ({ kind, value }: Resource): string => {
  const { labels } = (value.metadata ?? {}) as { labels?: unknown };
  return JSON.stringify(kind === "Namespace" ? (labels ?? {}) : value);
};

/** Of several definitions of a resource, the last one counts, as if they were applied in order. */
const lastDefinitions = (resources: readonly Resource[], report: ReportFinding): Resource[] => {
  const byName = new Map<string, Resource>();
  for (const it of resources) {
    const key = it.name === "" ? `${it.file}:${it.line([])}` : `${it.kind} ${it.namespace}/${it.name}`;
    const before = byName.get(key);
    const again = `${it.file}:${it.line(["kind"])}`;
    if (before && comparableText(before) !== comparableText(it))
      report("left-out", before, ["kind"], `it is defined again in ${again}, and that one is read`);
    byName.set(key, it);
  }
  return [...byName.values()];
};
