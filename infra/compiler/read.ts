/** Reads a YAML file so that every value can be found again in its text. */
import { type Document, LineCounter, type Node, parseDocument } from "yaml";
import type { ProblemCode } from "./codes.ts";
import { locator, type Path } from "./locate.ts";
import type { Place, Problem, Related } from "./problem.ts";
import { flowDepth, misfits, said } from "./yaml.ts";

export interface Source {
  readonly file: string;
  /** The file as it is; empty where it is no text. */
  readonly text: string;
  /** The file as plain values; undefined where it could not be read. */
  readonly value: unknown;
  readonly problems: readonly Problem[];
  /** A problem at the value of a path, or at a key beneath it. */
  readonly problem: (at: Path, code: ProblemCode, message: string, options?: ProblemOptions) => Problem;
  /** The same place, for a problem elsewhere. */
  readonly related: (at: Path, message: string, key?: string) => Related;
  /** The text at a path as it is written; empty where there is none. */
  readonly written: (at: Path) => string;
}

export interface ProblemOptions {
  readonly remedy?: string | undefined;
  /** Mark this key of the map, not the map. */
  readonly key?: string | undefined;
  readonly related?: readonly Related[] | undefined;
}

/** In bytes. A manifest of a thousand routes has a quarter of it. */
export const largest = 1024 * 1024;
const deepest = 64;
/** A file can quote anything; a sentence stays one. */
const longestMessage = 300;

/** @param bytes of the file; no more of them are looked at than a manifest may have */
export const read = (file: string, bytes: Uint8Array | string): Source => {
  const size = typeof bytes === "string" ? Buffer.byteLength(bytes) : bytes.length;
  if (size > largest) return tooLarge(file, size);
  const text = typeof bytes === "string" ? bytes : decoded(bytes);
  if (text === undefined)
    return unread(file, "bad-encoding", "the file is not text in UTF-8", "save it in this encoding");
  return readText(file, text.replace(/^\ufeff/, ""));
};

/** A file that is too large to be looked at. @param size in bytes */
export const tooLarge = (file: string, size: number): Source =>
  unread(file, "too-large", `the file has ${size} bytes`, `a manifest has ${largest} at most`);

/** @returns undefined for bytes that are no UTF-8, and for text with characters that no text has */
const decoded = (bytes: Uint8Array): string | undefined => {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return text.includes("\0") ? undefined : text;
  } catch {
    return undefined;
  }
};

const unread = (file: string, code: ProblemCode, message: string, remedy: string): Source => {
  const place: Place = { file, line: 1, column: 1, length: 1, source: "" };
  const problem: Problem = { ...place, code, message, remedy };
  return {
    file,
    text: "",
    value: undefined,
    problems: [problem],
    problem: () => problem,
    related: (_, said) => ({ ...place, message: said }),
    written: () => "",
  };
};

const readText = (file: string, text: string): Source => {
  const lines = new LineCounter();
  const source = text.split(/\r\n|[\r\n]/);
  const placeOf = (start: number, end: number): Place => {
    const { line, col } = lines.linePos(Math.min(start, text.length));
    const here = source[line - 1] ?? "";
    const column = Math.min(col, here.length + 1);
    return { file, line, column, length: Math.max(1, Math.min(end - start, here.length - column + 1)), source: here };
  };
  const problems: Problem[] = [];
  const complain = ([start, end]: readonly [number, number], code: ProblemCode, message: string, remedy?: string) =>
    void problems.push({ ...placeOf(start, end), code, message, ...(remedy && { remedy }) });

  const document = parsed(text, lines, complain);
  const locate = locator(document?.contents ?? null);
  const rangeOf = (at: Path, key?: string): readonly [number, number] => {
    const [start = 0, end = 1] = locate(at, key)?.range ?? [];
    return [start, end];
  };
  const related = (at: Path, message: string, key?: string): Related => ({ ...placeOf(...rangeOf(at, key)), message });
  if (document)
    for (const { node, first, code, message, remedy } of misfits(document.contents, deepest)) {
      const [start = 0, end = 1] = node.range ?? [];
      const [before, after = 1] = first?.range ?? [];
      const also = before === undefined ? [] : [{ ...placeOf(before, after), message: "it stands here first" }];
      problems.push({ ...placeOf(start, end), code, message, remedy, ...(also.length > 0 && { related: also }) });
    }
  const value = document && problems.length === 0 ? plain(document, complain) : undefined;
  return {
    file,
    text,
    value,
    problems,
    problem: (at, code, message, { key, remedy, related } = {}) => ({
      ...placeOf(...rangeOf(at, key)),
      code,
      message: message.length > longestMessage ? `${message.slice(0, longestMessage)}…` : message,
      ...(remedy && { remedy }),
      ...(related?.length && { related }),
    }),
    related,
    written: (at) => {
      const [start, end] = rangeOf(at);
      return text.slice(start, end);
    },
  };
};

type Complain = (range: readonly [number, number], code: ProblemCode, message: string, remedy?: string) => void;

/** The document, or undefined where it is none; what is wrong with its syntax has been said then. */
const parsed = (text: string, lineCounter: LineCounter, complain: Complain): Document<Node> | undefined => {
  const tooDeep = flowDepth(text, deepest);
  if (tooDeep !== undefined) {
    // The parser has not counted lines yet.
    lineCounter.addNewLine(0);
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lineCounter.addNewLine(at + 1);
    complain([tooDeep, tooDeep + 1], "too-large", `values are nested more than ${deepest} deep`);
    return undefined;
  }
  const document = parseDocument(text, {
    lineCounter,
    version: "1.2",
    strict: true,
    prettyErrors: false,
    // A second key is told with the place of the first.
    uniqueKeys: false,
    // Odd keys are problems of the schema, not warnings of this process.
    logLevel: "error",
  });
  const faults = said([...document.errors, ...document.warnings]);
  for (const { range, message, remedy } of faults) complain(range, "bad-yaml", message, remedy);
  return faults.length === 0 ? (document as Document<Node>) : undefined;
};

/** As plain values; undefined where aliases multiply beyond all bounds. */
const plain = (document: Document<Node>, complain: Complain): unknown => {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch {
    const message = "aliases repeat more than a manifest may hold";
    complain([0, 1], "bad-yaml", message, "write the values out; a manifest has no templates");
    return undefined;
  }
};
