/** One or two clusters move nothing, and odd counts are counted once. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { type Crossing, CrossingCounter } from "../../../../functions/control/stats/crossings.ts";
import { differenceOf } from "../../../../functions/control/stats/difference.ts";
import { betsOf } from "../../../../functions/control/stats/evidence.ts";
import { indexOf, type Measure, measures } from "../../../../functions/control/stats/measures.ts";
import { StageEvidence } from "../../../../functions/control/stats/stage-evidence.ts";
import { wholeStage } from "../../../../functions/control/stats/windows.ts";
import { firstOf } from "../../../../functions/gateway/observability/clusters.ts";

const totals = (rows: readonly (readonly [hits: number, of: number])[]) => ({
  hits: rows.map(([hits]) => hits),
  of: rows.map(([, of]) => of),
});

it("the worst clusters are left out, though others before them are equal to the second worst", () => {
  const others = Array.from({ length: 50 }, () => [0, 10] as const);
  // Two with one hit each come first; one with ten is worse.
  const canary = totals([[1, 10], [1, 10], [10, 10], ...others]);
  const active = canary.of.map((_, index) => index);
  const { canary: rate } = differenceOf(totals(canary.of.map(() => [0, 10] as const)), canary, active);
  expect(rate).toBeCloseTo(1 / 510, 9);
});

it("two clusters with many times the traffic of all others do not hide the canary's harm", () => {
  const [users, canaries] = [1000, 500];
  const rates = [0, 100, 1e5, 1e9].map((whale) => {
    const canary = totals([
      ...Array.from({ length: canaries }, () => [5, 100] as const),
      ...Array.from({ length: users - canaries }, () => [0, 0] as const),
      ...[1, 2].map(() => [0, whale] as const),
    ]);
    const stable = totals(canary.of.map((of) => [0, of === 0 ? 100 : 0] as const));
    return differenceOf(
      stable,
      canary,
      canary.of.map((_, index) => index),
    ).canary;
  });
  expect(rates[0]).toBeCloseTo(0.05, 9);
  // Each weighs ten mean ones.
  for (const rate of rates) expect(rate).toBeGreaterThan(0.95 * 0.05);
});

const countsOf = (counts: Partial<Record<Measure, number>>): number[] => measures.map((it) => counts[it] ?? 0);

it("hits whose requests came in another report are counted once", () => {
  const evidence = new StageEvidence({ requests: 0, latency: 0 });
  for (let report = 0; report < 5; report++) evidence.add("canary", 0, 7, countsOf({ faults: 1 }));
  evidence.close(2_000);
  const { canary, rates } = evidence.summary(true);
  expect(canary.totals[indexOf.faults]).toBe(5);
  expect(rates?.faults).toMatchObject({ clients: 1, top: [{ cluster: 7, hits: 5 }] });
});

it("a cluster crosses a level once, however many hits it has", () => {
  const counter = new CrossingCounter();
  for (const hits of [2 ** 32, 1, 255, 2 ** 32, 2 ** 40]) counter.add(3, hits, hits);
  for (const { anonymous } of counter.crossings) expect(anonymous).toEqual({ canary: 1, all: 1 });
});

const betOn = (against: "more" | "fewer", share: number, trusted: Crossing): number => {
  const crossings = [
    {
      ...{ window: wholeStage, measure: "errors" as const, level: 0, trusted },
      anonymous: { canary: 0, all: 0 },
      hits: { stable: { hits: 1, of: 100 }, canary: { hits: 1, of: 100 } },
    },
  ];
  const side = { totals: [], clusters: 0 };
  const [bet] = betsOf([{ share, units: [{ stable: side, canary: side, crossings }] }], "errors", against, 1);
  return bet?.wealth ?? 0;
};

it("two clusters that collude and know their versions win no bet that would not be won without them", () => {
  const part = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(
      fc.constantFrom("more" as const, "fewer" as const),
      fc.double({ min: 0.001, max: 0.999, noNaN: true }),
      fc.nat(500),
      part,
      fc.tuple(part, part),
      (against, share, all, canary, [one, other]) => {
        // What the bet would be if it left out nobody and the two had not come.
        const honest = canary * all;
        const alone = betOn(against, share, {
          canary: against === "more" ? honest + 2 : honest - 2,
          all,
        });
        const together = betOn(against, share, { canary: honest + one + other, all: all + 2 });
        expect(together).toBeLessThanOrEqual(Math.max(0, alone) + 1e-9);
      },
    ),
    { seed: 23, numRuns: 500 },
  );
});

it("dealt requests are units of their own, under one number too", () => {
  const counter = new CrossingCounter();
  counter.add(firstOf.dealt + 5, 30, 100);
  counter.add(firstOf.dealt + 5, 2, 10);
  expect(counter.crossings.map(({ trusted }) => trusted)).toEqual([
    { canary: 32, all: 110 },
    { canary: 0, all: 0 },
    { canary: 0, all: 0 },
  ]);
});
