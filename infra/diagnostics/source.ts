/** Parses a YAML file and keeps the location of every value. */
import { type Document, type Node, parseDocument } from "yaml";
import { FileError, readWithin, reasons } from "../project/files.ts";
import type { ProblemCode } from "./codes.ts";
import { locator, type Path } from "./locate.ts";
import { createMask } from "./mask.ts";
import { indexText } from "./places.ts";
import type { Problem, RelatedLocation, SourceLocation } from "./problem.ts";
import { describeYamlErrors, findUnsupported, flowDepth, indentDepth } from "./yaml.ts";

export interface Source {
  readonly file: string;
  /** The file's text; empty if it is not UTF-8. */
  readonly text: string;
  /** The parsed value; undefined if the file could not be read. */
  readonly value: unknown;
  readonly problems: readonly Problem[];
  /** A problem at the value of a path, or at a key beneath it. */
  readonly problem: (at: Path, code: ProblemCode, message: string, options?: ProblemOptions) => Problem;
  /** The location of a path, for a problem elsewhere. */
  readonly related: (at: Path, message: string, key?: string) => RelatedLocation;
  /** The raw text at a path; empty if there is none. */
  readonly textAt: (at: Path) => string;
  /** A line, from 1, with secrets masked. */
  readonly line: (number: number) => string;
}

export interface ProblemOptions {
  readonly remedy?: string | undefined;
  /** Mark this key of the map, not the map. */
  readonly key?: string | undefined;
  readonly related?: readonly RelatedLocation[] | undefined;
}

/** In bytes; four times a manifest with a thousand routes. */
export const maxBytes = 1024 * 1024;
const maxDepth = 64;
/** Far more than `maxDepth`, since lines of a block scalar are indented as they like. */
const maxIndents = 256;
/** Bounds messages, which may quote the file. */
const maxMessageLength = 300;

/** @param bytes content of the file; a file above the size limit is not parsed */
export const parseSource = (file: string, bytes: Uint8Array | string): Source => {
  const size = typeof bytes === "string" ? Buffer.byteLength(bytes) : bytes.length;
  if (size > maxBytes) return oversizedSource(file, size);
  const text = typeof bytes === "string" ? bytes : decodeUtf8(bytes);
  if (text === undefined)
    return failedSource(file, "bad-encoding", "the file is not text in UTF-8", "save it in this encoding");
  return parseText(file, text.replace(/^\ufeff/, ""));
};

/** The source of a file above the size limit. @param size in bytes */
export const oversizedSource = (file: string, size: number): Source =>
  failedSource(file, "too-large", `the file has ${size} bytes`, `a manifest has ${maxBytes} at most`);

/** The content of a file; its size if it is too large; or the reason why it cannot be read. */
export type FileContent = Buffer | number | string;

/** The source of an unreadable file. */
const unreadableSource = (file: string, why: string): Source =>
  failedSource(file, "unreadable", why, "put a regular file there, or delete it");

/** @returns undefined if the bytes are not UTF-8, or contain NUL */
const decodeUtf8 = (bytes: Uint8Array): string | undefined => {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return text.includes("\0") ? undefined : text;
  } catch {
    return undefined;
  }
};

/** Of a file of the project. */
export const readProjectFile = (root: string, file: string): FileContent => {
  try {
    return readWithin(root, file, maxBytes);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    return error.reason === "large" && error.size !== undefined ? error.size : reasons[error.reason];
  }
};

export const sourceOf = (file: string, bytes: FileContent): Source =>
  typeof bytes === "string"
    ? unreadableSource(file, bytes)
    : typeof bytes === "number"
      ? oversizedSource(file, bytes)
      : parseSource(file, bytes);

const failedSource = (file: string, code: ProblemCode, message: string, remedy: string): Source => {
  const place: SourceLocation = { file, line: 1, column: 1, length: 1, source: "" };
  const problem: Problem = { ...place, code, message, remedy };
  return {
    file,
    text: "",
    value: undefined,
    problems: [problem],
    problem: () => problem,
    related: (_, maskText) => ({ ...place, message: maskText }),
    textAt: () => "",
    line: () => "",
  };
};

const parseText = (file: string, text: string): Source => {
  const { syntaxProblems, contents, document } = parseYaml(text);
  const mask = createMask(text, contents);
  const { locate: place, line } = indexText(file, text, mask);
  const maskText = ({ message, remedy }: Pick<SyntaxProblem, "message" | "remedy">) => ({
    message: mask.sentence(message),
    ...(remedy && { remedy: mask.sentence(remedy) }),
  });
  const toProblem = ({ range: [start, end], code, first, ...words }: SyntaxProblem): Problem => ({
    ...place(start, end),
    code,
    ...maskText(words),
    ...(first && { related: [{ ...place(...first), message: "the first one is here" }] }),
  });
  const { value, problem } = document && syntaxProblems.length === 0 ? toPlainValue(document) : {};
  const problems = [...syntaxProblems, ...(problem ? [problem] : [])].map(toProblem);
  const locate = locator(document?.contents ?? null);
  const rangeOf = (at: Path, key?: string): readonly [number, number] => {
    const [start = 0, end = 1] = locate(at, key)?.range ?? [];
    return [start, end];
  };
  return {
    file,
    text,
    value,
    problems,
    problem: (at, code, message, { key, remedy, related } = {}) => ({
      ...place(...rangeOf(at, key)),
      code,
      ...maskText({ message: truncate(message), remedy }),
      ...(related?.length && { related }),
    }),
    related: (at, message, key) => ({ ...place(...rangeOf(at, key)), message: mask.sentence(message) }),
    textAt: (at) => {
      const [start, end] = rangeOf(at);
      return text.slice(start, end);
    },
    line,
  };
};

const truncate = (message: string): string =>
  message.length > maxMessageLength ? `${message.slice(0, maxMessageLength)}…` : message;

/** A syntax problem. */
interface SyntaxProblem {
  readonly range: readonly [start: number, end: number];
  readonly code: ProblemCode;
  readonly message: string;
  readonly remedy?: string | undefined;
  /** Range of the first occurrence, for a duplicate. */
  readonly first?: readonly [start: number, end: number];
}

interface ParsedYaml {
  readonly syntaxProblems: readonly SyntaxProblem[];
  /** The part that could be parsed. */
  readonly contents: Node | null;
  /** Undefined if the syntax is broken. */
  readonly document?: Document<Node>;
}

const parseYaml = (text: string): ParsedYaml => {
  const tooDeep = flowDepth(text, maxDepth) ?? indentDepth(text, maxIndents);
  if (tooDeep !== undefined) {
    const message = `values are nested more than ${maxDepth} deep`;
    return { syntaxProblems: [{ range: [tooDeep, tooDeep + 1], code: "too-large", message }], contents: null };
  }
  const document = parseDocument(text, {
    version: "1.2",
    strict: true,
    prettyErrors: false,
    // Duplicate keys are reported by `misfits`, with the location of the first.
    uniqueKeys: false,
    // Suppresses warnings of the YAML library on stderr.
    logLevel: "error",
  });
  const contents = document.contents as Node | null;
  const syntaxErrors = describeYamlErrors([...document.errors, ...document.warnings]);
  if (syntaxErrors.length > 0)
    return { syntaxProblems: syntaxErrors.map((it) => ({ ...it, code: "bad-yaml" })), contents };
  const syntaxProblems = findUnsupported(contents, maxDepth).map(({ node, first, ...it }): SyntaxProblem => {
    const [start = 0, end = 1] = node.range ?? [];
    const [before, after = 1] = first?.range ?? [];
    return { ...it, range: [start, end], ...(before !== undefined && { first: [before, after] as const }) };
  });
  return { syntaxProblems, contents, document: document as Document<Node> };
};

/** Converts the document to plain values; fails if aliases expand too much. */
const toPlainValue = (document: Document<Node>): { readonly value?: unknown; readonly problem?: SyntaxProblem } => {
  try {
    return { value: document.toJS({ maxAliasCount: 100 }) };
  } catch {
    const message = "aliases expand to more than a manifest may hold";
    const remedy = "write the values out; a manifest has no templates";
    return { problem: { range: [0, 1], code: "bad-yaml", message, remedy } };
  }
};
