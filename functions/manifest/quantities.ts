/** Schemas of quantities with units. */
import * as z from "zod";
import {
  durationPattern,
  isDay,
  milliseconds,
  msOf,
  percentPattern,
  ratePattern,
  requestsPerWindow,
  share,
  sizePattern,
} from "../gateway/core/quantities.ts";

/** setTimeout has 31 bits of milliseconds. A longer wait would fire at once. */
const maxMs = 2 ** 31 - 1;

/**
 * Refinements run only on valid quantities: an invalid text is rejected first.
 * @param most the longest duration, as text
 */
export const duration = (most = "24d") =>
  z
    .string("a duration needs its unit: 800ms, 2s, 5m, 1h")
    .regex(durationPattern, { error: "a duration is a number and ms, s, m, h or d: 800ms, 2s, 5m", abort: true })
    .refine(
      (text) => milliseconds(text) <= Math.min(milliseconds(most), maxMs),
      `a duration is at most ${most}${most === "24d" ? "" : " here"}`,
    );

/** How long a lookup in KV is cached. */
export const kvCache = () => duration().refine((text) => milliseconds(text) >= 30_000, "KV caches for at least 30s");

export const size = () =>
  z
    .string("a size needs its unit: 512B, 64KiB, 10MiB")
    .regex(sizePattern, { error: "a size is a number and B, KiB, MiB or GiB: 64KiB, 10MiB", abort: true });

export const rate = () =>
  z
    .string("a rate needs its unit: 100/s, 5000/day")
    .regex(ratePattern, { error: "a rate is a number and a window: 100/s, 20/30s, 5000/day", abort: true })
    .refine((text) => requestsPerWindow(text).windowMs <= 31 * msOf.d, "a window is 31 days at most");

export const percent = () =>
  z
    .string("a percentage needs its sign: 10%")
    .regex(percentPattern, { error: "a percentage is a number and %: 10%, 0.5%", abort: true })
    .refine((text) => share(text) <= 1, "a percentage is at most 100%");

/** A calendar day, as in ISO 8601. */
export const date = () =>
  z
    .string("a date is a text: 2027-06-30")
    .refine(isDay, { error: "a date is year, month and day: 2027-06-30", abort: true });

/** A tolerated increase: `+0.5pp` of all requests, or `+20%` of the previous value. */
export const change = (unit: "pp" | "%") =>
  z
    .string(`a change needs its sign and unit: ${unit === "pp" ? "+0.5pp" : "+20%"}`)
    .regex(
      new RegExp(`^\\+\\d{1,3}(?:\\.\\d{1,4})?${unit}$`),
      unit === "pp" ? "a change in percentage points: +0.5pp" : "a change in per cent: +20%",
    );
