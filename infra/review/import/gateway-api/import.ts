/** Imports the Kubernetes Gateway API: reads resources, attaches routes to hosts, translates rules, writes tiers. */
import type { Gap, ImportResult } from "../imported.ts";
import { attachRoutes } from "./attach.ts";
import { renderManifest } from "./manifests.ts";
import { readCluster } from "./resources/cluster.ts";
import { type InputFile, parseResources, type Resource, type UnreadDocument } from "./resources/documents.ts";
import { createFindings, type ImportFinding } from "./resources/findings.ts";
import { isPlaceholder } from "./resources/hostnames.ts";
import { sortByKind } from "./resources/kinds.ts";
import { applyKustomize } from "./resources/kustomize.ts";
import { addressFor } from "./resources/redirects.ts";
import { draftRoutes } from "./rules.ts";
import { groupHosts, type HostGroup, rankDrafts } from "./tiers.ts";
import {
  createUpstreams,
  createVariables,
  toName,
  type UrlTemplate,
  uniqueName,
  type VariableSet,
} from "./upstreams.ts";

export interface GatewayApiOptions {
  /** The tier's name; for several tiers the prefix of their names. */
  readonly tier?: string | undefined;
  /** Hosts for routes without hostnames. */
  readonly host?: readonly string[] | undefined;
  readonly serviceUrl?: UrlTemplate;
  /** Imports the routes of this gateway only: its name, or its namespace and name. */
  readonly gateway?: string | undefined;
}

interface GatewayApiImport extends ImportResult {
  /** The values that the environments need, and their purposes. */
  readonly values: Readonly<Record<string, string>>;
  /** The number of unrelated resources by kind. They are not read. */
  readonly others: Readonly<Record<string, number>>;
}

/** @throws if there is no HTTPRoute; the error names the first document that is invalid YAML */
export const importGatewayApi = (inputFiles: readonly InputFile[], options: GatewayApiOptions): GatewayApiImport => {
  const { list, report } = createFindings();
  const parsed = inputFiles.map(parseResources);
  const unread = parsed.flatMap((it) => it.unread);
  const { resources, others } = sortByKind(
    applyKustomize(
      parsed.flatMap((it) => it.resources),
      report,
    ),
    report,
  );
  const cluster = readCluster(resources, report);
  if (cluster.routes.length === 0 && list().length === 0) {
    const [first] = unread;
    if (first) throw new Error(`${first.file}:${first.line}  ${first.message}`);
    throw new Error(`there is no HTTPRoute in ${fileNames(inputFiles)}`);
  }
  const { gateway } = options;
  if (
    gateway !== undefined &&
    !cluster.gateways.some(({ resource }) => [resource.name, resourceId(resource)].includes(gateway))
  )
    throw new Error(
      `there is no Gateway ${gateway}; there are: ${cluster.gateways.map(({ resource }) => resourceId(resource)).join(", ")}`,
    );
  const groups = groupHosts(attachRoutes(cluster, gateway, report), cluster, report);
  const variables = createVariables();
  const usedNames = new Set<string>();
  const tiers = groups.map((group) => {
    const tier = uniqueName(tierName(group, groups.length, options), (it) => usedNames.has(it));
    usedNames.add(tier);
    const upstreams = createUpstreams(options.serviceUrl, variables);
    const drafts = group.routes.flatMap(({ route, address }) =>
      draftRoutes(route, { cluster, upstreams, report }).map((it) => ({
        ...it,
        address: addressFor(it.schemeChange, address, group.hosts),
      })),
    );
    const hosts = group.isNamed
      ? group.hosts.map((it) => hostOrVariable(it, variables))
      : fallbackHosts(groups, options, variables);
    return { tier, hosts, drafts: rankDrafts(drafts, report), upstreams, group };
  });
  const findings = list();
  const files = tiers.map(({ group, ...it }) => renderManifest({ ...it, gaps: toGaps(findingsOf(findings, group)) }));
  // A variable of an unreachable match needs no value.
  const usedVariables = new Set(files.flatMap(({ text }) => text.match(/(?<=\$\{)[a-z0-9-]+(?=\})/g) ?? []));
  const usedValues = [...variables.all()].filter(([name]) => usedVariables.has(name));
  return {
    files,
    routes: tiers.reduce((sum, { drafts }) => sum + drafts.length, 0),
    gaps: [...toGaps(findings), ...unread.filter((it) => it.isRelevant).map(unreadGap)],
    values: Object.fromEntries(usedValues.toSorted()),
    others: {
      ...others,
      ...(unread.some((it) => !it.isRelevant) && { "no YAML": unread.filter((it) => !it.isRelevant).length }),
    },
  };
};

const fileNames = (inputFiles: readonly InputFile[]): string =>
  inputFiles.length > 3 ? `${inputFiles.length} files` : inputFiles.map(({ file }) => file).join(", ");

const unreadGap = ({ file, line, message }: UnreadDocument): Gap => ({
  kind: "left-out",
  where: `${file}:${line}`,
  what: message,
});

/** Flux substitutes a part of a host. A manifest's variables are whole values, so the whole host becomes a variable. */
const hostOrVariable = (host: string, variables: VariableSet): string =>
  isPlaceholder(host)
    ? `\${${variables.nameFor(toName(`host-${host.replace("*.", "any-")}`), `the host ${host}`)}}`
    : host;

const resourceId = ({ namespace, name }: Resource): string => `${namespace}/${name}`;

const toGaps = (findings: readonly ImportFinding[]): Gap[] =>
  findings.map(({ kind, file, line, of, message }) => ({
    kind,
    where: `${file}:${line} ${of}`,
    what: message,
  }));

const findingsOf = (findings: readonly ImportFinding[], { routes }: HostGroup): ImportFinding[] => {
  const ownRoutes = new Set(routes.map(({ route: { resource } }) => `HTTPRoute ${resourceId(resource)}`));
  return findings.filter(({ of }) => ownRoutes.has(of));
};

/** The tier's name: as requested, or derived from its first host. */
const tierName = ({ hosts, routes }: HostGroup, count: number, { tier }: GatewayApiOptions): string => {
  if (tier !== undefined && count === 1) return tier;
  const ownRoutes = toName(hosts[0]?.replace("*.", "any-") ?? routes[0]?.route.resource.name ?? "hosts");
  const name = tier === undefined ? ownRoutes : toName(`${tier}-${ownRoutes}`);
  return reservedNames.test(name) ? `${name.slice(0, 39)}-tier` : name;
};

/** Reserved names: `check` refuses them, or reads such a file as something else. */
const reservedNames = /^(?:shared|consumers|units)$|(?:^|-)preview-\d+$/;

/** Routes without hostnames are served on the hosts of `--host`, except those that have routes of their own. */
const fallbackHosts = (
  groups: readonly HostGroup[],
  { host = [] }: GatewayApiOptions,
  variables: VariableSet,
): string[] => {
  const others = groups.flatMap((it) => it.hosts);
  const freeHosts = host.filter((it) => !others.includes(it));
  if (freeHosts.length > 0) return freeHosts;
  return [`\${${variables.nameFor("gateway-host", "the host of routes that name none")}}`];
};
