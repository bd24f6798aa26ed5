import { expect, it } from "vitest";
import { figuresOf } from "../../infra/sim/figures.ts";
import { type Simulation, simulateAll } from "../../infra/sim/simulate.ts";
import { type Scenario, scenarios } from "../../infra/sim/worlds/scenarios.ts";
import type { World } from "../../infra/sim/worlds/world.ts";
import { full } from "../full.ts";

const simulated = async (world: World | Scenario, settings: Partial<Simulation> = {}) => {
  const [chunks = []] = await simulateAll([world], { runs: 1, seed: 11, jobs: 1, ...settings });
  return figuresOf(world, chunks);
};

const named = (name: string): Scenario => {
  const scenario = scenarios.find((it) => it.name === name);
  if (!scenario) throw new Error(`no scenario ${name}`);
  return scenario;
};

/** The same with a fraction of the requests and clients, which takes a fraction of the time. */
const small = (world: Scenario): Scenario => ({
  ...world,
  steps: ["0%", "10%", "50%", "100%"],
  clients: { ...world.clients, clients: world.clients.clients / 50 },
  parts: world.parts.map((it) => ({ ...it, rate: it.rate / 5 })),
});

// A promise of 99 in 100 is kept or broken by ones here; `npm run sim:rollout` has the thousands.
it.runIf(full).each(scenarios.map((it) => [it.name, it] as const))("%s", { timeout: 300_000 }, async (_, scenario) => {
  const runs = 3;
  const figures = await simulated(scenario, { runs });
  for (const { end, least = 0, most = 1 } of scenario.bounds) {
    const count = Math.round(figures.ends[end] * runs);
    expect(count, JSON.stringify(figures)).toBeGreaterThanOrEqual(Math.floor(least * runs) - 1);
    expect(count, JSON.stringify(figures)).toBeLessThanOrEqual(most < 1 ? 1 : runs);
  }
});

it("a gate that fails in some requests is rolled back at the first step, soon", async () => {
  const figures = await simulated(small(named("one in fifty is a fault of the gate")), { runs: 3 });
  expect(figures).toMatchObject({ ends: { "rolled-back": 1 }, medianShare: 0.1, missed: [] });
  expect(figures.mostSeconds).toBeLessThan(120);
});

it("is the same for the same seed, on any number of threads", { timeout: 60_000 }, async () => {
  const faults = small(named("one in fifty is a fault of the gate"));
  const once = await simulated(faults, { runs: 6 });
  expect(await simulated(faults, { runs: 6, jobs: 2 })).toEqual(once);
  expect(await simulated(faults, { runs: 6, seed: 12 })).not.toEqual(once);
});

it("what is missed is said", () => {
  const world = { ...named("no difference"), bounds: [{ end: "promoted", least: 0.9 }] } as const;
  const result = { end: "paused", took: 60, share: 0.1, exposed: 1, criteria: ["errors"], why: "" } as const;
  const harm = { requests: 4, failed: 2, failedUnderStable: 1 };
  const { missed, criteria, failing } = figuresOf(world, [{ results: [result], harm, calibrations: [] }]);
  expect(missed).toEqual(["no difference: 0 % promoted, where 90 % to 100 % is wanted"]);
  expect({ criteria, failing }).toEqual({ criteria: { errors: 1 }, failing: { stable: 0.25, canary: 0.5 } });
});

it("a release that finishes too late misses its aim", () => {
  const world: World = { ...named("no difference"), wanted: "finished", withinMinutes: 60 };
  const { bounds: _, ...unbounded } = world as Scenario;
  const result = { end: "promoted", took: 3601, share: 1, exposed: 1, criteria: [], why: "" } as const;
  const harm = { requests: 1, failed: 0, failedUnderStable: 0 };
  const chunk = { results: [result], harm, calibrations: [] };
  expect(figuresOf(unbounded, [chunk]).missed).toEqual([
    "no difference: 0 % promoted within 60 min, where 90 % is wanted",
  ]);
  const inTime = { ...chunk, results: [{ ...result, took: 3600 }] };
  expect(figuresOf(unbounded, [inTime]).missed).toEqual([]);
});
