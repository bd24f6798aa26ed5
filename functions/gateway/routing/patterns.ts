/** Checks patterns of a manifest: regular expressions that match in linear time. */

/** One part of a pattern with its quantifier. */
export const atom = /(?:\[\^?(?:\\[\w\-\].]|[^\]\\[])+\]|\\[dw.-]|[A-Za-z0-9_~-])(\?|\+|\*|\{\d{1,2}(,\d{1,2})?\})?/y;

/** The most characters of a pattern, repetitions counted. */
const maxLength = 128;

/**
 * Patterns run on clients' input, so they must match in linear time: a sequence of parts, at most two of variable
 * length and one of these unbounded.
 * @returns a sentence for the manifest's author; undefined for a valid pattern
 */
export const patternProblem = (pattern: string): string | undefined => {
  let varying = 0;
  let endless = 0;
  let length = 0;
  atom.lastIndex = 0;
  do {
    const [found, quantifier, range] = atom.exec(pattern) ?? [];
    length += Number(/\{(?:\d+,)?(\d+)\}$/.exec(quantifier ?? "")?.[1] ?? 1);
    if (found === undefined)
      return `the pattern "${pattern}" may hold characters, [classes], \\d and \\w, each with ?, +, * or {n,m} up to 99; no groups, no |`;
    if (quantifier === "+" || quantifier === "*") endless++;
    if (quantifier !== undefined && (!quantifier.startsWith("{") || range !== undefined)) varying++;
  } while (atom.lastIndex < pattern.length);
  try {
    new RegExp(pattern);
  } catch {
    return `the pattern "${pattern}" is no regular expression: a range runs backwards`;
  }
  if (length > maxLength) return `the pattern is for texts of more than ${maxLength} characters; write a shorter one`;
  if (endless > 1) return `the pattern "${pattern}" may hold one + or * at most; bound the others: {1,20}`;
  return varying > 2 ? `the pattern "${pattern}" may vary in length at two places at most` : undefined;
};
