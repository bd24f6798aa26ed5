/** Converts text offsets of a file to lines and columns, and returns its lines with secrets masked. */
import type { SecretMask } from "./mask.ts";
import type { SourceLocation } from "./problem.ts";

export interface TextIndex {
  /** @param start in UTF-16 units */
  readonly locate: (start: number, end: number) => SourceLocation;
  /** From 1; empty beyond the end. */
  readonly line: (lineNumber: number) => string;
}

/** Lines end with LF or CRLF, as in YAML. */
export const indexText = (file: string, text: string, mask: SecretMask): TextIndex => {
  const starts = lineStarts(text);
  const endOf = (lineNumber: number): number => {
    const end = (starts[lineNumber] ?? text.length + 1) - 1;
    return text[end - 1] === "\r" ? end - 1 : end;
  };
  const line = (lineNumber: number): string => {
    const start = starts[lineNumber - 1];
    return start === undefined ? "" : mask.excerpt(start, endOf(lineNumber));
  };
  return {
    line,
    locate: (start, end) => {
      const lineNumber = lineAt(starts, start);
      const source = line(lineNumber);
      const column = Math.min(start - (starts[lineNumber - 1] ?? 0), source.length) + 1;
      return {
        file,
        line: lineNumber,
        column,
        length: Math.max(1, Math.min(end - start, source.length - column + 1)),
        source,
      };
    },
  };
};

const lineStarts = (text: string): number[] => {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
};

/** The line number of an offset. */
const lineAt = (starts: readonly number[], at: number): number => {
  let [low, high] = [1, starts.length];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle - 1] ?? 0) <= at) low = middle;
    else high = middle - 1;
  }
  return low;
};
