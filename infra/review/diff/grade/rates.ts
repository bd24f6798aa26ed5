/** Compares two lists of rates: which allows more, and by what factor: `100/s`, `[100/s, 5000/day]`. */
import { requestsPerWindow } from "../../../../functions/gateway/core/quantities.ts";
import type { Factor, Scale, ScaleResult } from "./scales.ts";

/** Allowed requests by window length in milliseconds. */
type RateWindows = ReadonlyMap<number, number>;

const parseWindows = (value: unknown): RateWindows =>
  new Map(
    [value].flat().map((text) => {
      const { count, windowMs } = requestsPerWindow(String(text));
      return [windowMs, count];
    }),
  );

/** The maximum that all rates together allow in a time. Shorter windows repeat; a longer one may be used up at once. */
const maxAllowed = (rates: RateWindows, timeMs: number): number =>
  Math.min(...[...rates].map(([windowMs, count]) => count * Math.max(1, timeMs / windowMs)));

const compareRates = (before: unknown, after: unknown): ScaleResult => {
  const [a, b] = [parseWindows(before), parseWindows(after)];
  const changes = [...new Set([...a.keys(), ...b.keys()])].map((it) => maxAllowed(b, it) - maxAllowed(a, it));
  const [moreAllowed, lessAllowed] = [changes.some((it) => it > 0), changes.some((it) => it < 0)];
  return moreAllowed === lessAllowed ? "other" : moreAllowed ? "weaker" : "stronger";
};

/** The factor over common windows and the longest one. */
const factor = (before: unknown, after: unknown): Factor => {
  const [a, b] = [parseWindows(before), parseWindows(after)];
  const longestWindow = Math.max(...a.keys(), ...b.keys());
  const comparedWindows = [longestWindow, ...[...a.keys()].filter((it) => b.has(it))];
  const factors = comparedWindows.map((it) => ({ windowMs: it, factor: maxAllowed(b, it) / maxAllowed(a, it) }));
  const { windowMs, factor } = factors.reduce((largest, it) => (it.factor > largest.factor ? it : largest));
  const isWritten = a.has(windowMs) && b.has(windowMs);
  const inSameUnit = [a, b].map((it) => `${Math.round(maxAllowed(it, windowMs))}/${formatWindow(windowMs)}`) as [
    string,
    string,
  ];
  return { factor, as: "as many", ...(!isWritten && { inSameUnit }) };
};

const units: readonly (readonly [unit: string, ms: number])[] = [
  ["day", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
  ["ms", 1],
];

/** As it is written: `day`, `30s`. */
const formatWindow = (windowMs: number): string => {
  const [unit, each] = units.find(([, ms]) => windowMs % ms === 0) ?? ["ms", 1];
  return windowMs === each ? unit : `${windowMs / each}${unit === "day" ? "d" : unit}`;
};

/** The scale of rate lists. All rates apply together. */
export const rates: Scale = Object.assign(compareRates, { factor });
