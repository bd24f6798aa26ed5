/** Assertions of the law suite. They throw a sentence that says what is wrong. */

/** @throws if it does not hold */
export const holds = (condition: boolean, message: string): void => {
  if (!condition) throw new Error(message);
};

/** @throws if they differ; a member that is undefined counts as none */
export const equal = (actual: unknown, expected: unknown, what: string): void =>
  holds(isEqual(actual, expected), `${what}: ${shown(actual)}, and not ${shown(expected)}`);

/** @throws if it contains the text */
export const omits = (value: unknown, text: string, message: string): void =>
  holds(!JSON.stringify(value).includes(text), message);

const isEqual = (a: unknown, b: unknown): boolean => {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [left, right] = [a as Readonly<Record<string, unknown>>, b as Readonly<Record<string, unknown>>];
  return [...new Set([...Object.keys(left), ...Object.keys(right)])].every((key) => isEqual(left[key], right[key]));
};

const maxShown = 300;

const shown = (value: unknown): string => {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > maxShown ? `${text.slice(0, maxShown)}…` : text;
};
