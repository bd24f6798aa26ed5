/** Lists the values of a checked manifest with their origins: a line of a file, or the page that documents the default. */

import { type Path, valueAt } from "../../diagnostics/locate.ts";
import { maskSecrets } from "../../diagnostics/secret-literals.ts";
import type { Source } from "../../diagnostics/source.ts";
import type { DocsLookup } from "./docs-lookup.ts";

/** A value with its origin. */
export interface EffectiveValue {
  /** Path within its owner: `tolerate`, `errors`; list items by index. */
  readonly path: readonly string[];
  readonly value: unknown;
  /** Whether it is a default; its location is then the reference. */
  readonly isDefault: boolean;
  /** `routes/wallet.yaml:13` */
  readonly at: string;
  /** Environment variables used in it. */
  readonly variables: readonly Variable[];
}

export interface Variable {
  readonly name: string;
  /** Location in the environment's file. */
  readonly at: string;
}

/** The location of a map of values, and the page that documents its keys. */
export interface ValueContext {
  readonly source: Source;
  readonly at: Path;
  /** `docs/reference/filters/jwt.md` */
  readonly page: string;
  /** Prefix of its keys on that page: `routes.<name>`. */
  readonly rowPrefix: readonly string[];
  /** Keys that a short form can represent. */
  readonly shortKeys: readonly string[];
}

export interface OriginContext {
  /** The environment's file. */
  readonly environment: Source;
  readonly docsLookup: DocsLookup;
}

export const fileAndLine = (source: Source, at: Path): string => `${source.file}:${source.related(at, "").line}`;

/** The values of a map; lists of maps item by item. Undefined values are omitted. */
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
  const { source, at, page, rowPrefix, shortKeys } = valueContext;
  const writtenCount = countWrittenSteps(path, valueContext);
  if (writtenCount === undefined)
    return { isDefault: true, at: docsLookup(page, [...rowPrefix, ...path]), variables: [] };
  const writtenPath = [...at, ...path.slice(0, writtenCount)];
  // A short form sets one key; the others are defaults.
  if (writtenCount < path.length && !shortKeys.includes(path.slice(writtenCount).join(".")))
    return { isDefault: true, at: docsLookup(page, [...rowPrefix, ...path]), variables: [] };
  const variables = variableNames(valueAt(source.value, writtenPath)).map((name) => ({
    name,
    at: fileAndLine(environment, ["values", name]),
  }));
  return { isDefault: false, at: fileAndLine(source, writtenPath), variables };
};

/** How many steps of a path are written in the file; undefined if there is no value. */
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
