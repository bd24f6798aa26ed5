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
