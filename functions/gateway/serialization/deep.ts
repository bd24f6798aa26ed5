/**
 * Parses the style `deepObject`: `filter[state]=open`. OpenAPI does not define nested lists and objects. They are
 * parsed as most clients write them: `filter[a][b]=1`, `filter[a][]=1`, `filter[a][0]=1`, and repeated names.
 */
import type { ValueShape } from "../core/ports/validators.ts";
import type { Source } from "./fields.ts";
import { type Choose, repeated, Unreadable } from "./readings.ts";
import { valueOfTexts } from "./texts.ts";
import { type Decode, shapeOfProperty } from "./values.ts";

/** The values of a name and of nested names. */
interface Node {
  readonly texts: string[];
  readonly within: Map<string, Node>;
}

const maxDepth = 8;

/**
 * @returns undefined when the parameter is absent
 * @throws Unreadable
 */
export const deepValue = (name: string, shape: ValueShape, source: Source, choose: Choose): unknown => {
  const { fields, decode, isOther } = source;
  const root: Node = { texts: [...(fields.get(name) ?? [])], within: new Map() };
  const prefix = `${name}[`;
  for (const [key, texts] of fields)
    if (key.startsWith(prefix) && !isOther(key)) nodeAt(root, key.slice(name.length)).texts.push(...texts);
  if (root.texts.length === 0 && root.within.size === 0) return undefined;
  return valueIn(root, shape, decode, choose);
};

/** @param brackets `[a][b]` */
const nodeAt = (root: Node, brackets: string): Node => {
  if (!/^(?:\[[^[\]]*\])+$/.test(brackets)) throw new Unreadable("has unbalanced brackets");
  const names = brackets.slice(1, -1).split("][", maxDepth + 1);
  if (names.length > maxDepth) throw new Unreadable("is nested too deeply");
  return names.reduce((at, name) => {
    const found = at.within.get(name) ?? { texts: [], within: new Map() };
    at.within.set(name, found);
    return found;
  }, root);
};

const valueIn = ({ texts, within }: Node, shape: ValueShape, decode: Decode, choose: Choose): unknown => {
  if (within.size === 0) return valueOfTexts(texts, shape, decode, choose);
  if (texts.length > 0) throw repeated();
  if (shape.items && [...within.keys()].every((it) => it === "" || index.test(it)))
    return listOf(within, shape.items, decode, choose);
  return Object.fromEntries(
    [...within].map(([name, node]) => [name, valueIn(node, shapeOfProperty(shape, name), decode, choose)]),
  );
};

const index = /^(?:0|[1-9]\d{0,4})$/;

const listOf = (within: Node["within"], items: ValueShape, decode: Decode, choose: Choose): unknown[] => {
  const unnumbered = within.get("");
  if (!unnumbered)
    return [...within]
      .toSorted(([a], [b]) => Number(a) - Number(b))
      .map(([, node]) => valueIn(node, items, decode, choose));
  // `a[][b]` does not tell which object a property belongs to.
  if (within.size > 1 || unnumbered.within.size > 0) throw new Unreadable("has a list whose items have no order");
  return unnumbered.texts.map((it) => valueOfTexts([it], items, decode, choose));
};
