/** Finds the YAML node of a value by its path. */
import { isAlias, isMap, isScalar, isSeq, type Node, type Pair, type YAMLMap } from "yaml";

export type Path = readonly PropertyKey[];

/** The plain value that a path leads to, or undefined. */
export const valueAt = (value: unknown, path: Path): unknown =>
  path.reduce((it: unknown, step) => (it as Record<PropertyKey, unknown> | undefined | null)?.[step], value);

/**
 * The node at a path, or the deepest existing one. A missing value is located at the key of its map; a key if
 * one is wanted, or if the value is a map or list that begins on another line.
 */
export const locator = (root: Node | null): ((path: Path, key?: string) => Node | null) => {
  const indices = new WeakMap<YAMLMap, ReadonlyMap<string, Pair>>();
  const pairOf = (map: YAMLMap, key: PropertyKey): Pair | undefined => {
    const known = indices.get(map);
    if (known) return known.get(String(key));
    const index = new Map(map.items.flatMap((it) => (isScalar(it.key) ? [[String(it.key.value), it] as const] : [])));
    indices.set(map, index);
    return index.get(String(key));
  };
  const anchors = collectAnchors(root);
  const resolved = (node: Node | null): Node | null => (isAlias(node) ? (anchors().get(node.source) ?? node) : node);
  return (path, key) => {
    let node: Node | null = root;
    let shown: Node | null = root;
    const steps = key === undefined ? path : [...path, key];
    for (const [index, step] of steps.entries()) {
      const isKeyWanted = key !== undefined && index === steps.length - 1;
      const here = resolved(node);
      if (isMap(here)) {
        const pair = pairOf(here, step);
        if (!pair) return shown;
        node = pair.value as Node | null;
        shown = isKeyWanted || !(isScalar(node) || isAlias(node)) ? (pair.key as Node) : node;
      } else if (isSeq(here)) {
        node = (here.items[Number(step)] ?? null) as Node | null;
        shown = isMap(node) ? ((node.items[0]?.key ?? node) as Node) : (node ?? shown);
      } else return shown;
    }
    return shown;
  };
};

/** Anchored nodes by name, collected at the first alias. */
const collectAnchors = (root: Node | null): (() => ReadonlyMap<string, Node>) => {
  let found: Map<string, Node> | undefined;
  const collect = (node: Node | null, into: Map<string, Node>): void => {
    if (node && "anchor" in node && node.anchor) into.set(node.anchor, node);
    if (isMap(node)) for (const { value } of node.items) collect(value as Node | null, into);
    if (isSeq(node)) for (const item of node.items) collect(item as Node | null, into);
  };
  return () => {
    if (found) return found;
    found = new Map();
    collect(root, found);
    return found;
  };
};
