/** The patterns of a manifest: regular expressions of the kind that takes linear time. */

/** One part of a pattern, and how often it may stand there. */
export const atom = /(?:\[\^?(?:\\[\w\-\].]|[^\]\\[])+\]|\\[dw.-]|[A-Za-z0-9_~-])(\?|\+|\*|\{\d{1,2}(,\d{1,2})?\})?/y;

/** Of a pattern, each repetition counted. */
const maxLength = 128;

/**
 * Patterns run on what a client sent, so they can only be of a kind that takes linear time: atoms in a row, of which two
 * vary in length and one of these without end.
 * @returns a sentence for the manifest's author, or undefined where there is nothing to complain about
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
