/**
 * Keeps the valid part of a broken value: removes what a schema rejects and parses the rest, so that everything else can be
 * checked at once. Rules know the broken paths and skip what only follows from them.
 */
import type { ZodType } from "zod";
import { type $ZodIssue, safeParse } from "zod/v4/core";
import { type Path, valueAt } from "../../diagnostics/locate.ts";
import { keysAt, nearest, resolveUnion, schemaAt } from "../../diagnostics/schema-issues.ts";

/** Paths of a value that are broken, or that a misspelt key may have been meant for. */
export type BrokenPaths = readonly Path[];

/** Whether something at the path, below it or above it is broken. */
export const isBroken = (broken: BrokenPaths, ...at: Path): boolean =>
  broken.some((path) => path.every((step, index) => index >= at.length || String(step) === String(at[index])));

export interface Salvaged<T> {
  /** Undefined if nothing is valid. */
  readonly value: T | undefined;
  readonly broken: BrokenPaths;
  /** The issues of each parse attempt. */
  readonly rounds: readonly (readonly $ZodIssue[])[];
}

/** Returns a valid placeholder for a broken or missing value, so that its surroundings are kept; undefined if there is none. */
export type StandIn = (path: Path) => unknown;

/** Each round removes at least one broken value; a value with more of them is given up. */
const maxRounds = 12;

export const salvage = <T>(schema: ZodType<T>, input: unknown, standIn: StandIn = () => undefined): Salvaged<T> => {
  let value = input;
  const broken: Path[] = [];
  const unknown: Path[] = [];
  const rounds: (readonly $ZodIssue[])[] = [];
  for (let round = 0; round < maxRounds; round++) {
    const result = schema.safeParse(value);
    if (result.success) return { value: result.data, broken: [...broken, ...unknown], rounds };
    const issues = result.error.issues.flatMap((it) => resolveUnion(it, { value }));
    rounds.push(
      round === 0
        ? withoutConsequences(result.error.issues, issues, schema, value)
        : // In a map with removed keys, an issue may only be a consequence.
          issues.filter(({ path }) => !isBroken(broken, ...path.slice(0, -1))),
    );
    value = round === 0 ? structuredClone(value) : value;
    for (const issue of issues) {
      if (issue.code === "unrecognized_keys") {
        for (const key of issue.keys) {
          broken.push(...likelyKeys(schema, value, issue.path, key));
          unknown.push([...issue.path, key]);
          removeAt([...issue.path, key], value);
        }
      } else if (issue.code === "invalid_key") {
        broken.push(issue.path);
        removeAt(issue.path, value);
      } else if (!repair(issue.path, value, standIn, broken)) return { value: undefined, broken: [[]], rounds };
    }
  }
  return { value: undefined, broken: [[]], rounds };
};

/** Drops issues that compare values of a map in which one value is broken by itself. */
const withoutConsequences = (
  issues: readonly $ZodIssue[],
  all: readonly $ZodIssue[],
  schema: ZodType,
  value: unknown,
) => {
  const broken = all.filter((it) => it.code !== "unrecognized_keys" && !isCrossFieldIssue(it, schema, value));
  return issues.filter(
    (it) =>
      !isCrossFieldIssue(it, schema, value) || !broken.some(({ path }) => isBroken([path], ...it.path.slice(0, -1))),
  );
};

/** Whether the value itself is valid and the issue compares it with others. */
const isCrossFieldIssue = ({ code, path }: $ZodIssue, schema: ZodType, value: unknown): boolean => {
  const own = code === "custom" ? schemaAt(schema, path) : undefined;
  return own !== undefined && safeParse(own, valueAt(value, path)).success;
};

/** The missing key that a misspelt key was probably meant for. */
const likelyKeys = (schema: ZodType, value: unknown, at: Path, key: string): Path[] => {
  const suggestion = nearest(key, keysAt(schema, at));
  return suggestion === undefined || valueAt(value, [...at, suggestion]) !== undefined ? [] : [[...at, suggestion]];
};

/** Removes a broken value, or replaces it by a placeholder. @returns false if nothing is left */
const repair = (path: Path, value: unknown, standIn: StandIn, broken: Path[]): boolean => {
  const isMissing = valueAt(value, path) === undefined;
  const replacement = standIn(path);
  if (replacement !== undefined) {
    if (!replaceAt(path, replacement, value)) return false;
    // With a placeholder for one entry of a list, the others can be checked.
    broken.push(path);
    return true;
  }
  // A map without a required key is invalid itself.
  const out = outsideLists(isMissing ? path.slice(0, -1) : path);
  broken.push(path, out);
  return out.length > 0 && removeAt(out, value);
};

/** An entry cannot be removed from a list without shifting the others, so the whole list is removed. */
const outsideLists = (path: Path): Path => (typeof path.at(-1) === "number" ? outsideLists(path.slice(0, -1)) : path);

type Container = Record<PropertyKey, unknown>;

const containerOf = (path: Path, value: unknown): Container | undefined => {
  const container = valueAt(value, path.slice(0, -1));
  return typeof container === "object" && container !== null ? (container as Container) : undefined;
};

const removeAt = (path: Path, value: unknown): boolean => {
  const container = containerOf(path, value);
  if (!container) return false;
  delete container[path.at(-1) as PropertyKey];
  return true;
};

const replaceAt = (path: Path, replacement: unknown, value: unknown): boolean => {
  const container = containerOf(path, value);
  if (!container) return false;
  container[path.at(-1) as PropertyKey] = replacement;
  return true;
};
