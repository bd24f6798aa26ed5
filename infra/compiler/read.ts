/** Reads a YAML file so that every value can be found again in its text. */
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import type { Problem, ProblemCode } from "./problem.ts";

export type Path = readonly PropertyKey[];

export interface Source {
  readonly file: string;
  /** The file as plain values; undefined where it could not be read. */
  readonly value: unknown;
  readonly problems: readonly Problem[];
  /** A problem at the value of a path, or at a key beneath it. */
  readonly problem: (at: Path, code: ProblemCode, message: string, options?: ProblemOptions) => Problem;
  /** The text at a path as it is written. */
  readonly text: (at: Path) => string;
}

export interface ProblemOptions {
  readonly remedy?: string | undefined;
  /** Mark this key of the map, not the map. */
  readonly key?: string;
}

const largest = 1024 * 1024;

export const read = (file: string, text: string): Source => {
  const lines = new LineCounter();
  const source = text.split(/\r?\n/);
  const place = (offset: number, end: number, code: ProblemCode, message: string, remedy?: string): Problem => {
    const { line, col } = lines.linePos(Math.min(offset, text.length));
    const here = source[line - 1] ?? "";
    const length = Math.max(1, Math.min(end - offset, here.length - col + 1));
    return { file, line, column: col, length, code, message, source: here, ...(remedy && { remedy }) };
  };
  if (text.length > largest) {
    const remedy = `${text.length} characters; a manifest has ${largest} at most`;
    const tooLarge: Problem = { file, line: 1, column: 1, length: 1, code: "too-large", message: remedy, source: "" };
    return { file, value: undefined, problems: [tooLarge], problem: () => tooLarge, text: () => "" };
  }
  const document = parseDocument(text, {
    lineCounter: lines,
    version: "1.2",
    strict: true,
    prettyErrors: false,
    // Odd keys are problems of the schema, not warnings of this process.
    logLevel: "error",
  });
  const faults = causes([...document.errors, ...document.warnings]).map(({ pos, message }) =>
    place(pos[0], pos[1], "bad-yaml", message.replace(/\.$/, "")),
  );
  let value: unknown;
  if (faults.length === 0)
    try {
      value = document.toJS({ maxAliasCount: 100 });
      // An alias of what it stands in would make a circle.
      JSON.stringify(value);
    } catch (error) {
      value = undefined;
      const circle = error instanceof TypeError;
      faults.push(
        place(0, 1, "bad-yaml", circle ? "An alias stands inside what it repeats" : (error as Error).message),
      );
    }
  const rangeOf = (at: Path, key?: string): readonly [number, number] => {
    const [start = 0, end = 1] = locate(document.contents, at, key)?.range ?? [];
    return [start, end];
  };
  return {
    file,
    value,
    problems: faults,
    problem: (at, code, message, { key, remedy } = {}) => place(...rangeOf(at, key), code, message, remedy),
    text: (at) => text.slice(...rangeOf(at)),
  };
};

/** Where the parser has lost its way, each token that follows is an error to it; only what led it astray helps a reader. */
const causes = <T extends { readonly message: string }>(errors: readonly T[]): T[] => {
  const first = errors.findIndex(({ message }) => message.includes("token in YAML stream"));
  return first < 0
    ? [...errors]
    : errors.filter(({ message }, index) => index === first || !message.includes("token in YAML stream"));
};

/** The node that a path leads to, or the deepest on its way. A missing value is shown at the key of its map. */
const locate = (root: Node | null, path: Path, key?: string): Node | null => {
  let node: Node | null = root;
  let shown: Node | null = root;
  for (const step of key === undefined ? path : [...path, key]) {
    const last: boolean = key !== undefined && step === key;
    if (isMap(node)) {
      const pair = node.items.find((it) => isScalar(it.key) && String(it.key.value) === String(step));
      if (!pair) return shown;
      node = pair.value as Node | null;
      shown = last || !isScalar(node) ? (pair.key as Node) : node;
    } else if (isSeq(node)) {
      node = (node.items[Number(step)] ?? null) as Node | null;
      shown = isMap(node) ? ((node.items[0]?.key ?? node) as Node) : (node ?? shown);
    } else return shown;
  }
  return shown;
};
