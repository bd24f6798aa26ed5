/** The bets behind a verdict: false alarms stay below their bound however often one looks, and real effects are found. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { atLeast, atMost, logWealth } from "../../../../functions/control/stats/wealth.ts";
import { seededRandom } from "../seeded-random.ts";

const seed = 20_261_124;

/** The expectation of the wealth over all outcomes, each with its binomial probability: no sampling error. */
const expected = (against: "more" | "fewer", of: number, chance: number, truth: number): number => {
  let sum = 0;
  let log = of * Math.log1p(-truth);
  for (let hits = 0; hits <= of; hits++) {
    sum += Math.exp(log + logWealth(against, [{ hits, of, chance }]));
    log += Math.log((of - hits) / (hits + 1)) + Math.log(truth) - Math.log1p(-truth);
  }
  return sum;
};

it("the expected wealth does not grow if the tested statement is true", () => {
  fc.assert(
    fc.property(
      fc.constantFrom("more" as const, "fewer" as const),
      fc.integer({ min: 1, max: 200 }),
      fc.double({ min: 0.001, max: 0.9, noNaN: true }),
      (against, of, chance) => {
        expect(expected(against, of, chance, chance)).toBeCloseTo(1, 6);
        expect(
          expected(against, of, chance, against === "more" ? chance * 0.7 : chance + (1 - chance) * 0.3),
        ).toBeLessThan(1);
      },
    ),
    { seed, numRuns: 100 },
  );
});

it("the wealth reaches 20 in fewer than one of twenty runs, though it is checked after every trial", () => {
  const uniform = seededRandom(seed);
  const runs = 400;
  let reached = 0;
  for (let run = 0; run < runs; run++) {
    let hits = 0;
    for (let of = 1; of <= 500; of++) {
      if (uniform() < 0.05) hits++;
      if (logWealth("more", [{ hits, of, chance: 0.05 }]) < Math.log(20)) continue;
      reached++;
      break;
    }
  }
  expect(reached).toBeLessThan(runs / 20);
});

it("the wealth grows by about the divergence if the statement is false", () => {
  const of = 10_000;
  const divergence = of * (0.01 * Math.log(10) + 0.99 * Math.log(0.99 / 0.999));
  const won = logWealth("more", [{ hits: 100, of, chance: 0.001 }]);
  expect(won).toBeGreaterThan(divergence - 4);
  expect(won).toBeLessThan(divergence);
});

it("the wealth carries over from stage to stage", () => {
  const stages = [
    { hits: 4, of: 100, chance: 0.01 },
    { hits: 9, of: 300, chance: 0.01 },
  ];
  expect(logWealth("more", stages)).toBeCloseTo(logWealth("more", [{ hits: 13, of: 400, chance: 0.01 }]), 9);
});

it("bounds contain the observed rate, widen with the required evidence, and narrow with more trials", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100_000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 2, max: 12, noNaN: true }),
      (of, part, evidence) => {
        const hits = Math.floor(of * part);
        const [low, high] = [atLeast(hits, of, evidence), atMost(hits, of, evidence)];
        expect(low).toBeLessThanOrEqual(hits / of);
        expect(high).toBeGreaterThanOrEqual(hits / of);
        expect(low).toBeGreaterThanOrEqual(0);
        expect(high).toBeLessThanOrEqual(1);
        expect(atLeast(hits, of, evidence + 1)).toBeLessThanOrEqual(low * 1.01);
        expect(atMost(hits, of, evidence + 1)).toBeGreaterThanOrEqual(high * 0.99);
      },
    ),
    { seed, numRuns: 300 },
  );
  expect(atMost(0, 10_000, Math.log(200))).toBeLessThan(0.0011);
  expect(atMost(0, 0, 5)).toBe(1);
  expect(atLeast(0, 0, 5)).toBe(0);
});

it("bounds contain the mean of changing rates, at all observations together", () => {
  const uniform = seededRandom(seed);
  const evidence = Math.log(20);
  let missed = 0;
  const runs = 200;
  for (let run = 0; run < runs; run++) {
    let [hits, chances] = [0, 0];
    for (let of = 1; of <= 400; of++) {
      const chance = of % 100 < 20 ? 0.3 : 0.02;
      chances += chance;
      if (uniform() < chance) hits++;
      if (of % 10 > 0 || (chances / of <= atMost(hits, of, evidence) && chances / of >= atLeast(hits, of, evidence)))
        continue;
      missed++;
      break;
    }
  }
  expect(missed).toBeLessThan((runs * 2) / 20);
});
