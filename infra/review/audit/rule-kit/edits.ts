/** Edits a manifest's text in place; comments, order, quotes and line ends stay as they are. */
import { isMap, isScalar, isSeq, type Node, type Pair, parseDocument, type YAMLMap, type YAMLSeq } from "yaml";
import type { Path } from "../../../diagnostics/locate.ts";

export type TextChange =
  /** Replaces a value by another text. */
  | { readonly kind: "replace"; readonly at: Path; readonly text: string }
  /** Adds a filter, on one line, after all others of a route. */
  | { readonly kind: "add-filter"; readonly route: string; readonly filter: string }
  /** Removes a range of the text. */
  | { readonly kind: "cut"; readonly range: readonly [start: number, end: number] };

interface TextEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** @returns the new text, and the changes that were applied; changes to unusual syntax are skipped */
export const applyChanges = (
  text: string,
  changes: readonly TextChange[],
): { readonly text: string; readonly applied: TextChange[] } => {
  const root = parseDocument(text, { version: "1.2", prettyErrors: false, uniqueKeys: false }).contents as Node | null;
  const all = changes
    .map((change) => ({ change, edit: toEdit(text, root, change) }))
    .filter((it): it is { change: TextChange; edit: TextEdit } => it.edit !== undefined)
    .toSorted((a, b) => b.edit.start - a.edit.start);
  let result = text;
  let position = text.length + 1;
  const applied: TextChange[] = [];
  for (const { change, edit } of all) {
    // Overlapping changes: the next run applies the other one.
    if (edit.end > position) continue;
    result = result.slice(0, edit.start) + edit.text + result.slice(edit.end);
    position = edit.start;
    applied.push(change);
  }
  return { text: result, applied };
};

const toEdit = (text: string, root: Node | null, change: TextChange): TextEdit | undefined => {
  if (change.kind === "cut") return { start: change.range[0], end: change.range[1], text: "" };
  if (change.kind === "replace") {
    const node = nodeAt(root, change.at);
    return isScalar(node) && node.range ? { start: node.range[0], end: node.range[1], text: change.text } : undefined;
  }
  const route = nodeAt(root, ["routes", change.route]);
  return isMap(route) ? insertFilter(text, route, withId(route, change.filter)) : undefined;
};

const nodeAt = (root: Node | null, path: Path): Node | null =>
  path.reduce<Node | null>((node, step) => {
    if (isMap(node)) return (pairOf(node, String(step))?.value ?? null) as Node | null;
    return isSeq(node) ? ((node.items[Number(step)] ?? null) as Node | null) : null;
  }, root);

const pairOf = (map: YAMLMap, key: string): Pair | undefined =>
  map.items.find((it) => isScalar(it.key) && String(it.key.value) === key);

/** Adds an id if the route already has a filter of that kind. */
const withId = (route: YAMLMap, filter: string): string => {
  const filters = pairOf(route, "filters")?.value;
  const kind = filter.slice(0, filter.indexOf(":"));
  const isDuplicate = isSeq(filters) && filters.items.some((it) => isMap(it) && pairOf(it, kind) && !pairOf(it, "id"));
  return isDuplicate ? `{ ${filter}, id: unspoofed }` : `{ ${filter} }`;
};

const insertFilter = (text: string, route: YAMLMap, filter: string): TextEdit | undefined => {
  const pair = pairOf(route, "filters");
  if (pair) return isSeq(pair.value) ? appendToList(text, pair.value, filter) : undefined;
  const match = pairOf(route, "match");
  const key = match?.key as Node | undefined;
  const end = endOf((match?.value ?? null) as Node | null);
  if (end === undefined || !key?.range) return undefined;
  if (route.flow) return { start: end, end, text: `, filters: [${filter}]` };
  return insertLine(text, end, `${indentationAt(text, key.range[0])}filters: [${filter}]`);
};

const appendToList = (text: string, list: YAMLSeq, filter: string): TextEdit | undefined => {
  const end = endOf((list.items.at(-1) ?? null) as Node | null);
  if (!list.range) return undefined;
  if (end === undefined) {
    const inside = text.slice(list.range[0], list.range[1]);
    return /^\[\s*\]$/.test(inside) ? { start: list.range[0], end: list.range[1], text: `[${filter}]` } : undefined;
  }
  if (list.flow) return { start: end, end, text: `, ${filter}` };
  // In a block list, braces are only needed with an id.
  const [, withoutBraces] = /^\{ (.*) \}$/.exec(filter) ?? [];
  const item = withoutBraces === undefined || filter.includes(", id: ") ? filter : withoutBraces;
  return insertLine(text, end, `${indentationAt(text, list.range[0])}- ${item}`);
};

/** Inserts a line below the line of an offset. */
const insertLine = (text: string, at: number, content: string): TextEdit => {
  // A multi-line text ends with the end of its last line.
  const next = text[at - 1] === "\n" ? at - 1 : text.indexOf("\n", at);
  const end = next < 0 ? text.length : next;
  const ending = text[end - 1] === "\r" ? "\r\n" : "\n";
  const start = ending === "\r\n" ? end - 1 : end;
  return { start, end: start, text: `${ending}${content}` };
};

const indentationAt = (text: string, at: number): string => " ".repeat(at - text.lastIndexOf("\n", at - 1) - 1);

/** The end offset of a value, without trailing comments. */
const endOf = (node: Node | null): number | undefined => {
  if (!node?.range) return undefined;
  const isBlock = (isMap(node) || isSeq(node)) && !node.flow;
  if (!isBlock) return node.range[1];
  const last = node.items.at(-1);
  const inner = isMap(node) ? (last as Pair | undefined)?.value : last;
  return endOf((inner ?? null) as Node | null);
};
