/**
 * Native versions of the scripts of `@upstash/ratelimit`, found by the hash that the library calls. Each does to
 * cells what the Lua script does to Redis. A test compares them with the library's own text.
 */
import type { ScriptCall } from "../core/ports/state.ts";

/** Storage for scripts: texts by key, with an expiry. */
export interface Cells {
  /** @returns a cell that has not expired */
  readonly get: (key: string) => Cell | undefined;
  readonly put: (key: string, cell: Cell) => void;
}

export interface Cell {
  readonly value: string;
  /** When the cell expires, in milliseconds since the epoch; null when not set. */
  readonly ends: number | null;
}

type Script = (cells: Cells, keys: readonly string[], args: readonly number[], now: number) => readonly number[];

const numberAt = (cells: Cells, key: string): number => Number(cells.get(key)?.value ?? 0);

/** INCRBY, with an expiry when the key is new. */
const add = (cells: Cells, key: string, by: number, ends: number): number => {
  const before = cells.get(key);
  const sum = Number(before?.value ?? 0) + by;
  cells.put(key, { value: String(sum), ends: sum === by ? ends : (before?.ends ?? null) });
  return sum;
};

export const fixedWindow: Script = (cells, [key = ""], [tokens = 0, window = 0, by = 0], now) => [
  add(cells, key, by, now + window),
  tokens,
];

export const slidingWindow: Script = (
  cells,
  [current = "", previous = ""],
  [tokens = 0, at = 0, window = 0, by = 0],
  now,
) => {
  const inCurrent = (at % window) / window;
  const before = Math.floor((1 - inCurrent) * numberAt(cells, previous));
  if (by > 0 && before + numberAt(cells, current) >= tokens) return [-1, tokens];
  // Long enough to overlap the next window.
  const sum = add(cells, current, by, now + window * 2 + 1000);
  return [tokens - (sum + before), tokens];
};

export const tokenBucket: Script = (cells, [key = ""], [most = 0, interval = 0, refill = 0, at = 0, by = 0], now) => {
  const known = cells.get(key);
  let [refilledAt = at, tokens = most] = known?.value.split(" ").map(Number) ?? [];
  if (at >= refilledAt + interval) {
    const refills = Math.floor((at - refilledAt) / interval);
    tokens = Math.min(most, tokens + refills * refill);
    refilledAt += refills * interval;
  }
  if (by > 0 && tokens < by) return [-1, refilledAt + interval, most];
  const remaining = tokens - by;
  const lasts = Math.ceil((most - remaining) / refill) * interval;
  cells.put(key, { value: `${refilledAt} ${remaining}`, ends: lasts > 0 ? now + lasts : (known?.ends ?? null) });
  return [remaining, refilledAt + interval, most];
};

/**
 * Refill of a bucket, as even as whole tokens and milliseconds allow: one token each 10 ms rather than 100 each
 * second.
 */
export const refillOf = ({ count, windowMs }: { readonly count: number; readonly windowMs: number }) => {
  const parts = greatestCommonDivisor(count, windowMs);
  return { refill: count / parts, intervalMs: windowMs / parts };
};

const greatestCommonDivisor = (a: number, b: number): number => (b === 0 ? a : greatestCommonDivisor(b, a % b));

/** By hash, of version 2.2.0 of the library. */
const scripts: ReadonlyMap<string, Script> = new Map([
  ["b2efc02798c8e9b471a10f9b1d5745db89923ff3", fixedWindow],
  ["74740bb3d7792848093cdef586b6b6037c455fd6", slidingWindow],
  ["d60be5bd3d83482ae229309f1f7425424f891204", tokenBucket],
]);

/**
 * @param now milliseconds since the epoch, for expiries
 * @returns what Redis would reply; undefined for an unknown script
 */
export const runScript = (cells: Cells, { sha, keys, args }: ScriptCall, now: number): readonly number[] | undefined =>
  scripts.get(sha)?.(cells, keys, args, now);
