/** Reads a YAML file so that every value can be found again in its text. */
import { type Document, type Node, parseDocument } from "yaml";
import { FileRefused, readWithin, reasons } from "../project/files.ts";
import type { ProblemCode } from "./codes.ts";
import { locator, type Path } from "./locate.ts";
import { maskOf } from "./mask.ts";
import { placesIn } from "./places.ts";
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
  /** A line, from 1, as it may be shown: with what looks like a secret hidden. */
  readonly line: (number: number) => string;
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

/** A file's bytes, its size where it is larger than a manifest may be, or why it cannot be read. */
export type Bytes = Buffer | number | string;

/** A file that is there and cannot be read. */
const unreadable = (file: string, why: string): Source =>
  unread(file, "unreadable", why, "put a file there, or take it away");

/** @returns undefined for bytes that are no UTF-8, and for text with characters that no text has */
const decoded = (bytes: Uint8Array): string | undefined => {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return text.includes("\0") ? undefined : text;
  } catch {
    return undefined;
  }
};

/** Of a file of the project. */
export const bytesOf = (root: string, file: string): Bytes => {
  try {
    return readWithin(root, file, largest);
  } catch (error) {
    if (!(error instanceof FileRefused)) throw error;
    return error.reason === "large" && error.size !== undefined ? error.size : reasons[error.reason];
  }
};

export const sourceOf = (file: string, bytes: Bytes): Source =>
  typeof bytes === "string"
    ? unreadable(file, bytes)
    : typeof bytes === "number"
      ? tooLarge(file, bytes)
      : read(file, bytes);

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
    line: () => "",
  };
};

const readText = (file: string, text: string): Source => {
  const { faults, contents, document } = parsed(text);
  const mask = maskOf(text, contents);
  const { place, line } = placesIn(file, text, mask);
  const said = ({ message, remedy }: Pick<Fault, "message" | "remedy">) => ({
    message: mask.sentence(message),
    ...(remedy && { remedy: mask.sentence(remedy) }),
  });
  const told = ({ range: [start, end], code, first, ...words }: Fault): Problem => ({
    ...place(start, end),
    code,
    ...said(words),
    ...(first && { related: [{ ...place(...first), message: "it stands here first" }] }),
  });
  const { value, fault } = document && faults.length === 0 ? plain(document) : {};
  const problems = [...faults, ...(fault ? [fault] : [])].map(told);
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
      ...said({ message: brief(message), remedy }),
      ...(related?.length && { related }),
    }),
    related: (at, message, key) => ({ ...place(...rangeOf(at, key)), message: mask.sentence(message) }),
    written: (at) => {
      const [start, end] = rangeOf(at);
      return text.slice(start, end);
    },
    line,
  };
};

const brief = (message: string): string =>
  message.length > longestMessage ? `${message.slice(0, longestMessage)}…` : message;

/** Why a text is no manifest. */
interface Fault {
  readonly range: readonly [start: number, end: number];
  readonly code: ProblemCode;
  readonly message: string;
  readonly remedy?: string | undefined;
  /** Of what stands there a second time. */
  readonly first?: readonly [start: number, end: number];
}

interface Parsed {
  readonly faults: readonly Fault[];
  /** As far as it could be read. */
  readonly contents: Node | null;
  /** Undefined where its syntax is broken. */
  readonly document?: Document<Node>;
}

const parsed = (text: string): Parsed => {
  const tooDeep = flowDepth(text, deepest);
  if (tooDeep !== undefined) {
    const message = `values are nested more than ${deepest} deep`;
    return { faults: [{ range: [tooDeep, tooDeep + 1], code: "too-large", message }], contents: null };
  }
  const document = parseDocument(text, {
    version: "1.2",
    strict: true,
    prettyErrors: false,
    // A second key is told with the place of the first.
    uniqueKeys: false,
    // Odd keys are problems of the schema, not warnings of this process.
    logLevel: "error",
  });
  const contents = document.contents as Node | null;
  const broken = said([...document.errors, ...document.warnings]);
  if (broken.length > 0) return { faults: broken.map((it) => ({ ...it, code: "bad-yaml" })), contents };
  const faults = misfits(contents, deepest).map(({ node, first, ...it }): Fault => {
    const [start = 0, end = 1] = node.range ?? [];
    const [before, after = 1] = first?.range ?? [];
    return { ...it, range: [start, end], ...(before !== undefined && { first: [before, after] as const }) };
  });
  return { faults, contents, document: document as Document<Node> };
};

/** As plain values, or why not: aliases can multiply beyond all bounds. */
const plain = (document: Document<Node>): { readonly value?: unknown; readonly fault?: Fault } => {
  try {
    return { value: document.toJS({ maxAliasCount: 100 }) };
  } catch {
    const message = "aliases repeat more than a manifest may hold";
    const remedy = "write the values out; a manifest has no templates";
    return { fault: { range: [0, 1], code: "bad-yaml", message, remedy } };
  }
};
