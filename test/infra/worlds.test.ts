import { describe, expect, it } from "vitest";
import { indexOf, type Measure } from "../../functions/control/stats/measures.ts";
import { figuresOf } from "../../infra/sim/figures.ts";
import { worldReport } from "../../infra/sim/report.ts";
import { settling } from "../../infra/sim/rollout.ts";
import { simulateAll } from "../../infra/sim/simulate.ts";
import { intervalSeconds } from "../../infra/sim/traffic/conditions.ts";
import { seededRandom } from "../../infra/sim/traffic/random.ts";
import { trafficOf } from "../../infra/sim/worlds/traffic.ts";
import type { World } from "../../infra/sim/worlds/world.ts";
import { worlds } from "../../infra/sim/worlds/worlds.ts";
import { full } from "../full.ts";

/** A tenth of the requests is enough here. */
const scaled = (world: World, factor = 0.1): World => ({
  ...world,
  parts: world.parts.map((it) => ({ ...it, rate: it.rate * factor })),
});

/** What 50 % of the users meet, looked at for ten seconds four times. */
const lookedAt = (world: World, seed: number) => {
  const harm = { requests: 0, failed: 0, failedUnderStable: 0 };
  const traffic = trafficOf(scaled(world), seed, { settling, tolerated: 0.2 }, harm)(seededRandom(seed));
  const { evidence } = traffic.begin(0.5, 0);
  for (const seconds of [30, 430, 1250, 5200]) traffic.advance(seconds + intervalSeconds);
  evidence.close((5200 + intervalSeconds) * 1000);
  const { stable, canary } = evidence.summary(true);
  const count = (measure: Measure) => ({
    stable: stable.totals[indexOf[measure]] ?? 0,
    canary: canary.totals[indexOf[measure]] ?? 0,
  });
  return { harm, count };
};

/** The share of the new version's requests that fail, and would not under stable. What fails in any world is left out. */
const added = (world: World): number => {
  const none = { errors: 0, refusals: 0, clientErrors: 0, hangs: 0 };
  const parts = world.parts.map((part) => ({ ...part, both: { ...none, ...part.both } }));
  const { harm } = lookedAt({ ...world, parts }, 4);
  return (harm.failed - harm.failedUnderStable) / harm.requests;
};

/** The same clients, of whom some fail oftener than others. */
const withoutDifference = (world: World): World => ({
  ...world,
  parts: world.parts.map(({ canary: _, ...part }) => part),
});

const named = (name: string): World => {
  const world = worlds.find((it) => it.name === name);
  if (!world) throw new Error(`no world ${name}`);
  return world;
};

/** `npm test` looks at each fourth world. */
const isLookedAt = (index: number): boolean => full || index % 4 === 0;
/** Each sixteenth world is simulated twice: all of them take seven minutes. */
const isRepeated = (index: number): boolean => full && index % 16 === 0;

describe.each(worlds.map((it, index) => [it.name, it, index] as const))("%s", (_, world, index) => {
  it.runIf(isLookedAt(index))("harms users of the new version if the release is harmful, and not otherwise", () => {
    const difference = added(world) - added(withoutDifference(world));
    if (world.harm === "harmful") expect(difference).toBeGreaterThan(0.0015);
    else expect(difference).toBeLessThan(0.002);
  });

  it.runIf(isRepeated(index))("gives the same rollouts for the same seed", { timeout: 120_000 }, async () => {
    const rollouts = async () => simulateAll([scaled(world)], { runs: 1, seed: 4, jobs: 1 });
    expect(await rollouts()).toEqual(await rollouts());
  });
});

it("a world's traffic is the same for the same seed", () => {
  const totals = (seed: number) => lookedAt(named("forcing: one address"), seed).count("requests");
  expect(totals(4)).toEqual(totals(4));
  expect(totals(5)).not.toEqual(totals(4));
});

it.each([
  ["forcing: 5 % of users, canary known", "canary", "stable"],
  ["forcing: two consumers, canary known", "canary", "stable"],
  ["hiding: 5 % of users, stable known", "stable", "canary"],
  ["hiding: one address, stable known", "stable", "canary"],
] as const)("%s: only the %s version gets the attackers' requests", (name, attacked, other) => {
  const world = named(name);
  const parts = world.parts.filter(({ of }) => of?.attack).map((it) => ({ ...it, rate: 10 * it.rate }));
  const requests = lookedAt({ ...world, parts }, 4).count("refusals");
  expect(requests[attacked]).toBeGreaterThan(0);
  expect(requests[other]).toBe(0);
});

it("names are unique, and what is harmless is never wanted back", () => {
  expect(new Set(worlds.map(({ name }) => name)).size).toBe(worlds.length);
  for (const { harm, wanted } of worlds)
    expect(harm === "harmless" ? ["kept", "finished"] : ["caught", "held", "open"]).toContain(wanted);
});

it("one missed aim is marked, and one reached is not", () => {
  const chunk = (end: "promoted" | "rolled-back") => [
    {
      results: [{ end, took: 60, share: 0.1, exposed: 1, criteria: ["errors"], why: "" }],
      harm: { requests: 1, failed: 0, failedUnderStable: 0 },
      calibrations: [],
    },
  ];
  const world = named("no difference");
  const [missed, reached] = [figuresOf(world, chunk("rolled-back")), figuresOf(world, chunk("promoted"))];
  const [, first, second] = worldReport([missed, reached]).split("\n");
  expect(first).toMatch(/^no difference .* errors 100 % +missed$/);
  expect(second).not.toMatch(/missed/);
});
