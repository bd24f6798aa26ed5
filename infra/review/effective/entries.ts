/** Every value of a checked manifest with the place that it comes from: a line of a file, or the page that documents its default. */

import { type Path, valueAt } from "../../diagnostics/locate.ts";
import { hidden } from "../../diagnostics/secret-literals.ts";
import type { Source } from "../../diagnostics/source.ts";
import type { Documented } from "./docs-lookup.ts";

/** One value, and where it comes from. */
export interface Entry {
  /** Beneath what has it: `tolerate`, `errors`; of a list's item its number. */
  readonly path: readonly string[];
  readonly value: unknown;
  /** Nobody wrote it; its place is where it is documented. */
  readonly isDefault: boolean;
  /** `routes/wallet.yaml:13` */
  readonly at: string;
  /** Values of the environment that it was written with. */
  readonly variables: readonly Variable[];
}

export interface Variable {
  readonly name: string;
  /** In the environment's file. */
  readonly at: string;
}

/** Where a map of values stands, and what documents its keys. */
export interface Holder {
  readonly source: Source;
  readonly at: Path;
  /** `docs/reference/filters/jwt.md` */
  readonly page: string;
  /** Ahead of its keys in that page: `routes.<name>`. */
  readonly rows: readonly string[];
  /** Keys that a bare value can stand for. */
  readonly short: readonly string[];
}

export interface World {
  /** The environment's file. */
  readonly environment: Source;
  readonly documented: Documented;
}

export const placeOf = (source: Source, at: Path): string => `${source.file}:${source.related(at, "").line}`;

/** The values beneath a map, each list of maps item by item; what is undefined is left out. */
export const entriesIn = (value: unknown, holder: Holder, world: World): Entry[] =>
  leavesOf(hidden(value), []).map(({ path, value }) => ({ path, value, ...originOf(path, holder, world) }));

interface Leaf {
  readonly path: readonly string[];
  readonly value: unknown;
}

const leavesOf = (value: unknown, path: readonly string[]): Leaf[] => {
  if (typeof value !== "object" || value === null) return [{ path, value }];
  const entries = Object.entries(value).filter(([, it]) => it !== undefined);
  const isPlainList = Array.isArray(value) && value.every((it) => typeof it !== "object" || it === null);
  if (entries.length === 0 || isPlainList) return [{ path, value }];
  return entries.flatMap(([key, it]) => leavesOf(it, [...path, key]));
};

const originOf = (path: readonly string[], holder: Holder, { environment, documented }: World) => {
  const { source, at, page, rows, short } = holder;
  const steps = writtenSteps(path, holder);
  if (steps === undefined) return { isDefault: true, at: documented(page, [...rows, ...path]), variables: [] };
  const here = [...at, ...path.slice(0, steps)];
  // A bare value stands for one key; what is beside that is a default.
  if (steps < path.length && !short.includes(path.slice(steps).join(".")))
    return { isDefault: true, at: documented(page, [...rows, ...path]), variables: [] };
  const variables = variablesIn(valueAt(source.value, here)).map((name) => ({
    name,
    at: placeOf(environment, ["values", name]),
  }));
  return { isDefault: false, at: placeOf(source, here), variables };
};

/** How many steps of a path are written; undefined where none of them leads to a value. */
const writtenSteps = (path: readonly string[], { source, at }: Holder): number | undefined => {
  let value = valueAt(source.value, at);
  for (const [index, step] of path.entries()) {
    if (value === undefined || value === null) return undefined;
    const isMap = typeof value === "object" && (!Array.isArray(value) || /^\d+$/.test(step));
    if (!isMap) return index;
    value = (value as Record<string, unknown>)[step];
  }
  return value === undefined || value === null ? undefined : path.length;
};

const variablesIn = (value: unknown): string[] =>
  [value].flat().flatMap((it) => /^\$\{([a-z0-9-]+)\}$/.exec(typeof it === "string" ? it : "")?.[1] ?? []);
