/** Random edits of manifests: most of them hold, and many of them change nothing but text. */
import fc from "fast-check";
import { parseDocument, stringify } from "yaml";

interface Edit {
  readonly kind: "drop" | "replace" | "swap" | "rename" | "copy" | "default";
  readonly place: number;
  readonly choice: number;
}

export const edits = fc.record({
  edits: fc.array(
    fc.record({
      kind: fc.constantFrom<Edit["kind"]>("drop", "replace", "replace", "replace", "swap", "rename", "copy", "default"),
      place: fc.nat(),
      choice: fc.nat(),
    }),
    { maxLength: 3 },
  ),
  /** How it is written: blocks or brackets, wide or narrow, keys in another order. */
  style: fc.record({
    flow: fc.boolean(),
    width: fc.constantFrom(40, 80, 0),
    sortKeys: fc.boolean(),
    comment: fc.boolean(),
  }),
});

export type GeneratedEdits = typeof edits extends fc.Arbitrary<infer T> ? T : never;

type Tree = Record<string, unknown> | unknown[];
const isTree = (value: unknown): value is Tree => typeof value === "object" && value !== null;

/** Where every value stands: in which map or list, and under which key. */
const placesIn = (tree: Tree): { readonly holder: Tree; readonly key: string }[] =>
  Object.entries(tree).flatMap(([key, value]) => [{ holder: tree, key }, ...(isTree(value) ? placesIn(value) : [])]);

/** What else could stand there. */
const variants = (value: unknown, others: readonly unknown[], choice: number): unknown => {
  const pick = <T>(all: readonly T[]): T => all[choice % all.length] as T;
  if (typeof value === "number") return pick([value + 1, value * 10, 0, 1, 302]);
  if (typeof value === "boolean") return !value;
  if (typeof value !== "string") return pick(others);
  if (/^\d+(ms|s|m|h)$/.test(value)) return pick(["1s", "2s", "5m", "1h", "800ms"]);
  if (/^\d+(B|KiB|MiB)$/.test(value)) return pick(["1KiB", "64KiB", "1MiB"]);
  if (/^\d+\/\w+$/.test(value)) return pick(["1/s", "20/s", "500/s", "5000/day"]);
  if (/%$/.test(value)) return pick(["0%", "10%", "50%", "100%"]);
  if (/^[A-Z,]+ \//.test(value))
    return pick([
      `${value}/more`,
      value.replace(/^\S+/, "GET"),
      value.replace(/^\S+/, "POST,PUT"),
      value.replace(/:[^}]*/, ""),
    ]);
  if (/^\//.test(value)) return pick([`${value}/x`, value.replace(/\{[^}]*\}/, "7"), "/other"]);
  if (/^https?:/.test(value))
    return pick(["https://other.acme.example", value.replace("https:", "http:"), `${value}/base`]);
  const words = [
    "enforce",
    "shadow",
    "off",
    "core",
    "standard",
    "best-effort",
    "ip",
    "consumer",
    "route",
    "exact",
    "local",
  ];
  return pick([...words, "other", `${value}-x`, ...others.filter((it) => typeof it === "string")]);
};

const applyEdit = (tree: Tree, { kind, place, choice }: Edit): void => {
  const places = placesIn(tree);
  const at = places[place % places.length];
  if (!at) return;
  const { holder, key } = at;
  const values = places.map((it) => (it.holder as Record<string, unknown>)[it.key]).filter((it) => !isTree(it));
  const map = holder as Record<string, unknown>;
  if (kind === "drop") Array.isArray(holder) ? holder.splice(Number(key), 1) : delete map[key];
  else if (kind === "replace") map[key] = isTree(map[key]) ? map[key] : variants(map[key], values, choice);
  else if (kind === "swap" && Array.isArray(holder)) holder.push(...holder.splice(Number(key), 1));
  else if (kind === "rename" && !Array.isArray(holder)) {
    map[`${key}-two`] = map[key];
    delete map[key];
  } else if (kind === "copy" && !Array.isArray(holder)) map[`${key}-two`] = structuredClone(map[key]);
  // What a filter has anyway, written out.
  else if (kind === "default" && isTree(map[key]) && "jwt" in map) Object.assign(map.jwt as object, { leeway: "5s" });
};

const sortKeys = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (!isTree(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, it]) => [key, sortKeys(it)]),
  );
};

/** The text after the edits, in its style. */
export const applyEdits = (text: string, { edits, style }: GeneratedEdits): string => {
  const tree = parseDocument(text).toJS() as Tree;
  for (const it of edits) applyEdit(tree, it);
  const value = style.sortKeys ? sortKeys(tree) : tree;
  const written = stringify(value, { collectionStyle: style.flow ? "flow" : "block", lineWidth: style.width });
  return style.comment ? `# edited by chance\n${written}` : written;
};
