/** Finds a text that two patterns, or two path segments, both match. */

import { capturesOf, type PathSegment } from "../../functions/gateway/routing/match.ts";
import { segmentSplitter } from "../../functions/gateway/routing/mixed-segment.ts";

/** Characters of a path segment in canonical form (RFC 3986, `pchar` without `;`). */
const segmentAlphabet = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-._~!$&'()*+,=:@%";

/** One position of a pattern: the allowed characters, whether it is optional, whether it repeats. */
interface PatternStep {
  /** One bit for each of the alphabet. */
  readonly characters: bigint;
  readonly skips: boolean;
  readonly repeats: boolean;
}

const atoms = /(\[\^?(?:\\.|[^\]\\])+\]|\\.|.)(?:([?+*])|\{(\d+)(?:,(\d+))?\})?/gu;

const stepsOf = (pattern: string): PatternStep[] =>
  [...pattern.matchAll(atoms)].flatMap(([, atom = "", sign, least, most]) => {
    const one = new RegExp(`^(?:${atom})$`);
    const characters = [...segmentAlphabet].reduce(
      (bits, it, at) => (one.test(it) ? bits | (1n << BigInt(at)) : bits),
      0n,
    );
    const step = (skips: boolean, repeats: boolean): PatternStep => ({ characters, skips, repeats });
    if (sign === "?") return [step(true, false)];
    if (sign === "*") return [step(true, true)];
    if (sign === "+") return [step(false, false), step(true, true)];
    const min = least === undefined ? 1 : Number(least);
    const max = most === undefined ? min : Number(most);
    return Array.from({ length: max }, (_, index) => step(index >= min, false));
  });

const firstCharacter = (bits: bigint): string | undefined => {
  if (bits === 0n) return undefined;
  let at = 0;
  while (((bits >> BigInt(at)) & 1n) === 0n) at++;
  return segmentAlphabet[at];
};

/**
 * The shortest path segment that both patterns match, or undefined. Breadth-first search over pairs
 * of positions, of which there are at most the product of the patterns' lengths.
 */
export const commonMatch = (a: string, b: string): string | undefined => {
  const [left, right] = [stepsOf(a), stepsOf(b)];
  const seen = new Set<number>();
  const width = right.length + 1;
  const key = (i: number, j: number): number => i * width + j;
  let level: { readonly i: number; readonly j: number; readonly text: string }[] = [{ i: 0, j: 0, text: "" }];
  while (level.length > 0) {
    const next: typeof level = [];
    // The list grows while it is iterated: skipping an optional position takes no character.
    for (const { i, j, text } of level) {
      if (seen.has(key(i, j))) continue;
      seen.add(key(i, j));
      if (i === left.length && j === right.length && text !== "") return text;
      const [x, y] = [left[i], right[j]];
      if (x?.skips) level.push({ i: i + 1, j, text });
      if (y?.skips) level.push({ i, j: j + 1, text });
      if (!x || !y) continue;
      const common = firstCharacter(x.characters & y.characters);
      if (common === undefined) continue;
      for (const ii of x.repeats ? [i, i + 1] : [i + 1])
        for (const jj of y.repeats ? [j, j + 1] : [j + 1]) next.push({ i: ii, j: jj, text: text + common });
    }
    level = next;
  }
  return undefined;
};

const anySegment = "[^/]+";

/** Whether any path segment matches the pattern. */
export const canMatch = (pattern: string): boolean => commonMatch(pattern, anySegment) !== undefined;

const anchored = (pattern: string): RegExp => new RegExp(`^(?:${pattern})$`);

/** Whether a segment of a route's match matches this segment of a path. */
export const segmentMatches = (it: PathSegment, text: string): boolean => {
  if (it.kind === "literal") return it.text === text;
  if (it.kind === "rest") return true;
  if (it.kind === "mixed") return segmentSplitter(it.template, anchored)(text) !== undefined;
  return text !== "" && (it.pattern === undefined || anchored(it.pattern).test(text));
};

/** A text that both segments match, or undefined. */
export const commonText = (a: PathSegment, b: PathSegment): string | undefined => {
  if (a.kind === "literal") return segmentMatches(b, a.text) ? a.text : undefined;
  if (b.kind === "literal") return commonText(b, a);
  if ([a, b].every((it) => it.kind !== "mixed" && capturesOf([it])[0]?.pattern === undefined)) return "example";
  const text = commonMatch(patternFor(a), patternFor(b));
  // The pattern of a mixed segment can be wider than the segment, so the result is verified.
  return text !== undefined && segmentMatches(a, text) && segmentMatches(b, text) ? text : undefined;
};

/** A pattern that matches everything that a segment matches. */
const patternFor = (it: PathSegment): string => {
  if (it.kind === "literal") return escapePattern(it.text);
  if (it.kind !== "mixed") return capturesOf([it])[0]?.pattern ?? anySegment;
  const { texts, patterns } = it.template;
  return texts
    .map((text, index) => escapePattern(text) + (index < patterns.length ? patterns[index] || anySegment : ""))
    .join("");
};

const escapePattern = (text: string): string => text.replaceAll(/[^A-Za-z0-9]/g, "\\$&");
