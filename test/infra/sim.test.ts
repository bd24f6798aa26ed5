import { expect, it } from "vitest";
import { scenarios } from "../../infra/sim/scenarios.ts";
import { simulate } from "../../infra/sim/simulate.ts";
import { full } from "../full.ts";

// A promise of 99 in 100 is kept or broken by ones here; `npm run sim:rollout` has the thousands.
it.runIf(full).each(scenarios.map((it) => [it.name, it] as const))("%s", (_, scenario) => {
  const runs = scenario.name.startsWith("no difference") ? 30 : 60;
  const figures = simulate(scenario, runs, 11, () => undefined);
  for (const { end, least = 0, most = 1 } of scenario.bounds) {
    const count = Math.round(figures.ends[end] * runs);
    expect(count, JSON.stringify(figures)).toBeGreaterThanOrEqual(Math.floor(least * runs) - 1);
    expect(count, JSON.stringify(figures)).toBeLessThanOrEqual(most < 1 ? 1 : runs);
  }
  if (scenario.name !== "no difference") expect(figures.medianShare).toBe(0.01);
});

it("is the same for the same seed", () => {
  const [, errors] = scenarios;
  if (!errors) throw new Error("no scenario");
  const [once, twice] = [simulate(errors, 3, 5, () => undefined), simulate(errors, 3, 5, () => undefined)];
  expect(once).toEqual(twice);
  expect(simulate(errors, 3, 6, () => undefined)).not.toEqual(once);
});

// All attempts of a version share one error budget, so later ones need more evidence.
it.runIf(full)("five attempts of a version without any difference are not rolled back", () => {
  const [same] = scenarios;
  if (!same) throw new Error("no scenario");
  const runs = 3;
  for (let attempt = 1; attempt <= 5; attempt++)
    expect(simulate({ ...same, attempt }, runs, 11, () => undefined).ends["rolled-back"]).toBe(0);
});

it.runIf(full)(
  "the fifth attempt of a bad version is rolled back at the first step, after somewhat more requests than the first",
  () => {
    const [, errors] = scenarios;
    if (!errors) throw new Error("no scenario");
    const [first, fifth] = [1, 5].map((attempt) => simulate({ ...errors, attempt }, 10, 11, () => undefined));
    expect(fifth).toMatchObject({ ends: { "rolled-back": 1 }, medianShare: 0.01 });
    expect(fifth?.medianRequests).toBeGreaterThanOrEqual(first?.medianRequests ?? 0);
    expect(fifth?.medianRequests).toBeLessThan(3 * (first?.medianRequests ?? 0));
  },
);
