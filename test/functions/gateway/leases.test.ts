/** Eight isolates on one store with seeded arrivals: how much leases can admit beyond the count. */
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { LimitCounter, LimitRule } from "../../../functions/gateway/core/ports/limits.ts";
import { leasedLimit } from "../../../functions/gateway/limits/leases.ts";
import { localLimit } from "../../../functions/gateway/limits/local-counter.ts";

const start = Date.UTC(2026, 10, 1);
beforeEach(() => void vi.useFakeTimers({ now: start, toFake: ["Date"] }));
afterEach(() => void vi.useRealTimers());

const isolates = 8;
const now = () => Date.now();

/** Random steps of time and isolate, with bursts and pauses. */
const arrivals = fc.array(
  fc.record({ isolate: fc.nat(isolates - 1), after: fc.constantFrom(0, 0, 0, 1, 7, 40, 300, 1500) }),
  {
    minLength: 200,
    maxLength: 600,
  },
);

interface Event {
  readonly at: number;
  readonly counted: number;
  readonly admitted: number;
}

const run = async (
  rule: LimitRule,
  share: number,
  steps: readonly { isolate: number; after: number }[],
): Promise<Event[]> => {
  vi.setSystemTime(start);
  const events: Event[] = [];
  const store = localLimit(rule, { now });
  const counting: LimitCounter = async (key, weight = 1) => {
    const verdict = await store(key, weight);
    if (verdict.allowed) events.push({ at: now(), counted: weight, admitted: 0 });
    return verdict;
  };
  const all = Array.from({ length: isolates }, () =>
    leasedLimit(
      counting,
      { share, holdMs: 1000, storeTimeoutMs: 5000, endsWithWindow: rule.algorithm === "fixed-window" },
      { now },
    ),
  );
  let under: Promise<void>[] = [];
  for (const { isolate, after } of steps) {
    if (after > 0) {
      await Promise.all(under);
      under = [];
      vi.setSystemTime(now() + after);
    }
    under.push(
      Promise.resolve((all[isolate] as LimitCounter)("{k}")).then(({ allowed }) => {
        if (allowed) events.push({ at: now(), counted: 0, admitted: 1 });
      }),
    );
  }
  await Promise.all(under);
  return events;
};

const rule = (algorithm: LimitRule["algorithm"]): LimitRule => ({ algorithm, count: 40, windowMs: 2000, burst: 40 });
const share = 5;
const runs = Number(process.env.POSTERN_RUNS ?? 40);

describe.each(["fixed-window", "sliding-window", "token-bucket"] as const)("%s", (algorithm) => {
  it("over any period, isolates admit at most share - 1 each beyond the count", async () => {
    await fc.assert(
      fc.asyncProperty(arrivals, async (steps) => {
        const events = await run(rule(algorithm), share, steps);
        // The most that (admitted - counted) grows from any point to any later one.
        let lowest = 0;
        let sum = 0;
        let most = 0;
        for (const { admitted, counted } of events) {
          sum += admitted - counted;
          most = Math.max(most, sum - lowest);
          lowest = Math.min(lowest, sum);
        }
        expect(most).toBeLessThanOrEqual(isolates * (share - 1) + 1);
        expect(sum).toBeLessThanOrEqual(0);
      }),
      { numRuns: runs, seed: 7 },
    );
  });
});

it("with fixed windows never exceeds the limit", async () => {
  await fc.assert(
    fc.asyncProperty(arrivals, async (steps) => {
      const events = await run(rule("fixed-window"), share, steps);
      const windows = Map.groupBy(events, ({ at }) => Math.floor(at / 2000));
      for (const all of windows.values())
        expect(all.reduce((sum, { admitted }) => sum + admitted, 0)).toBeLessThanOrEqual(40);
    }),
    { numRuns: runs, seed: 11 },
  );
});

it("bounds a lease also under concurrent requests", async () => {
  const events = await run(
    rule("fixed-window"),
    share,
    Array.from({ length: 60 }, () => ({ isolate: 0, after: 0 })),
  );
  const counted = events.reduce((sum, it) => sum + it.counted, 0);
  const admitted = events.reduce((sum, it) => sum + it.admitted, 0);
  expect(counted).toBeLessThanOrEqual(40);
  expect(admitted).toBeGreaterThanOrEqual(40 - share);
});

it("forgets a store call that was cancelled with its client", async () => {
  const weights: number[] = [];
  let lost = true;
  const store = localLimit(rule("token-bucket"), { now });
  const limit: LimitCounter = (key, weight = 1) => {
    weights.push(weight);
    return lost ? new Promise(() => {}) : store(key, weight);
  };
  const take = leasedLimit(limit, { share: 5, holdMs: 1000, storeTimeoutMs: 2000, endsWithWindow: false }, { now });
  for (let count = 0; count < 5; count++) void take("{k}");
  lost = false;
  expect(await take("{k}")).toMatchObject({ allowed: true });
  vi.setSystemTime(now() + 2000);
  await take("{k}");
  // The whole share was requested and is lost until the store's timeout has passed.
  expect(weights).toEqual([1, 2, 3, 2, 1, 1, 5]);
});

it.each([
  ["1000/m", 1000],
  ["900/m", 900],
])("admits nearly all of a limit of %s, also with bursts", async (_, count) => {
  const bursts: LimitRule = { algorithm: "sliding-window", count, windowMs: 60_000, burst: count };
  const store = localLimit(bursts, { now });
  const take = leasedLimit(
    async (key, weight) => store(key, weight),
    { share: count / 20, holdMs: 1000, storeTimeoutMs: 2000, endsWithWindow: false },
    { now },
  );
  let admitted = 0;
  for (let burst = 0; burst < 30; burst++) {
    for (let count = 0; count < 50; count++) if ((await take("{k}")).allowed) admitted++;
    vi.setSystemTime(now() + 2000);
  }
  expect(admitted).toBeLessThanOrEqual(count);
  expect(admitted).toBeGreaterThan(0.98 * count);
});
