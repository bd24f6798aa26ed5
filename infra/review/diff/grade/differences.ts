/** Describes the differences between two values, leaf by leaf. */
import { isDeepStrictEqual } from "node:util";
import { formatValue, joinSentences, quotedList, type Sentence, sentence } from "../../core/sentence.ts";
import type { Factor, Scale, ScaleResult } from "./scales.ts";

export interface ValueDifference {
  /** `multiplied`: weaker by a factor of ten or more, or unlimited. */
  readonly verdict: ScaleResult | "multiplied";
  readonly message: Sentence;
}

/** @param scales of the top-level keys; a key without a scale is only "other" */
export const listDifferences = (
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
  scales: Readonly<Record<string, Scale>> = {},
): ValueDifference[] =>
  unionKeys(before, after)
    .filter((key) => !isDeepStrictEqual(before[key], after[key]))
    .map((key) => {
      const scale = scales[key];
      const verdict = scale?.(before[key], after[key]) ?? "other";
      const multiple = verdict === "stronger" ? undefined : scale?.factor?.(before[key], after[key]);
      return {
        verdict: multiple && multiple.factor >= multipliedFrom ? "multiplied" : verdict,
        message: [...joinSentences(describeLeaves([key], before[key], after[key]), ", "), ...describeFactor(multiple)],
      };
    });

/** The factor from which a raised limit counts as multiplied. */
export const multipliedFrom = 10;

/** `, 100 times as many`; omitted below a factor of two. */
const describeFactor = (multiple: Factor | undefined): Sentence => {
  if (!multiple || multiple.factor < 2) return [];
  const { factor, as, inSameUnit } = multiple;
  if (factor === Infinity) return [", so it is unlimited"];
  const factorText = factor < multipliedFrom ? Math.floor(factor * 10) / 10 : Math.round(factor);
  const unitNote = inSameUnit ? sentence` (${inSameUnit[0]} before, ${inSameUnit[1]} now)` : [];
  return [`, ${factorText === 2 ? "twice" : `${factorText} times`} ${as}`, ...unitNote];
};

const unionKeys = (a: object, b: object): string[] => [...new Set([...Object.keys(a), ...Object.keys(b)])];

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);

/** Lists whose order is significant. */
const orderedKeys: ReadonlySet<string> = new Set(["steps"]);

/** More of them are counted. */
const maxLeaves = 6;

const describeLeaves = (path: readonly string[], before: unknown, after: unknown): Sentence[] => {
  const all = compareDeep(path, before, after);
  if (all.length <= maxLeaves) return all;
  const { length } = all.slice(maxLeaves);
  return [...all.slice(0, maxLeaves), [`and ${length} more of `, ...sentence`${path.join(".")}`]];
};

const compareDeep = (path: readonly string[], before: unknown, after: unknown): Sentence[] => {
  if (isDeepStrictEqual(before, after)) return [];
  const name = path.join(".");
  if (isMap(before) && isMap(after))
    return unionKeys(before, after).flatMap((key) => compareDeep([...path, key], before[key], after[key]));
  if (isList(before) && isList(after) && !orderedKeys.has(name))
    return [describeItems(name, before.map(formatValue), after.map(formatValue))];
  if (before === undefined) return [sentence`${name} is set to ${formatValue(maskByKey(path, after))}`];
  if (after === undefined) return [sentence`${name} is no longer set; it was ${formatValue(maskByKey(path, before))}`];
  return [sentence`${name} from ${formatValue(maskByKey(path, before))} to ${formatValue(maskByKey(path, after))}`];
};

/** Masks a value if its key names a secret. */
const maskByKey = (path: readonly string[], value: unknown): unknown => {
  const key = path.at(-1) ?? "";
  return isMap(value) || isList(value) ? value : maskValue(key, value);
};

const maskValue = (key: string, value: unknown): unknown =>
  typeof value === "string" && formatValue({ [key]: value }).endsWith("••• }") ? "•••" : value;

const describeItems = (name: string, before: readonly string[], after: readonly string[]): Sentence => {
  const added = after.filter((it) => !before.includes(it));
  const removed = before.filter((it) => !after.includes(it));
  if (added.length === 0 && removed.length === 0) return sentence`${name} in the order ${after.join(", ")}`;
  if (added.length > 0 && removed.length > 0)
    return [...sentence`${name} has `, ...quotedList(added), " instead of ", ...quotedList(removed)];
  return added.length > 0
    ? [...sentence`${name} has `, ...quotedList(added), " too"]
    : [...sentence`${name} has `, ...quotedList(removed), " no longer"];
};
