/** Sentences whose values stay apart from their words, so that each rendering can quote them safely. */
import { stringify } from "yaml";
import { hidden, redacted } from "../../diagnostics/secret-literals.ts";
import { oneLine } from "../../terminal/terminal.ts";

interface Quoted {
  readonly code: string;
}

export type Sentence = readonly (string | Quoted)[];

/** A template whose texts are quoted, so that none from a manifest becomes words or markup. Numbers and sentences within it are taken over. */
export const say = (words: TemplateStringsArray, ...values: readonly (string | number | Sentence)[]): Sentence =>
  words.flatMap((word, index) => {
    const value = values[index];
    const piece = value === undefined ? [] : pieceOf(value);
    return word === "" ? piece : [word, ...piece];
  });

const pieceOf = (value: string | number | Sentence): Sentence => {
  if (typeof value === "number") return [String(value)];
  return typeof value === "string" ? [{ code: brief(value) }] : value;
};

/** Longer values are cut: a comment is read by a person. */
const longest = 120;

const brief = (text: string): string => {
  const safe = redacted(text);
  return safe.length > longest ? `${safe.slice(0, longest - 1)}…` : safe;
};

/** A value as a manifest has it, on one line; what looks like a secret is hidden. */
export const shown = (value: unknown): string => {
  if (value === undefined) return "nothing";
  const safe = hidden(value);
  if (typeof safe === "string") return safe;
  return stringify(safe, { collectionStyle: "flow", lineWidth: 0, flowCollectionPadding: true })
    .trimEnd()
    .replaceAll(/\s*\n\s*/g, " ");
};

/** Quoted values with commas, and `and` before the last; of many, the first. */
export const list = (values: readonly string[], most = 12): Sentence => {
  const some = values.slice(0, most);
  const rest = values.length - some.length;
  return some.flatMap((value, index): Sentence => {
    const last = rest === 0 && index === some.length - 1;
    const glue = index === 0 ? [] : [last ? " and " : ", "];
    const more = rest > 0 && index === some.length - 1 ? [` and ${rest} more`] : [];
    return [...glue, { code: brief(value) }, ...more];
  });
};

/** Sentences with something between them. */
export const joined = (all: readonly Sentence[], between = "; "): Sentence =>
  all.flatMap((it, index) => (index === 0 ? it : [between, ...it]));

/** For terminals and machines. */
export const plain = (sentence: Sentence): string =>
  sentence.map((it) => (typeof it === "string" ? it : oneLine(it.code))).join("");

/** For GitHub's Markdown, also within a table: values are code, so that they mention nobody and draw nothing. */
export const marked = (sentence: Sentence): string =>
  sentence.map((it) => (typeof it === "string" ? it : codeSpan(it.code))).join("");

/**
 * Source: GitHub Flavored Markdown, section 6.3 "Code spans" (a longer fence than any run of backticks inside) and 4.10
 * "Tables (extension)" (a pipe is escaped in code too).
 */
export const codeSpan = (text: string): string => {
  const line = oneLine(text.replaceAll(/\s*[\r\n]+\s*/g, " ")).replaceAll("|", "\\|");
  const longestRun = Math.max(0, ...[...line.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longestRun + 1);
  const pad = line === "" || line.startsWith("`") || line.endsWith("`") ? " " : "";
  return `${fence}${pad}${line}${pad}${fence}`;
};
