/** Quantities with units: `800ms`, `64KiB`, `10%`. The plan holds the text. Parts parse it when they are linked. */

export const durationPattern = /^(\d{1,9})(ms|s|m|h|d)$/;
export const sizePattern = /^(\d{1,9})(B|KiB|MiB|GiB)$/;
export const ratePattern = /^([1-9]\d{0,8})\/([1-9]\d{0,5})?(ms|s|m|h|d|day)$/;
export const percentPattern = /^(\d{1,3}(?:\.\d{1,4})?)(%)$/;
const changePattern = /^\+(\d{1,3}(?:\.\d{1,4})?)(pp|%)$/;
/** Milliseconds by unit. */
export const msOf = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const bytesOf = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 } as const;

const parse = (text: string, pattern: RegExp, units: Readonly<Record<string, number>>): number => {
  const [, digits, unit = ""] = pattern.exec(text) ?? [];
  const each = units[unit];
  if (digits === undefined || each === undefined) throw new TypeError(`not a quantity: ${JSON.stringify(text)}`);
  return Number(digits) * each;
};

/** @throws TypeError on text that the schema refuses */
export const milliseconds = (text: string): number => parse(text, durationPattern, msOf);
/** @throws TypeError on text that the schema refuses */
export const bytes = (text: string): number => parse(text, sizePattern, bytesOf);
/**
 * Milliseconds since the epoch at which a day begins, UTC.
 * @throws TypeError on text that the schema refuses
 */
export const dayStart = (text: string): number => {
  if (!isDay(text)) throw new TypeError(`not a date: ${JSON.stringify(text)}`);
  return Date.parse(`${text}T00:00:00Z`);
};
/**
 * Requests and the window in milliseconds: `100/s`, `5000/day`, `20/30s`.
 * @throws TypeError on text that the schema refuses
 */
export const requestsPerWindow = (text: string): { readonly count: number; readonly windowMs: number } => {
  const [, count, several = "1", unit = ""] = ratePattern.exec(text) ?? [];
  const each = { ...msOf, day: msOf.d }[unit];
  if (count === undefined || each === undefined) throw new TypeError(`not a rate: ${JSON.stringify(text)}`);
  return { count: Number(count), windowMs: Number(several) * each };
};
/**
 * The share in [0, 1].
 * @throws TypeError on text that the schema refuses
 */
export const share = (text: string): number => parse(text, percentPattern, { "%": 0.01 });

/**
 * A change as a fraction: `+0.5pp` is 0.005 of all, `+20%` is 0.2 of what it was.
 * @throws TypeError on text that the schema refuses
 */
export const increase = (text: string): number => parse(text, changePattern, { pp: 0.01, "%": 0.01 });

export const isDay = (text: string): boolean => {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const time = Date.parse(`${text}T00:00:00Z`);
  // The parser would turn 30 February into a day in March.
  return Number.isFinite(time) && new Date(time).toISOString().startsWith(text);
};
