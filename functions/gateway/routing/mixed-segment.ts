/**
 * Segments that mix text and captures: `{id}:cancel`, `{name}.{format}`, `v{major}.{minor}`. A segment is split in
 * exactly one way, whatever the patterns match, so the time is linear and there is no backtracking:
 * - Each capture takes at least one character.
 * - A capture whose pattern cannot contain the text behind it ends at the first occurrence of that text:
 *   `{id:[0-9]+}-{slug}`.
 * - Every other capture ends at the last occurrence, as with greedy groups of a regular expression: in `a.tar.gz`,
 *   `{name}.{format}` has the name `a.tar`.
 */

/** Plain JSON. */
export interface SegmentTemplate {
  /** The literal texts before, between and behind the captures; the first and last may be empty. */
  readonly texts: readonly string[];
  /** The pattern of each capture; empty for a capture of anything. */
  readonly patterns: readonly string[];
  /** How many captures, from the left, end at the first occurrence of the text behind them. */
  readonly firsts: number;
}

/** Splits a segment into its captures, left to right; undefined when it does not match. */
export type SegmentSplitter = (segment: string) => readonly string[] | undefined;

export const segmentSplitter = (
  { texts, patterns, firsts }: SegmentTemplate,
  compiled: (pattern: string) => RegExp,
): SegmentSplitter => {
  const [head = "", tail = ""] = [texts[0], texts.at(-1)];
  const tests = patterns.map((pattern) => (pattern === "" ? null : compiled(pattern)));
  return (segment) => {
    let start = head.length;
    let end = segment.length - tail.length;
    if (end <= start || !segment.startsWith(head) || !segment.endsWith(tail) || isInsideEncoding(segment, end))
      return undefined;
    const pieces = patterns.map(() => "");
    let left = 0;
    let right = patterns.length - 1;
    for (; left < firsts; left++) {
      const text = texts[left + 1] as string;
      const at = firstPlace(segment, text, start + 1);
      if (at < 0) return undefined;
      pieces[left] = segment.slice(start, at);
      start = at + text.length;
    }
    for (; right > left; right--) {
      const text = texts[right] as string;
      const at = lastPlace(segment, text, end - 1 - text.length);
      if (at <= start) return undefined;
      pieces[right] = segment.slice(at + text.length, end);
      end = at;
    }
    if (end <= start) return undefined;
    pieces[left] = segment.slice(start, end);
    for (const [index, test] of tests.entries()) if (test?.test(pieces[index] as string) === false) return undefined;
    return pieces;
  };
};

/** Whether an index is inside a percent-encoding, where no capture may end. */
const isInsideEncoding = (segment: string, at: number): boolean => segment[at - 1] === "%" || segment[at - 2] === "%";

const firstPlace = (segment: string, text: string, from: number): number => {
  let at = segment.indexOf(text, from);
  while (at >= 0 && isInsideEncoding(segment, at)) at = segment.indexOf(text, at + 1);
  return at;
};

const lastPlace = (segment: string, text: string, until: number): number => {
  if (until < 0) return -1;
  let at = segment.lastIndexOf(text, until);
  while (at > 0 && isInsideEncoding(segment, at)) at = segment.lastIndexOf(text, at - 1);
  return at;
};
