/**
 * What still holds of a broken value: what a schema complains about is taken out, and the rest is read. So all else can be
 * checked at once, and rules know what is not known and say nothing that only follows from it.
 */
import type { ZodType } from "zod";
import { type $ZodIssue, safeParse } from "zod/v4/core";
import { type Path, valueAt } from "../../diagnostics/locate.ts";
import { keysAt, nearest, resolveUnion, schemaAt } from "../../diagnostics/schema-issues.ts";

/** Places of a value that are broken, or that a misspelt key may have been meant for. */
export type BrokenPaths = readonly Path[];

/** Whether something at the place, beneath it or over it is broken. */
export const isBroken = (broken: BrokenPaths, ...at: Path): boolean =>
  broken.some((path) => path.every((step, index) => index >= at.length || String(step) === String(at[index])));

export interface Salvaged<T> {
  /** Undefined where nothing holds. */
  readonly value: T | undefined;
  readonly broken: BrokenPaths;
  /** What the schema complains about, and what it complained about once that was out of its way. */
  readonly rounds: readonly (readonly $ZodIssue[])[];
}

/** A value that holds in place of one that is broken or missing, so that what stands around it is kept; undefined where there is none. */
export type StandIn = (path: Path) => unknown;

/** Each round takes at least one thing out; a value with more of them is given up. */
const maxRounds = 12;

export const salvage = <T>(schema: ZodType<T>, given: unknown, standIn: StandIn = () => undefined): Salvaged<T> => {
  let value = given;
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
        : // Of a map that has lost something, a complaint may only follow from that.
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

/** Without complaints that compare values of a map where one of these is broken by itself. */
const withoutConsequences = (
  given: readonly $ZodIssue[],
  all: readonly $ZodIssue[],
  schema: ZodType,
  value: unknown,
) => {
  const broken = all.filter((it) => it.code !== "unrecognized_keys" && !isCrossFieldIssue(it, schema, value));
  return given.filter(
    (it) =>
      !isCrossFieldIssue(it, schema, value) || !broken.some(({ path }) => isBroken([path], ...it.path.slice(0, -1))),
  );
};

/** Whether the value itself holds, so that something around it complains. */
const isCrossFieldIssue = ({ code, path }: $ZodIssue, schema: ZodType, value: unknown): boolean => {
  const own = code === "custom" ? schemaAt(schema, path) : undefined;
  return own !== undefined && safeParse(own, valueAt(value, path)).success;
};

/** What is not there, and what the misspelt key may be. */
const likelyKeys = (schema: ZodType, value: unknown, at: Path, key: string): Path[] => {
  const meant = nearest(key, keysAt(schema, at));
  return meant === undefined || valueAt(value, [...at, meant]) !== undefined ? [] : [[...at, meant]];
};

/** Takes out what is broken, or puts something in its place. @returns false where nothing is left then */
const repair = (path: Path, value: unknown, standIn: StandIn, broken: Path[]): boolean => {
  const whole = valueAt(value, path) === undefined;
  const replacement = standIn(path);
  if (replacement !== undefined) {
    if (!replaceAt(path, replacement, value)) return false;
    // Where something stands in for an entry of a list, the others are known.
    broken.push(path);
    return true;
  }
  // What lacks something that has to be there is none.
  const out = outsideLists(whole ? path.slice(0, -1) : path);
  broken.push(path, out);
  return out.length > 0 && removeAt(out, value);
};

/** An entry cannot be taken out of a list without moving the others. */
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
