/** Namespaces that Kustomize and Flux give to resources, and what else they would change that is not done here. */
import path from "node:path";
import type { Resource } from "./documents.ts";
import type { Find } from "./findings.ts";
import { isRead } from "./kinds.ts";

/** A Kustomization: a folder, and what it takes in. */
interface Kustomization {
  readonly resource: Resource;
  readonly folder: string;
  readonly namespace: string | undefined;
  /** Files and folders, whole. */
  readonly entries: readonly string[];
  readonly words: Readonly<Record<string, unknown>>;
}

export const kustomized = (resources: readonly Resource[], find: Find): readonly Resource[] => {
  const own = resources.flatMap(kustomizationOf);
  if (own.length === 0 && !resources.some(isOfFlux)) return resources;
  const patches = new Set(own.flatMap(patchFilesOf));
  const isPatch = (it: Resource): boolean => patches.has(path.resolve(it.file)) && isRead(it);
  for (const it of resources.filter(isPatch)) find("left-out", it, ["kind"], `it is a patch of Kustomize; ${build}`);
  const kept = resources.filter((it) => !isPatch(it));
  const given = namespacesIn(kept, own);
  for (const it of own) for (const says of changesOf(it, kept, given)) find("left-out", it.resource, [], says);
  return kept.flatMap((it): Resource[] => {
    const names = [...(given.get(path.resolve(it.file)) ?? [])];
    const [namespace] = names;
    if (!isRead(it) || it.kind === "GatewayClass" || namespace === undefined) return [it];
    // A Namespace itself is called so then.
    if (it.kind === "Namespace") return names.map((name) => (name === "" ? it : { ...it, name }));
    if (names.length === 1) return [namespace === "" ? it : { ...it, namespace }];
    const all = names.map((name) => name || it.namespace).join(" and ");
    find("left-out", it, ["metadata"], `Kustomize puts it into ${all}; ${build}`);
    return [it];
  });
};

const build = "import what `kustomize build` makes of the folder";

const mapOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};

const textsOf = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((it): it is string => typeof it === "string") : [];

const kustomizationOf = (resource: Resource): Kustomization[] => {
  const { group, kind, file, value } = resource;
  if (group !== "kustomize.config.k8s.io" || !["Kustomization", "Component"].includes(kind)) return [];
  const folder = path.dirname(path.resolve(file));
  const namespace = typeof value.namespace === "string" && value.namespace !== "" ? value.namespace : undefined;
  const entries = ["resources", "bases", "components"].flatMap((word) => textsOf(value[word]));
  return [{ resource, folder, namespace, entries: entries.map((it) => path.resolve(folder, it)), words: value }];
};

/** Files of strategic merges and JSON patches, which stand beside resources and are none. */
const patchFilesOf = ({ folder, words }: Kustomization): string[] => {
  const listed = ["patches", "patchesJson6902"].flatMap((word) => {
    const all = words[word];
    return Array.isArray(all) ? textsOf(all.map((it) => mapOf(it).path)) : [];
  });
  const merges = textsOf(words.patchesStrategicMerge).filter((it) => !it.includes("\n"));
  return [...listed, ...merges].map((it) => path.resolve(folder, it));
};

/** By file, the namespaces that its resources get; the empty one stands for their own. */
type Given = ReadonlyMap<string, ReadonlySet<string>>;

const namespacesIn = (resources: readonly Resource[], own: readonly Kustomization[]): Given => {
  const byFolder = new Map(own.map((it) => [it.folder, it]));
  const files = new Set(resources.map((it) => path.resolve(it.file)));
  const given = new Map<string, Set<string>>();
  const give = (file: string, namespace: string): void =>
    void given.set(file, (given.get(file) ?? new Set()).add(namespace));
  const visited = new Set<string>();
  /** The outermost namespace holds. */
  const visit = (folder: string, outer: string | undefined): void => {
    const it = byFolder.get(folder);
    const namespace = outer ?? it?.namespace;
    const turn = JSON.stringify([folder, namespace]);
    if (!it || visited.has(turn)) return;
    visited.add(turn);
    for (const entry of it.entries)
      if (byFolder.has(entry)) visit(entry, namespace);
      else if (files.has(entry)) give(entry, namespace ?? "");
  };
  const targets = resources.filter(isOfFlux).flatMap((it) => targetOf(it, files));
  for (const { folder, namespace } of targets)
    if (byFolder.has(folder)) visit(folder, namespace);
    else
      for (const file of files)
        if (namespace !== undefined && file.startsWith(folder + path.sep)) give(file, namespace);
  const taken = new Set([...own.flatMap(({ entries }) => entries), ...targets.map(({ folder }) => folder)]);
  for (const { folder } of own) if (!taken.has(folder)) visit(folder, undefined);
  return given;
};

/** Flux has a Kustomization of its own, which names a folder of the repository. */
const isOfFlux = ({ group, kind }: Resource): boolean =>
  group === "kustomize.toolkit.fluxcd.io" && kind === "Kustomization";

const targetOf = ({ value }: Resource, files: ReadonlySet<string>) => {
  const { path: written, targetNamespace } = mapOf(value.spec);
  const within = typeof written === "string" ? path.posix.normalize(written).replace(/^\/|\/$/g, "") : "";
  if (within === "" || within === ".") return [];
  const end = path.sep + within.replaceAll("/", path.sep);
  const inside = [...files].find((it) => it.includes(end + path.sep));
  if (inside === undefined) return [];
  const folder = inside.slice(0, inside.indexOf(end + path.sep) + end.length);
  return [{ folder, namespace: typeof targetNamespace === "string" ? targetNamespace : undefined }];
};

/** What a Kustomization does to resources that are read besides giving them a namespace. */
const changesOf = (
  { entries, folder, words }: Kustomization,
  resources: readonly Resource[],
  given: Given,
): readonly string[] => {
  const said = [
    ...["namePrefix", "nameSuffix", "replacements", "transformers"].filter((word) => words[word] !== undefined),
    ...["patches", "patchesJson6902", "patchesStrategicMerge"].filter((word) => {
      const all = words[word];
      return Array.isArray(all) && all.some(mayPatch);
    }),
  ];
  const isTaken = (file: string): boolean =>
    given.has(file) && [folder, ...entries].some((it) => file === it || file.startsWith(it + path.sep));
  const isTouched = (it: Resource): boolean =>
    isRead(it) && !["Namespace", "GatewayClass"].includes(it.kind) && isTaken(path.resolve(it.file));
  if (said.length === 0 || !resources.some(isTouched)) return [];
  return said.map((word) => `${word} of Kustomize has no equivalent; ${build}`);
};

/** Unless it says that it is for a kind that is not read. A file is listed where it is read. */
const mayPatch = (it: unknown): boolean => {
  const { target, patch, path: file } = mapOf(it);
  const text = typeof patch === "string" ? patch : typeof it === "string" && it.includes("\n") ? it : "";
  const kind = mapOf(target).kind ?? /^kind:\s*["']?(\w+)/m.exec(text)?.[1];
  if (kind !== undefined) return isRead({ kind: String(kind), group: undefined });
  return text !== "" || (target !== undefined && file !== undefined);
};
