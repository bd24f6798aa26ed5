/** Counts in the isolate's memory with the algorithms of `@upstash/ratelimit`. Synchronous. */

import { forgetOldest } from "../core/bounded.ts";
import type { LimitRule, LimitVerdict } from "../core/ports/limits.ts";
import type { Deps } from "../core/types.ts";
import { type Cell, type Cells, fixedWindow, refillOf, slidingWindow, tokenBucket } from "./algorithms.ts";

/** The oldest are forgotten. */
const maxCells = 10_000;

/** @returns a counter of requests by key and weight */
export const localLimit = (
  rule: LimitRule,
  { now }: Pick<Deps, "now">,
): ((key: string, weight?: number) => LimitVerdict) => {
  const cells = memoryCells(now);
  const { algorithm, count, windowMs, burst } = rule;
  const { refill, intervalMs } = refillOf(rule);
  const verdict = (limit: number, remaining: number, reset: number): LimitVerdict => ({
    allowed: remaining >= 0,
    limit,
    remaining: Math.max(0, remaining),
    reset,
  });
  return (key, weight = 1) => {
    const at = now();
    const window = Math.floor(at / windowMs);
    switch (algorithm) {
      case "fixed-window": {
        const [used = 0] = fixedWindow(cells, [`${key}:${window}`], [count, windowMs, weight], at);
        return verdict(count, count - used, (window + 1) * windowMs);
      }
      case "sliding-window": {
        const keys = [`${key}:${window}`, `${key}:${window - 1}`];
        const [remaining = -1] = slidingWindow(cells, keys, [count, at, windowMs, weight], at);
        return verdict(count, remaining, (window + 1) * windowMs);
      }
      case "token-bucket": {
        const [remaining = -1, reset = 0] = tokenBucket(cells, [key], [burst, intervalMs, refill, at, weight], at);
        return verdict(burst, remaining, reset);
      }
    }
  };
};

const memoryCells = (now: () => number): Cells => {
  const all = new Map<string, Cell>();
  return {
    get: (key) => {
      const cell = all.get(key);
      return cell && (cell.ends === null || cell.ends > now()) ? cell : undefined;
    },
    put: (key, cell) => {
      all.delete(key);
      all.set(key, cell);
      forgetOldest(all, maxCells);
    },
  };
};
