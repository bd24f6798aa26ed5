/** Applies the namespaces of Kustomize and Flux, and reports their other changes, which are not applied. */
import path from "node:path";
import type { Resource } from "./documents.ts";
import type { ReportFinding } from "./findings.ts";
import { isRead } from "./kinds.ts";

/** A Kustomization: a folder, and the resources that it includes. */
interface Kustomization {
  readonly resource: Resource;
  readonly folder: string;
  readonly namespace: string | undefined;
  /** Paths of the included files and folders. */
  readonly entries: readonly string[];
  readonly fields: Readonly<Record<string, unknown>>;
}

export const applyKustomize = (resources: readonly Resource[], report: ReportFinding): readonly Resource[] => {
  const kustomizations = resources.flatMap(toKustomization);
  if (kustomizations.length === 0 && !resources.some(isFluxKustomization)) return resources;
  const patches = new Set(kustomizations.flatMap(patchFiles));
  const isPatch = (it: Resource): boolean => patches.has(path.resolve(it.file)) && isRead(it);
  for (const it of resources.filter(isPatch))
    report("left-out", it, ["kind"], `it is a patch of Kustomize; ${buildRemedy}`);
  const remaining = resources.filter((it) => !isPatch(it));
  const namespaces = assignNamespaces(remaining, kustomizations);
  for (const it of kustomizations)
    for (const message of unsupportedChanges(it, remaining, namespaces)) report("left-out", it.resource, [], message);
  return remaining.flatMap((it): Resource[] => {
    const names = [...(namespaces.get(path.resolve(it.file)) ?? [])];
    const [namespace] = names;
    if (!isRead(it) || it.kind === "GatewayClass" || namespace === undefined) return [it];
    // The Namespace itself gets that name.
    if (it.kind === "Namespace") return names.map((name) => (name === "" ? it : { ...it, name }));
    if (names.length === 1) return [namespace === "" ? it : { ...it, namespace }];
    const all = names.map((name) => name || it.namespace).join(" and ");
    report("left-out", it, ["metadata"], `Kustomize puts it into ${all}; ${buildRemedy}`);
    return [it];
  });
};

const buildRemedy = "import what `kustomize build` makes of the folder";

const mapOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};

const stringList = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((it): it is string => typeof it === "string") : [];

const toKustomization = (resource: Resource): Kustomization[] => {
  const { group, kind, file, value } = resource;
  if (group !== "kustomize.config.k8s.io" || !["Kustomization", "Component"].includes(kind)) return [];
  const folder = path.dirname(path.resolve(file));
  const namespace = typeof value.namespace === "string" && value.namespace !== "" ? value.namespace : undefined;
  const entries = ["resources", "bases", "components"].flatMap((word) => stringList(value[word]));
  return [{ resource, folder, namespace, entries: entries.map((it) => path.resolve(folder, it)), fields: value }];
};

/** Files of strategic merges and JSON patches, which lie beside resources but are not resources. */
const patchFiles = ({ folder, fields }: Kustomization): string[] => {
  const listed = ["patches", "patchesJson6902"].flatMap((word) => {
    const all = fields[word];
    return Array.isArray(all) ? stringList(all.map((it) => mapOf(it).path)) : [];
  });
  const merges = stringList(fields.patchesStrategicMerge).filter((it) => !it.includes("\n"));
  return [...listed, ...merges].map((it) => path.resolve(folder, it));
};

/** The namespaces that the resources of each file get; an empty one means their own. */
type NamespacesByFile = ReadonlyMap<string, ReadonlySet<string>>;

const assignNamespaces = (
  resources: readonly Resource[],
  kustomizations: readonly Kustomization[],
): NamespacesByFile => {
  const byFolder = new Map(kustomizations.map((it) => [it.folder, it]));
  const files = new Set(resources.map((it) => path.resolve(it.file)));
  const namespaces = new Map<string, Set<string>>();
  const assign = (file: string, namespace: string): void =>
    void namespaces.set(file, (namespaces.get(file) ?? new Set()).add(namespace));
  const visited = new Set<string>();
  /** The outermost namespace takes precedence. */
  const visit = (folder: string, outer: string | undefined): void => {
    const it = byFolder.get(folder);
    const namespace = outer ?? it?.namespace;
    const visitKey = JSON.stringify([folder, namespace]);
    if (!it || visited.has(visitKey)) return;
    visited.add(visitKey);
    for (const entry of it.entries)
      if (byFolder.has(entry)) visit(entry, namespace);
      else if (files.has(entry)) assign(entry, namespace ?? "");
  };
  const targets = resources.filter(isFluxKustomization).flatMap((it) => fluxTarget(it, files));
  for (const { folder, namespace } of targets)
    if (byFolder.has(folder)) visit(folder, namespace);
    else
      for (const file of files)
        if (namespace !== undefined && file.startsWith(folder + path.sep)) assign(file, namespace);
  const included = new Set([
    ...kustomizations.flatMap(({ entries }) => entries),
    ...targets.map(({ folder }) => folder),
  ]);
  for (const { folder } of kustomizations) if (!included.has(folder)) visit(folder, undefined);
  return namespaces;
};

/** A Kustomization of Flux names a folder of the repository. */
const isFluxKustomization = ({ group, kind }: Resource): boolean =>
  group === "kustomize.toolkit.fluxcd.io" && kind === "Kustomization";

const fluxTarget = ({ value }: Resource, files: ReadonlySet<string>) => {
  const { path: written, targetNamespace } = mapOf(value.spec);
  const within = typeof written === "string" ? path.posix.normalize(written).replace(/^\/|\/$/g, "") : "";
  if (within === "" || within === ".") return [];
  const end = path.sep + within.replaceAll("/", path.sep);
  const inside = [...files].find((it) => it.includes(end + path.sep));
  if (inside === undefined) return [];
  const folder = inside.slice(0, inside.indexOf(end + path.sep) + end.length);
  return [{ folder, namespace: typeof targetNamespace === "string" ? targetNamespace : undefined }];
};

/** What a Kustomization changes in the resources, besides their namespace. */
const unsupportedChanges = (
  { entries, folder, fields }: Kustomization,
  resources: readonly Resource[],
  namespaces: NamespacesByFile,
): readonly string[] => {
  const keywords = [
    ...["namePrefix", "nameSuffix", "replacements", "transformers"].filter((word) => fields[word] !== undefined),
    ...["patches", "patchesJson6902", "patchesStrategicMerge"].filter((word) => {
      const all = fields[word];
      return Array.isArray(all) && all.some(couldPatch);
    }),
  ];
  const isIncluded = (file: string): boolean =>
    namespaces.has(file) && [folder, ...entries].some((it) => file === it || file.startsWith(it + path.sep));
  const isChanged = (it: Resource): boolean =>
    isRead(it) && !["Namespace", "GatewayClass"].includes(it.kind) && isIncluded(path.resolve(it.file));
  if (keywords.length === 0 || !resources.some(isChanged)) return [];
  return keywords.map((word) => `${word} of Kustomize has no equivalent; ${buildRemedy}`);
};

/** Whether a patch could change a resource that is read: not if it names another kind. A patch file is listed where it is read. */
const couldPatch = (it: unknown): boolean => {
  const { target, patch, path: file } = mapOf(it);
  const text = typeof patch === "string" ? patch : typeof it === "string" && it.includes("\n") ? it : "";
  const kind = mapOf(target).kind ?? /^kind:\s*["']?(\w+)/m.exec(text)?.[1];
  if (kind !== undefined) return isRead({ kind: String(kind), group: undefined });
  return text !== "" || (target !== undefined && file !== undefined);
};
