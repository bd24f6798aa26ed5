/** Small wrongs that an edit of a manifest can do: a filter is dropped, a limit changed, a match widened. */
import fs from "node:fs";
import path from "node:path";
import { type Document, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import { capturesOf, matchOf, pathWritten, segmentsOf } from "../../../functions/gateway/routing/match.ts";
import type { CheckedTier } from "../../compiler/model/checked.ts";
import { more } from "./quantities.ts";

export interface Mutant {
  /** What it is about, as a sentence: `jwt is dropped`. */
  readonly says: string;
  readonly file: string;
  readonly line: number;
  /** The file with it. */
  readonly text: string;
}

type Path = readonly (string | number)[];

/** All mutants of the manifests of these tiers and their presets. */
export const mutantsOf = (root: string, tiers: readonly CheckedTier[]): Mutant[] => {
  const presets = [
    ...new Map(tiers.flatMap(({ preset }) => (preset ? [[preset.name, preset.source.file]] : []))).values(),
  ];
  return [
    ...tiers.flatMap((tier) => ofManifest(root, tier)),
    ...presets.flatMap((file) => ofFilters(editor(root, file), ["filters"])),
  ];
};

interface Editor {
  readonly file: string;
  readonly document: Document;
  readonly mutant: (at: Path, says: string, edit: (document: Document) => void) => Mutant;
}

const editor = (root: string, file: string): Editor => {
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

const ofManifest = (root: string, tier: CheckedTier): Mutant[] => {
  const it = editor(root, tier.source.file);
  const names = keysAt(it.document, ["routes"]);
  return [
    ...ofFilters(it, ["filters"]),
    ...quantitiesIn(it, ["upstreams"]),
    ...quantitiesIn(it, ["limits"]),
    ...indices(it.document, ["accept-headers"]).map((index) =>
      it.mutant(["accept-headers", index], "a header that it accepts is removed", (document) =>
        document.deleteIn(["accept-headers", index]),
      ),
    ),
    ...names.flatMap((name) => ofRoute(it, name, tier)),
  ];
};

/** What a route can lose without being another route. */
const losable = ["path", "upgrade", "encoded-slashes", "without", "when"];

const ofRoute = (it: Editor, name: string, { routes, shared }: CheckedTier): Mutant[] => {
  const at = ["routes", name];
  const route = routes.find((known) => known.name === name);
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
    ...widened(it.document.getIn([...at, "match"])).map(({ match, says }) =>
      it.mutant([...at, "match"], `${name} ${says}: ${match}`, (document) => document.setIn([...at, "match"], match)),
    ),
    ...losable
      .filter((key) => it.document.hasIn([...at, key]))
      .map((key) => it.mutant([...at, key], `${name} loses its ${key}`, (document) => document.deleteIn([...at, key]))),
    ...ofFilters(it, [...at, "filters"]),
  ];
};

const widened = (written: unknown): { readonly match: string; readonly says: string }[] => {
  const { methods, path } = matchOf(String(written));
  const [head = ""] = String(written).split(" ");
  const segments = segmentsOf(path);
  const loose = capturesOf(segments).some((it) => it.pattern !== undefined) ? pathWritten(segments) : path;
  const open = path.replace(/\/[^/{}]+$/, "/{anything}");
  const other = methods.includes("DELETE") ? "PUT" : "DELETE";
  return [
    ...(head === "ANY" ? [] : [{ match: `${head},${other} ${path}`, says: "takes another method" }]),
    ...(loose === path ? [] : [{ match: `${head} ${loose}`, says: "takes whatever its pattern kept out" }]),
    ...(open === path ? [] : [{ match: `${head} ${open}`, says: "takes whatever comes last" }]),
  ];
};

const ofFilters = (it: Editor, at: Path): Mutant[] =>
  indices(it.document, at).flatMap((index) => {
    const entry = [...at, index];
    const use = keysAt(it.document, entry)[0] ?? "";
    const id = it.document.getIn([...entry, "id"]) ?? use;
    return [
      it.mutant(entry, `${id} is dropped`, (document) => document.deleteIn(entry)),
      ...(it.document.hasIn([...entry, "when"])
        ? [it.mutant([...entry, "when"], `${id} loses its when`, (document) => document.deleteIn([...entry, "when"]))]
        : []),
      ...quantitiesIn(it, entry),
      ...lossesIn(it, [...entry, use], String(id)),
    ];
  });

/** Every quantity beneath a place, a little more and a little less of it. */
const quantitiesIn = (it: Editor, at: Path): Mutant[] =>
  leaves(it.document.getIn(at, true), at).flatMap(({ at: place, value }) =>
    more(value).map((other) =>
      it.mutant(place, `${value} becomes ${other}`, (document) => document.setIn(place, other)),
    ),
  );

/** Entries of a filter's configuration that go. */
const lossesIn = (it: Editor, at: Path, id: string): Mutant[] => {
  const node = it.document.getIn(at, true);
  const steps = isMap(node) ? keysAt(it.document, at) : isSeq(node) ? indices(it.document, at) : [];
  return steps.flatMap((step) => {
    const place = [...at, step];
    const what = typeof step === "number" ? String(it.document.getIn(place)) : step;
    return [
      it.mutant(place, `${id} loses ${what}`, (document) => document.deleteIn(place)),
      ...lossesIn(it, place, id),
    ];
  });
};

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
