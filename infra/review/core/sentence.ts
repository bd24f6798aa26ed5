/** Sentences whose values stay apart from their words, so that each rendering can quote them safely. */
import { stringify } from "yaml";
import { maskSecrets, redact } from "../../diagnostics/secret-literals.ts";
import { toOneLine } from "../../terminal/terminal.ts";

interface Quoted {
  readonly code: string;
}

export type Sentence = readonly (string | Quoted)[];

/** A template whose texts are quoted, so that none from a manifest becomes words or markup. Numbers and sentences within it are taken over. */
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

/** Longer values are cut: a comment is read by a person. */
const maxValueLength = 120;

const truncate = (text: string): string => {
  const masked = redact(text);
  return masked.length > maxValueLength ? `${masked.slice(0, maxValueLength - 1)}…` : masked;
};

/** A value as a manifest has it, on one line; what looks like a secret is hidden. */
export const formatValue = (value: unknown): string => {
  if (value === undefined) return "nothing";
  const masked = maskSecrets(value);
  if (typeof masked === "string") return masked;
  return stringify(masked, { collectionStyle: "flow", lineWidth: 0, flowCollectionPadding: true })
    .trimEnd()
    .replaceAll(/\s*\n\s*/g, " ");
};

/** Quoted values with commas, and `and` before the last; of many, the first. */
export const quotedList = (values: readonly string[], maxItems = 12): Sentence => {
  const shown = values.slice(0, maxItems);
  const rest = values.length - shown.length;
  return shown.flatMap((value, index): Sentence => {
    const last = rest === 0 && index === shown.length - 1;
    const glue = index === 0 ? [] : [last ? " and " : ", "];
    const more = rest > 0 && index === shown.length - 1 ? [` and ${rest} more`] : [];
    return [...glue, { code: truncate(value) }, ...more];
  });
};

/** Sentences with something between them. */
export const joinSentences = (all: readonly Sentence[], separator = "; "): Sentence =>
  all.flatMap((it, index) => (index === 0 ? it : [separator, ...it]));

/** For terminals and machines. */
export const plainText = (sentence: Sentence): string =>
  sentence.map((it) => (typeof it === "string" ? it : toOneLine(it.code))).join("");

/** For GitHub's Markdown, also within a table: values are code, so that they mention nobody and draw nothing. */
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
