/** Every value of a checked manifest with the place that it comes from: a line of a file, or the page that documents its default. */

import { type Path, valueAt } from "../../diagnostics/locate.ts";
import { maskSecrets } from "../../diagnostics/secret-literals.ts";
import type { Source } from "../../diagnostics/source.ts";
import type { DocsLookup } from "./docs-lookup.ts";

/** One value, and where it comes from. */
export interface EffectiveValue {
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
export interface ValueContext {
  readonly source: Source;
  readonly at: Path;
  /** `docs/reference/filters/jwt.md` */
  readonly page: string;
  /** Ahead of its keys in that page: `routes.<name>`. */
  readonly rowPrefix: readonly string[];
  /** Keys that a bare value can stand for. */
  readonly shortKeys: readonly string[];
}

export interface OriginContext {
  /** The environment's file. */
  readonly environment: Source;
  readonly docsLookup: DocsLookup;
}

export const fileAndLine = (source: Source, at: Path): string => `${source.file}:${source.related(at, "").line}`;

/** The values beneath a map, each list of maps item by item; what is undefined is left out. */
export const effectiveValues = (value: unknown, valueContext: ValueContext, context: OriginContext): EffectiveValue[] =>
  collectLeaves(maskSecrets(value), []).map(({ path, value }) => ({
    path,
    value,
    ...findOrigin(path, valueContext, context),
  }));

interface Leaf {
  readonly path: readonly string[];
  readonly value: unknown;
}

const collectLeaves = (value: unknown, path: readonly string[]): Leaf[] => {
  if (typeof value !== "object" || value === null) return [{ path, value }];
  const entries = Object.entries(value).filter(([, it]) => it !== undefined);
  const isPlainList = Array.isArray(value) && value.every((it) => typeof it !== "object" || it === null);
  if (entries.length === 0 || isPlainList) return [{ path, value }];
  return entries.flatMap(([key, it]) => collectLeaves(it, [...path, key]));
};

const findOrigin = (
  path: readonly string[],
  valueContext: ValueContext,
  { environment, docsLookup }: OriginContext,
) => {
  const { source, at, page, rowPrefix: rows, shortKeys: short } = valueContext;
  const writtenCount = countWrittenSteps(path, valueContext);
  if (writtenCount === undefined) return { isDefault: true, at: docsLookup(page, [...rows, ...path]), variables: [] };
  const writtenPath = [...at, ...path.slice(0, writtenCount)];
  // A bare value stands for one key; what is beside that is a default.
  if (writtenCount < path.length && !short.includes(path.slice(writtenCount).join(".")))
    return { isDefault: true, at: docsLookup(page, [...rows, ...path]), variables: [] };
  const variables = variableNames(valueAt(source.value, writtenPath)).map((name) => ({
    name,
    at: fileAndLine(environment, ["values", name]),
  }));
  return { isDefault: false, at: fileAndLine(source, writtenPath), variables };
};

/** How many steps of a path are written; undefined where none of them leads to a value. */
const countWrittenSteps = (path: readonly string[], { source, at }: ValueContext): number | undefined => {
  let value = valueAt(source.value, at);
  for (const [index, step] of path.entries()) {
    if (value === undefined || value === null) return undefined;
    const isMap = typeof value === "object" && (!Array.isArray(value) || /^\d+$/.test(step));
    if (!isMap) return index;
    value = (value as Record<string, unknown>)[step];
  }
  return value === undefined || value === null ? undefined : path.length;
};

const variableNames = (value: unknown): string[] =>
  [value].flat().flatMap((it) => /^\$\{([a-z0-9-]+)\}$/.exec(typeof it === "string" ? it : "")?.[1] ?? []);
