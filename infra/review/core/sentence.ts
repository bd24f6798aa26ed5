/** Sentences with separate values, so that each renderer can quote values safely. */
import { stringify } from "yaml";
import { maskSecrets, redact } from "../../diagnostics/secret-literals.ts";
import { toOneLine } from "../../terminal/terminal.ts";

interface Quoted {
  readonly code: string;
}

export type Sentence = readonly (string | Quoted)[];

/** Template tag: interpolated strings are quoted, so that no text of a manifest becomes markup. Numbers and sentences are inserted as is. */
export const sentence = (words: TemplateStringsArray, ...values: readonly (string | number | Sentence)[]): Sentence =>
  words.flatMap((word, index) => {
    const value = values[index];
    const piece = value === undefined ? [] : toPiece(value);
    return word === "" ? piece : [word, ...piece];
  });

const toPiece = (value: string | number | Sentence): Sentence => {
  if (typeof value === "number") return [String(value)];
  return typeof value === "string" ? [{ code: truncate(value) }] : value;
};

/** Maximum length of a quoted value. */
const maxValueLength = 120;

const truncate = (text: string): string => {
  const masked = redact(text);
  return masked.length > maxValueLength ? `${masked.slice(0, maxValueLength - 1)}…` : masked;
};

/** A value as one-line YAML, with secrets masked. */
export const formatValue = (value: unknown): string => {
  if (value === undefined) return "nothing";
  const masked = maskSecrets(value);
  if (typeof masked === "string") return masked;
  return stringify(masked, { collectionStyle: "flow", lineWidth: 0, flowCollectionPadding: true })
    .trimEnd()
    .replaceAll(/\s*\n\s*/g, " ");
};

/** Quoted values with commas, and `and` before the last; truncated after `maxItems`. */
export const quotedList = (values: readonly string[], maxItems = 12): Sentence => {
  const shownValues = values.slice(0, maxItems);
  const rest = values.length - shownValues.length;
  return shownValues.flatMap((value, index): Sentence => {
    const last = rest === 0 && index === shownValues.length - 1;
    const glue = index === 0 ? [] : [last ? " and " : ", "];
    const more = rest > 0 && index === shownValues.length - 1 ? [` and ${rest} more`] : [];
    return [...glue, { code: truncate(value) }, ...more];
  });
};

/** Joins sentences with a separator. */
export const joinSentences = (all: readonly Sentence[], separator = "; "): Sentence =>
  all.flatMap((it, index) => (index === 0 ? it : [separator, ...it]));

/** The sentence as plain text. */
export const plainText = (sentence: Sentence): string =>
  sentence.map((it) => (typeof it === "string" ? it : toOneLine(it.code))).join("");

/** The sentence as GitHub Markdown. Values are code spans, so that they create no mentions or markup. */
export const markdownText = (sentence: Sentence): string =>
  sentence.map((it) => (typeof it === "string" ? it : codeSpan(it.code))).join("");

/**
 * Source: GitHub Flavored Markdown, section 6.3 "Code spans" (a longer fence than any run of backticks inside) and 4.10
 * "Tables (extension)" (a pipe is escaped in code too).
 */
export const codeSpan = (text: string): string => {
  const line = toOneLine(text.replaceAll(/\s*[\r\n]+\s*/g, " ")).replaceAll("|", "\\|");
  const longestRun = Math.max(0, ...[...line.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longestRun + 1);
  const pad = line === "" || line.startsWith("`") || line.endsWith("`") ? " " : "";
  return `${fence}${pad}${line}${pad}${fence}`;
};
