/** Finds values that look like secrets in a parsed file, for the audit and for diffs. */
import type { Path } from "../../diagnostics/locate.ts";
import { detectSecret } from "../../diagnostics/secret-literals.ts";

export interface WrittenSecret {
  readonly path: Path;
  /** The secret itself, for comparison only; never shown. */
  readonly text: string;
  /** `a credential of a header` */
  readonly what: string;
}

/** @param value of a whole file, as its YAML says */
export const writtenSecrets = (value: unknown): WrittenSecret[] =>
  collectTexts(value).flatMap(({ path, text, key }) => {
    // Sample secrets of the dev loop, which production never uses.
    if (path[0] === "dev") return [];
    const what = detectSecret(text, key);
    return what === undefined ? [] : [{ path, text, what }];
  });

interface LocatedText {
  readonly path: Path;
  readonly text: string;
  /** The key of the value. */
  readonly key: string;
}

const collectTexts = (value: unknown, path: Path = [], key = ""): LocatedText[] => {
  if (typeof value === "string") return [{ path, text: value, key }];
  if (Array.isArray(value)) return value.flatMap((it, index) => collectTexts(it, [...path, index], key));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, it]) => collectTexts(it, [...path, name], name));
};
