/** Places of a file by what stands there in its text, and its lines as they may be shown. */
import type { Mask } from "./mask.ts";
import type { Place } from "./problem.ts";

export interface Places {
  /** @param start in UTF-16 units */
  readonly place: (start: number, end: number) => Place;
  /** From 1; empty beyond the end. */
  readonly line: (number: number) => string;
}

/** Lines end as in YAML: with LF, or CR and LF. */
export const placesIn = (file: string, text: string, mask: Mask): Places => {
  const starts = lineStarts(text);
  const endOf = (number: number): number => {
    const end = (starts[number] ?? text.length + 1) - 1;
    return text[end - 1] === "\r" ? end - 1 : end;
  };
  const line = (number: number): string => {
    const start = starts[number - 1];
    return start === undefined ? "" : mask.piece(start, endOf(number));
  };
  return {
    line,
    place: (start, end) => {
      const number = lineAt(starts, start);
      const source = line(number);
      const column = Math.min(start - (starts[number - 1] ?? 0), source.length) + 1;
      return {
        file,
        line: number,
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

/** How many lines begin up to there. */
const lineAt = (starts: readonly number[], at: number): number => {
  let [low, high] = [1, starts.length];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle - 1] ?? 0) <= at) low = middle;
    else high = middle - 1;
  }
  return low;
};
