/** Kubernetes Gateway API → manifests: resources read, routes attached to hosts, rules turned into routes, tiers written. */
import type { Gap, Imported } from "../imported.ts";
import { attachedIn } from "./attach.ts";
import { manifestOf } from "./manifests.ts";
import { clusterOf } from "./resources/cluster.ts";
import { type Given, type Resource, resourcesIn, type Unread } from "./resources/documents.ts";
import { type Finding, finder } from "./resources/findings.ts";
import { isPlaceholder } from "./resources/hostnames.ts";
import { sortedByKind } from "./resources/kinds.ts";
import { kustomized } from "./resources/kustomize.ts";
import { doorOf } from "./resources/redirects.ts";
import { draftsOf } from "./rules.ts";
import { type Group, groupsOf, rankedIn } from "./tiers.ts";
import { distinct, nameOf, type UrlRule, upstreamsOf, type Variables, variablesOf } from "./upstreams.ts";

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
  /** What is no part of a gateway, and not read: how many of each kind. */
  readonly others: Readonly<Record<string, number>>;
}

/** @throws where there is no HTTPRoute, with the first document that is no YAML */
export const importGatewayApi = (given: readonly Given[], wanted: Wanted): FromCluster => {
  const { found, find } = finder();
  const parsed = given.map(resourcesIn);
  const unread = parsed.flatMap((it) => it.unread);
  const { read, others } = sortedByKind(
    kustomized(
      parsed.flatMap((it) => it.resources),
      find,
    ),
    find,
  );
  const cluster = clusterOf(read, find);
  if (cluster.routes.length === 0 && found().length === 0) {
    const [first] = unread;
    if (first) throw new Error(`${first.file}:${first.line}  ${first.says}`);
    throw new Error(`there is no HTTPRoute in ${namesOf(given)}`);
  }
  const { gateway } = wanted;
  if (
    gateway !== undefined &&
    !cluster.gateways.some(({ resource }) => [resource.name, idOf(resource)].includes(gateway))
  )
    throw new Error(
      `there is no Gateway ${gateway}; there are: ${cluster.gateways.map(({ resource }) => idOf(resource)).join(", ")}`,
    );
  const groups = groupsOf(attachedIn(cluster, gateway, find), cluster, find);
  const variables = variablesOf();
  const taken = new Set<string>();
  const tiers = groups.map((group) => {
    const tier = distinct(tierName(group, groups.length, wanted), (it) => taken.has(it));
    taken.add(tier);
    const upstreams = upstreamsOf(wanted.serviceUrl, variables);
    const drafts = group.routes.flatMap(({ route, door }) =>
      draftsOf(route, { cluster, upstreams, find }).map((it) => ({
        ...it,
        door: doorOf(it.change, door, group.hosts),
      })),
    );
    const hosts = group.named ? group.hosts.map((it) => written(it, variables)) : hostsFor(groups, wanted, variables);
    return { tier, hosts, drafts: rankedIn(drafts, find), upstreams, group };
  });
  const findings = found();
  const files = tiers.map(({ group, ...it }) => manifestOf({ ...it, gaps: gapsOf(concerning(findings, group)) }));
  // What only a match that is never reached would have called needs no value.
  const asked = new Set(files.flatMap(({ text }) => text.match(/(?<=\$\{)[a-z0-9-]+(?=\})/g) ?? []));
  const needed = [...variables.all()].filter(([name]) => asked.has(name));
  return {
    files,
    routes: tiers.reduce((sum, { drafts }) => sum + drafts.length, 0),
    gaps: [...gapsOf(findings), ...unread.filter((it) => it.matters).map(gapOf)],
    values: Object.fromEntries(needed.toSorted()),
    others: {
      ...others,
      ...(unread.some((it) => !it.matters) && { "no YAML": unread.filter((it) => !it.matters).length }),
    },
  };
};

const namesOf = (given: readonly Given[]): string =>
  given.length > 3 ? `${given.length} files` : given.map(({ file }) => file).join(", ");

const gapOf = ({ file, line, says }: Unread): Gap => ({ kind: "left-out", where: `${file}:${line}`, what: says });

/** What Flux puts into a host is a whole value here, so all of the host is. */
const written = (host: string, variables: Variables): string =>
  isPlaceholder(host) ? `\${${variables.of(nameOf(`host-${host.replace("*.", "any-")}`), `the host ${host}`)}}` : host;

const idOf = ({ namespace, name }: Resource): string => `${namespace}/${name}`;

const gapsOf = (findings: readonly Finding[]): Gap[] =>
  findings.map(({ kind, file, line, of, says }) => ({
    kind,
    where: `${file}:${line} ${of}`,
    what: says,
  }));

const concerning = (findings: readonly Finding[], { routes }: Group): Finding[] => {
  const own = new Set(routes.map(({ route: { resource } }) => `HTTPRoute ${idOf(resource)}`));
  return findings.filter(({ of }) => own.has(of));
};

/** The tier is called as it is wanted, or as its first host is. */
const tierName = ({ hosts, routes }: Group, count: number, { tier }: Wanted): string => {
  if (tier !== undefined && count === 1) return tier;
  const own = nameOf(hosts[0]?.replace("*.", "any-") ?? routes[0]?.route.resource.name ?? "hosts");
  const name = tier === undefined ? own : nameOf(`${tier}-${own}`);
  return ofOthers.test(name) ? `${name.slice(0, 39)}-tier` : name;
};

/** Files and Workers that are no tier's: `check` refuses such names, or reads the file as something else. */
const ofOthers = /^(?:shared|consumers|units)$|(?:^|-)preview-\d+$/;

/** Without hosts of its own, a route is served on those that are asked for, less those that have routes themselves. */
const hostsFor = (groups: readonly Group[], { host = [] }: Wanted, variables: Variables): string[] => {
  const others = groups.flatMap((it) => it.hosts);
  const free = host.filter((it) => !others.includes(it));
  if (free.length > 0) return free;
  return [`\${${variables.of("gateway-host", "the host of routes that name none")}}`];
};
