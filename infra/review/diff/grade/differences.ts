/** What differs between two values, leaf by leaf, as a person would say it. */
import { isDeepStrictEqual } from "node:util";
import { joined, list, type Sentence, say, shown } from "../../core/sentence.ts";
import type { Scale, Times, Verdict } from "./scales.ts";

export interface Difference {
  /** `manifold`: it lets through ten times as much, or bounds nothing any more. */
  readonly verdict: Verdict | "manifold";
  readonly says: Sentence;
}

/** @param scales of the uppermost keys; a key with none of them is only different */
export const differences = (
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
  scales: Readonly<Record<string, Scale>> = {},
): Difference[] =>
  keysOf(before, after)
    .filter((key) => !isDeepStrictEqual(before[key], after[key]))
    .map((key) => {
      const scale = scales[key];
      const verdict = scale?.(before[key], after[key]) ?? "other";
      const times = verdict === "stronger" ? undefined : scale?.times?.(before[key], after[key]);
      return {
        verdict: times && times.factor >= manifold ? "manifold" : verdict,
        says: [...joined(leaves([key], before[key], after[key]), ", "), ...timesSays(times)],
      };
    });

/** From this factor on, a limit that is raised protects from something else than before. */
export const manifold = 10;

/** `, 100 times as many`; what is not even twice as much is read off the values. */
const timesSays = (times: Times | undefined): Sentence => {
  if (!times || times.factor < 2) return [];
  const { factor, as, alike } = times;
  if (factor === Infinity) return [", so nothing bounds it"];
  const often = factor < manifold ? Math.floor(factor * 10) / 10 : Math.round(factor);
  const both = alike ? say` (${alike[0]} before, ${alike[1]} now)` : [];
  return [`, ${often === 2 ? "twice" : `${often} times`} ${as}`, ...both];
};

const keysOf = (a: object, b: object): string[] => [...new Set([...Object.keys(a), ...Object.keys(b)])];

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);

/** Lists whose items mean something by their place. */
const inSequence: ReadonlySet<string> = new Set(["steps"]);

/** More of them are counted. */
const mostLeaves = 6;

const leaves = (path: readonly string[], before: unknown, after: unknown): Sentence[] => {
  const all = deep(path, before, after);
  if (all.length <= mostLeaves) return all;
  const { length } = all.slice(mostLeaves);
  return [...all.slice(0, mostLeaves), [`and ${length} more of `, ...say`${path.join(".")}`]];
};

const deep = (path: readonly string[], before: unknown, after: unknown): Sentence[] => {
  if (isDeepStrictEqual(before, after)) return [];
  const name = path.join(".");
  if (isMap(before) && isMap(after))
    return keysOf(before, after).flatMap((key) => deep([...path, key], before[key], after[key]));
  if (isList(before) && isList(after) && !inSequence.has(name))
    return [items(name, before.map(shown), after.map(shown))];
  if (before === undefined) return [say`${name} is ${shown(named(path, after))}, and was not set`];
  if (after === undefined) return [say`${name} is not set any more, and was ${shown(named(path, before))}`];
  return [say`${name} from ${shown(named(path, before))} to ${shown(named(path, after))}`];
};

/** So that a value is hidden by the name that it stands under. */
const named = (path: readonly string[], value: unknown): unknown => {
  const key = path.at(-1) ?? "";
  return isMap(value) || isList(value) ? value : hiddenAt(key, value);
};

const hiddenAt = (key: string, value: unknown): unknown =>
  typeof value === "string" && shown({ [key]: value }).endsWith("••• }") ? "•••" : value;

const items = (name: string, before: readonly string[], after: readonly string[]): Sentence => {
  const added = after.filter((it) => !before.includes(it));
  const removed = before.filter((it) => !after.includes(it));
  if (added.length === 0 && removed.length === 0) return say`${name} in the order ${after.join(", ")}`;
  if (added.length > 0 && removed.length > 0)
    return [...say`${name} has `, ...list(added), " in place of ", ...list(removed)];
  return added.length > 0
    ? [...say`${name} has `, ...list(added), " too"]
    : [...say`${name} has `, ...list(removed), " no more"];
};
