/** Which of two lists of rates lets more through, and how many times as many: `100/s`, `[100/s, 5000/day]`. */
import { perWindow } from "../../../../functions/gateway/core/quantities.ts";
import type { Scale, Times, Verdict } from "./scales.ts";

/** Requests that may come in each window, by its length in milliseconds. */
type Windows = ReadonlyMap<number, number>;

const windowsOf = (value: unknown): Windows =>
  new Map(
    [value].flat().map((text) => {
      const { count, windowMs } = perWindow(String(text));
      return [windowMs, count];
    }),
  );

/** The most that all rates together let through in a time: a shorter window begins anew in it, a longer one may be used up at once. */
const allowed = (rates: Windows, timeMs: number): number =>
  Math.min(...[...rates].map(([windowMs, count]) => count * Math.max(1, timeMs / windowMs)));

const verdict = (before: unknown, after: unknown): Verdict => {
  const [a, b] = [windowsOf(before), windowsOf(after)];
  const changes = [...new Set([...a.keys(), ...b.keys()])].map((it) => allowed(b, it) - allowed(a, it));
  const [more, fewer] = [changes.some((it) => it > 0), changes.some((it) => it < 0)];
  return more === fewer ? "other" : more ? "weaker" : "stronger";
};

/** Over the windows that both have, and in the long run: what comes in a burst once is no rate. */
const times = (before: unknown, after: unknown): Times => {
  const [a, b] = [windowsOf(before), windowsOf(after)];
  const longest = Math.max(...a.keys(), ...b.keys());
  const looked = [longest, ...[...a.keys()].filter((it) => b.has(it))];
  const ratios = looked.map((it) => ({ windowMs: it, factor: allowed(b, it) / allowed(a, it) }));
  const { windowMs, factor } = ratios.reduce((most, it) => (it.factor > most.factor ? it : most));
  const isWritten = a.has(windowMs) && b.has(windowMs);
  const alike = [a, b].map((it) => `${Math.round(allowed(it, windowMs))}/${unitOf(windowMs)}`) as [string, string];
  return { factor, as: "as many", ...(!isWritten && { alike }) };
};

const units: readonly (readonly [unit: string, ms: number])[] = [
  ["day", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
  ["ms", 1],
];

/** As it is written: `day`, `30s`. */
const unitOf = (windowMs: number): string => {
  const [unit, each] = units.find(([, ms]) => windowMs % ms === 0) ?? ["ms", 1];
  return windowMs === each ? unit : `${windowMs / each}${unit === "day" ? "d" : unit}`;
};

/** Each rate has to allow a request: what counts is what they let through together. */
export const rates: Scale = Object.assign(verdict, { times });
