/** Kubernetes Gateway API → manifests: resources read, routes attached to hosts, rules turned into routes, tiers written. */
import type { Gap, Imported } from "../imported.ts";
import { attachedIn } from "./attach.ts";
import { clusterOf } from "./cluster.ts";
import { type Given, type Resource, resourcesIn } from "./documents.ts";
import { type Finding, finder } from "./findings.ts";
import { manifestOf } from "./manifests.ts";
import { draftsOf } from "./rules.ts";
import { type Group, groupsOf, rankedIn } from "./tiers.ts";
import { distinct, nameOf, type UrlRule, upstreamsOf } from "./upstreams.ts";

export interface Wanted {
  /** The tier's name; with several, what their names begin with. */
  readonly tier?: string | undefined;
  /** Hosts of what names none. */
  readonly host?: readonly string[] | undefined;
  readonly serviceUrl?: UrlRule;
  /** The only gateway whose routes are wanted: its name, or its namespace and name. */
  readonly gateway?: string | undefined;
}

interface FromCluster extends Imported {
  /** What the environments need, and what each value is for. */
  readonly values: Readonly<Record<string, string>>;
}

/** @throws where a file is no YAML, or holds no HTTPRoute */
export const importGatewayApi = (given: readonly Given[], wanted: Wanted): FromCluster => {
  const { found, find } = finder();
  const cluster = clusterOf(given.flatMap(resourcesIn), find);
  if (cluster.routes.length === 0 && found().length === 0)
    throw new Error(`there is no HTTPRoute in ${given.map(({ file }) => file).join(", ")}`);
  const { gateway } = wanted;
  if (
    gateway !== undefined &&
    !cluster.gateways.some(({ resource }) => [resource.name, idOf(resource)].includes(gateway))
  )
    throw new Error(
      `there is no Gateway ${gateway}; there are: ${cluster.gateways.map(({ resource }) => idOf(resource)).join(", ")}`,
    );
  const groups = groupsOf(attachedIn(cluster, gateway, find), cluster, find);
  const variables = new Map<string, string>();
  const taken = new Set<string>();
  const tiers = groups.map((group) => {
    const tier = distinct(tierName(group, groups.length, wanted), (it) => taken.has(it));
    taken.add(tier);
    const upstreams = upstreamsOf(wanted.serviceUrl);
    const drafts = group.routes.flatMap(({ route, door }) =>
      draftsOf(route, { cluster, upstreams, find }).map((it) => ({ ...it, door })),
    );
    const hosts = group.named ? group.hosts : hostsFor(groups, wanted, variables);
    const ranked = rankedIn(drafts, find);
    for (const [name, what] of upstreams.variables()) variables.set(name, what);
    return { tier, hosts, drafts: ranked, upstreams, group };
  });
  const findings = found();
  const files = tiers.map(({ group, ...it }) => manifestOf({ ...it, gaps: gapsOf(concerning(findings, group)) }));
  // What only a match that is never reached would have called needs no value.
  const needed = [...variables].filter(([name]) => files.some(({ text }) => text.includes(`\${${name}}`)));
  return {
    files,
    routes: tiers.reduce((sum, { drafts }) => sum + drafts.length, 0),
    gaps: gapsOf(findings),
    values: Object.fromEntries(needed.toSorted()),
  };
};

const idOf = ({ namespace, name }: Resource): string => `${namespace}/${name}`;

const gapsOf = (findings: readonly Finding[]): Gap[] =>
  findings.map(({ kind, file, line, of, says }) => ({
    kind,
    where: `${file}:${line} ${of}`,
    what: says,
  }));

const concerning = (findings: readonly Finding[], { routes }: Group): Finding[] =>
  findings.filter(({ of }) =>
    routes.some(({ route: { resource } }) => of === `HTTPRoute ${resource.namespace}/${resource.name}`),
  );

/** The tier is called as it is wanted, or as its first host is. */
const tierName = ({ hosts, routes }: Group, count: number, { tier }: Wanted): string => {
  if (tier !== undefined && count === 1) return tier;
  const own = nameOf(hosts[0]?.replace("*.", "any-") ?? routes[0]?.route.resource.name ?? "hosts");
  return tier === undefined ? own : nameOf(`${tier}-${own}`);
};

/** Without hosts of its own, a route is served on those that are asked for, less those that have routes themselves. */
const hostsFor = (groups: readonly Group[], { host = [] }: Wanted, variables: Map<string, string>): string[] => {
  const others = groups.flatMap((it) => it.hosts);
  const free = host.filter((it) => !others.includes(it));
  if (free.length > 0) return free;
  variables.set("gateway-host", "the host of routes that name none");
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the manifest language
  return ["${gateway-host}"];
};
