/** The design effect: clustered requests count for less than independent ones. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { effectOf, userEffect, weightsOf } from "../../../../functions/control/stats/counts.ts";
import { groups } from "../../../../functions/gateway/observability/samples.ts";
import { seededRandom } from "../seeded-random.ts";

/** Bursts of `each` hits, each burst in a random group. */
const scattered = (bursts: number, each: number, seed: number) => {
  const uniform = seededRandom(seed);
  const hits = new Float64Array(groups);
  for (let burst = 0; burst < bursts; burst++) {
    const group = Math.floor(uniform() * groups);
    hits[group] = (hits[group] ?? 0) + each;
  }
  return { hits, of: new Float64Array(groups).fill(100_000 / groups) };
};

it("is about one for independent requests", () => {
  const effects = Array.from({ length: 50 }, (_, seed) => effectOf([scattered(500, 1, seed)]));
  expect(Math.max(...effects)).toBeLessThan(2.5);
  expect(effects.reduce((sum, it) => sum + it) / 50).toBeLessThan(1.5);
});

it.each([3, 10, 40])("is about %d for hits in bursts of that length", (each) => {
  const effects = Array.from({ length: 50 }, (_, seed) => effectOf([scattered(200, each, seed)]));
  const mean = effects.reduce((sum, it) => sum + it) / 50;
  expect(mean).toBeGreaterThan(each);
  expect(mean).toBeLessThan(1.6 * each);
});

it("makes a thousand failures of one user count for fewer than two", () => {
  const hits = new Float64Array(groups);
  hits[7] = 1000;
  const effect = effectOf([{ hits, of: new Float64Array(groups).fill(1000) }]);
  expect(1000 / effect).toBeLessThan(2);
});

it("counts a user who fails in two stages once", () => {
  const once = scattered(100, 5, 1);
  expect(effectOf([once, once])).toBeCloseTo(2 * effectOf([once]), 0);
});

it("is never below one, whatever the counts", () => {
  const count = fc.nat(1000);
  fc.assert(
    fc.property(fc.array(fc.tuple(count, count), { minLength: groups, maxLength: groups }), (all) => {
      const of = Float64Array.from(all, ([a, b]) => a + b);
      const hits = Float64Array.from(all, ([a]) => a);
      expect(effectOf([{ hits, of }])).toBeGreaterThanOrEqual(1);
      expect(userEffect(of)).toBeGreaterThanOrEqual(1);
    }),
    { seed: 1, numRuns: 300 },
  );
  expect(effectOf([])).toBe(1);
});

it("weights stable's stages like the canary's, with no weight above one", () => {
  const weights = weightsOf([
    { stable: 9900, canary: 100 },
    { stable: 9000, canary: 1000 },
    { stable: 0, canary: 5 },
  ]);
  expect(weights[1]).toBe(1);
  expect((weights[0] ?? 0) * 9900).toBeCloseTo((weights[1] ?? 0) * 900, 6);
  expect(weights[2]).toBe(0);
});
