/** Values that say their unit: `800ms`, `64KiB`, `10%`. The plan keeps the text; a part turns it into a number when it is linked. */
import * as z from "zod";

const durationPattern = /^(\d{1,9})(ms|s|m|h|d)$/;
const sizePattern = /^(\d{1,9})(B|KiB|MiB|GiB)$/;
const ratePattern = /^([1-9]\d{0,8})\/([1-9]\d{0,5})?(ms|s|m|h|d|day)$/;
const percentPattern = /^(\d{1,3}(?:\.\d{1,4})?)(%)$/;
const changePattern = /^\+(\d{1,3}(?:\.\d{1,4})?)(pp|%)$/;
const msOf = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const bytesOf = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 } as const;

const read = (text: string, pattern: RegExp, units: Readonly<Record<string, number>>): number => {
  const [, digits, unit = ""] = pattern.exec(text) ?? [];
  const each = units[unit];
  if (digits === undefined || each === undefined) throw new TypeError(`not a quantity: ${JSON.stringify(text)}`);
  return Number(digits) * each;
};

/** @throws TypeError on text that the schema would refuse */
export const milliseconds = (text: string): number => read(text, durationPattern, msOf);
/** @throws TypeError on text that the schema would refuse */
export const bytes = (text: string): number => read(text, sizePattern, bytesOf);
/** Milliseconds since the epoch at which a day begins, UTC. @throws TypeError on text that the schema would refuse */
export const dayStart = (text: string): number => {
  if (!isDay(text)) throw new TypeError(`not a date: ${JSON.stringify(text)}`);
  return Date.parse(`${text}T00:00:00Z`);
};
/** Requests and the window in milliseconds: `100/s`, `5000/day`, `20/30s`. @throws TypeError on text that the schema would refuse */
export const perWindow = (text: string): { readonly count: number; readonly windowMs: number } => {
  const [, count, several = "1", unit = ""] = ratePattern.exec(text) ?? [];
  const each = { ...msOf, day: msOf.d }[unit];
  if (count === undefined || each === undefined) throw new TypeError(`not a rate: ${JSON.stringify(text)}`);
  return { count: Number(count), windowMs: Number(several) * each };
};
/** The share in [0, 1]. @throws TypeError on text that the schema would refuse */
export const share = (text: string): number => read(text, percentPattern, { "%": 0.01 });

/** A change as a fraction: `+0.5pp` is 0.005 of all, `+20%` is 0.2 of what it was. @throws TypeError on text that the schema would refuse */
export const more = (text: string): number => read(text, changePattern, { pp: 0.01, "%": 0.01 });

/** setTimeout counts in 31 bits of milliseconds, so a longer wait would fire at once. */
const longest = 2 ** 31 - 1;

/** What is asked of a quantity besides is asked of one only: a text that is none is refused before. @param most a duration itself */
export const duration = (most = "24d") =>
  z
    .string("a duration needs its unit: 800ms, 2s, 5m, 1h")
    .regex(durationPattern, { error: "a duration is a number and ms, s, m, h or d: 800ms, 2s, 5m", abort: true })
    .refine(
      (text) => milliseconds(text) <= Math.min(milliseconds(most), longest),
      `a duration is at most ${most}${most === "24d" ? "" : " here"}`,
    );

export const size = () =>
  z
    .string("a size needs its unit: 512B, 64KiB, 10MiB")
    .regex(sizePattern, { error: "a size is a number and B, KiB, MiB or GiB: 64KiB, 10MiB", abort: true });

export const rate = () =>
  z
    .string("a rate needs its unit: 100/s, 5000/day")
    .regex(ratePattern, { error: "a rate is a number and a window: 100/s, 20/30s, 5000/day", abort: true })
    .refine((text) => perWindow(text).windowMs <= 31 * msOf.d, "a window is 31 days at most");

export const percent = () =>
  z
    .string("a percentage needs its sign: 10%")
    .regex(percentPattern, { error: "a percentage is a number and %: 10%, 0.5%", abort: true })
    .refine((text) => share(text) <= 1, "a percentage is at most 100%");

/** A day of the calendar, as YAML and ISO 8601 write it. */
export const date = () =>
  z
    .string("a date is a text: 2027-06-30")
    .refine(isDay, { error: "a date is year, month and day: 2027-06-30", abort: true });

const isDay = (text: string): boolean => {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const time = Date.parse(`${text}T00:00:00Z`);
  // 30 February would be a day in March.
  return Number.isFinite(time) && new Date(time).toISOString().startsWith(text);
};

/** How much more is too much: `+0.5pp` of all requests, or `+20%` of what it was. */
export const change = (unit: "pp" | "%") =>
  z
    .string(`a change needs its sign and unit: ${unit === "pp" ? "+0.5pp" : "+20%"}`)
    .regex(
      new RegExp(`^\\+\\d{1,3}(?:\\.\\d{1,4})?${unit}$`),
      unit === "pp" ? "a change in percentage points: +0.5pp" : "a change in per cent: +20%",
    );
