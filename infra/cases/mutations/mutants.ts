/** Mutations of a manifest for mutation testing: a filter is dropped, a limit changed, a match widened. */
import fs from "node:fs";
import path from "node:path";
import { type Document, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import { capturesOf, formatPath, parseMatch, parsePath } from "../../../functions/gateway/routing/match.ts";
import type { CheckedTier } from "../../compiler/model/checked.ts";
import { registry } from "../../project/registry.ts";
import { nearbyQuantities } from "./quantities.ts";

export interface Mutant {
  /** In words: `jwt is dropped`. */
  readonly says: string;
  readonly file: string;
  readonly line: number;
  /** The mutated file. */
  readonly text: string;
}

type Path = readonly (string | number)[];

/** All mutants of the manifests of these tiers and of the project's presets. Built-in presets are tested with Postern. */
export const mutantsOf = (root: string, tiers: readonly CheckedTier[]): Mutant[] => {
  const presets = [
    ...new Map(
      tiers.flatMap(({ preset }) => (preset && !preset.isBuiltIn ? [[preset.name, preset.source.file]] : [])),
    ).values(),
  ];
  return [
    ...tiers.flatMap((tier) => mutateManifest(root, tier)),
    ...presets.flatMap((file) => mutateFilters(openSource(root, file), ["filters"])),
  ];
};

interface MutationSource {
  readonly file: string;
  readonly document: Document;
  readonly mutant: (at: Path, says: string, edit: (document: Document) => void) => Mutant;
}

const openSource = (root: string, file: string): MutationSource => {
  const text = fs.readFileSync(path.join(root, file), "utf8");
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  return {
    file,
    document,
    mutant: (at, says, edit) => {
      const copy = parseDocument(text);
      edit(copy);
      const [start = 0] = (document.getIn(at, true) as Node | undefined)?.range ?? [];
      return { says, file, line: lines.linePos(start).line, text: String(copy) };
    },
  };
};

const mutateManifest = (root: string, tier: CheckedTier): Mutant[] => {
  const it = openSource(root, tier.source.file);
  const names = keysAt(it.document, ["routes"]);
  return [
    ...mutateFilters(it, ["filters"]),
    ...mutateBase(it),
    ...mutateQuantities(it, ["upstreams"]),
    ...mutateQuantities(it, ["limits"]),
    ...indices(it.document, ["accept-headers"]).map((index) =>
      it.mutant(["accept-headers", index], "a header that it accepts is removed", (document) =>
        document.deleteIn(["accept-headers", index]),
      ),
    ),
    ...names.flatMap((name) => mutateRoute(it, name, tier)),
  ];
};

const mutateBase = (it: MutationSource): Mutant[] =>
  it.document.getIn(["base", "strip"]) === true
    ? [
        it.mutant(["base"], "services receive paths with the base", (document) =>
          document.setIn(["base", "strip"], false),
        ),
      ]
    : [];

/** Keys of a route that a mutation removes. */
const removableKeys = ["path", "upgrade", "encoded-slashes", "without", "when"];

const mutateRoute = (it: MutationSource, name: string, { routes, shared }: CheckedTier): Mutant[] => {
  const at = ["routes", name];
  const route = routes.find((candidate) => candidate.name === name);
  const inherited = shared.filters.filter(
    ({ id, mode }) => mode !== "off" && route?.chain.some((one) => one.id === id),
  );
  const without = route?.settings.without ?? [];
  return [
    ...inherited.map(({ id }) =>
      it.mutant([...at, "match"], `${name} does without ${id}`, (document) =>
        document.setIn([...at, "without"], [...without, id]),
      ),
    ),
    ...widenMatch(it.document.getIn([...at, "match"])).map(({ match, says }) =>
      it.mutant([...at, "match"], `${name} ${says}: ${match}`, (document) => document.setIn([...at, "match"], match)),
    ),
    ...removableKeys
      .filter((key) => it.document.hasIn([...at, key]))
      .map((key) => it.mutant([...at, key], `${name} loses its ${key}`, (document) => document.deleteIn([...at, key]))),
    ...mutateFilters(it, [...at, "filters"]),
  ];
};

const widenMatch = (matchText: unknown): { readonly match: string; readonly says: string }[] => {
  const { methods, path } = parseMatch(String(matchText));
  const [methodText = ""] = String(matchText).split(" ");
  const segments = parsePath(path);
  const withoutPatterns = capturesOf(segments).some((it) => it.pattern !== undefined) ? formatPath(segments) : path;
  const withWildcard = path.replace(/\/[^/{}]+$/, "/{anything}");
  const otherMethod = methods.includes("DELETE") ? "PUT" : "DELETE";
  return [
    ...(methodText === "ANY" ? [] : [{ match: `${methodText},${otherMethod} ${path}`, says: "takes another method" }]),
    ...(withoutPatterns === path
      ? []
      : [{ match: `${methodText} ${withoutPatterns}`, says: "takes whatever its pattern kept out" }]),
    ...(withWildcard === path ? [] : [{ match: `${methodText} ${withWildcard}`, says: "takes whatever comes last" }]),
  ];
};

const mutateFilters = (it: MutationSource, at: Path): Mutant[] =>
  indices(it.document, at).flatMap((index) => {
    const entry = [...at, index];
    const use = keysAt(it.document, entry)[0] ?? "";
    const id = it.document.getIn([...entry, "id"]) ?? use;
    return [
      it.mutant(entry, `${id} is dropped`, (document) => document.deleteIn(entry)),
      ...(it.document.hasIn([...entry, "when"])
        ? [it.mutant([...entry, "when"], `${id} loses its when`, (document) => document.deleteIn([...entry, "when"]))]
        : []),
      ...mutateQuantities(it, entry),
      ...mutateRemovals(it, [...entry, use], String(id)),
      ...mutateFollowed(it, [...entry, use], String(id)),
    ];
  });

/** Mutants that change a quantity slightly, up and down. */
const mutateQuantities = (it: MutationSource, at: Path): Mutant[] =>
  leaves(it.document.getIn(at, true), at).flatMap(({ at: place, value }) =>
    nearbyQuantities(value).map((otherMethod) =>
      it.mutant(place, `${value} becomes ${otherMethod}`, (document) => document.setIn(place, otherMethod)),
    ),
  );

/** Mutants that remove an entry of a filter's configuration. */
const mutateRemovals = (it: MutationSource, at: Path, id: string): Mutant[] => {
  const node = it.document.getIn(at, true);
  const steps = isMap(node) ? keysAt(it.document, at) : isSeq(node) ? indices(it.document, at) : [];
  return steps.flatMap((step) => {
    const place = [...at, step];
    const what = typeof step === "number" ? String(it.document.getIn(place)) : step;
    return [
      it.mutant(place, `${id} loses ${what}`, (document) => document.deleteIn(place)),
      ...mutateRemovals(it, place, id),
    ];
  });
};

/** Values that credentials of personas copy, such as an audience: only a case that states them detects another one. */
const mutateFollowed = (it: MutationSource, at: Path, id: string): Mutant[] => {
  const { follows } = registry.filters[String(at.at(-1))]?.credentials?.persona ?? {};
  const config = it.document.getIn(at, true);
  if (!follows || !isMap(config)) return [];
  return Object.keys(follows(config.toJSON()))
    .filter((key) => it.document.hasIn([...at, key]))
    .map((key) =>
      it.mutant([...at, key], `${id} has another ${key}`, (document) => document.setIn([...at, key], anotherValue)),
    );
};

/** Not the value of any real manifest; a URL, since issuers may have to be one. */
const anotherValue = "https://another.invalid";

const keysAt = (document: Document, at: Path): string[] => {
  const node = document.getIn(at, true);
  return isMap(node) ? node.items.map(({ key }) => String(isScalar(key) ? key.value : key)) : [];
};

const indices = (document: Document, at: Path): number[] => {
  const node = document.getIn(at, true);
  return isSeq(node) ? node.items.map((_, index) => index) : [];
};

const leaves = (node: unknown, at: Path): { readonly at: Path; readonly value: string }[] => {
  if (isMap(node))
    return node.items.flatMap(({ key, value }) => leaves(value, [...at, String(isScalar(key) ? key.value : key)]));
  if (isSeq(node)) return node.items.flatMap((item, index) => leaves(item, [...at, index]));
  return isScalar(node) && typeof node.value === "string" ? [{ at, value: node.value }] : [];
};
