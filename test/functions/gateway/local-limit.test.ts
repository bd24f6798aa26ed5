/** Local counters give the same verdicts as the library over a store. */
import fc from "fast-check";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { LimitRule, ScriptStore } from "../../../functions/gateway/core/ports/limits.ts";
import { type Cell, runScript } from "../../../functions/gateway/limits/algorithms.ts";
import { localLimit } from "../../../functions/gateway/limits/local-counter.ts";
import { limiter } from "../../../functions/gateway/limits/store-counter.ts";

const start = Date.UTC(2026, 10, 1);
const now = () => Date.now();
beforeEach(() => void vi.useFakeTimers({ now: start, toFake: ["Date"] }));
afterEach(() => void vi.useRealTimers());

/** A fake store that evicts nothing early. */
const store = (): ScriptStore => {
  const all = new Map<string, Cell>();
  const cells = {
    get: (key: string) => {
      const cell = all.get(key);
      return cell && (cell.ends === null || cell.ends > now()) ? cell : undefined;
    },
    put: (key: string, cell: Cell) => void all.set(key, cell),
  };
  const run = async (sha: string, keys: readonly string[], args: readonly unknown[]) =>
    runScript(cells, { sha, keys, args: args.map(Number) }, now());
  return { evalsha: run, eval: run };
};

const rules = fc.record({
  algorithm: fc.constantFrom<LimitRule["algorithm"]>("fixed-window", "sliding-window", "token-bucket"),
  count: fc.integer({ min: 1, max: 20 }),
  windowMs: fc.constantFrom(100, 1000, 60_000),
  burst: fc.integer({ min: 1, max: 40 }),
});

const requests = fc.array(
  fc.record({
    key: fc.constantFrom("a", "b"),
    weight: fc.constantFrom(1, 1, 1, 2, 5),
    after: fc.constantFrom(0, 0, 0, 1, 7, 40, 300, 1500, 59_000),
  }),
  { minLength: 1, maxLength: 120 },
);

it("answers as the library does", async () => {
  await fc.assert(
    fc.asyncProperty(rules, requests, async (rule, all) => {
      vi.setSystemTime(start);
      const [ours, theirs] = [localLimit(rule, { now }), limiter(rule, "p", store())];
      for (const { key, weight, after } of all) {
        vi.setSystemTime(now() + after);
        // A call never requests more than the limit.
        const bounded = Math.min(weight, rule.count);
        expect(ours(key, bounded)).toEqual(await theirs(key, bounded));
      }
    }),
    { numRuns: 200, seed: 6 },
  );
});

it("evicts the oldest keys", () => {
  const limit = localLimit({ algorithm: "fixed-window", count: 1, windowMs: 86_400_000, burst: 1 }, { now });
  expect([limit("first").allowed, limit("first").allowed]).toEqual([true, false]);
  for (let key = 0; key < 9999; key++) limit(`${key}`);
  expect(limit("first").allowed).toBe(false);
  for (let key = 0; key < 10_000; key++) limit(`again ${key}`);
  expect(limit("first").allowed).toBe(true);
});
