import { describe, expect, it } from "vitest";
import { seededRandom } from "../../infra/sim/random.ts";
import { storedSplits } from "../../infra/sim/stored.ts";
import type { World } from "../../infra/sim/world.ts";
import { type Outcomes, trafficOf } from "../../infra/sim/world-traffic.ts";
import { simulateWorld, worldReport, worlds } from "../../infra/sim/worlds.ts";
import { full } from "../full.ts";

/** What 50 % of the users meet, looked at for ten seconds four times. */
const lookedAt = (world: World, seed: number) => {
  const outcomes: Outcomes = { requests: 0, failed: 0, failedUnderStable: 0 };
  const split = trafficOf(world, seed, outcomes)(seededRandom(seed))(0.5, 0);
  for (const seconds of [30, 430, 1250, 5200]) split.advance(seconds, seconds);
  return { outcomes, reported: { stable: split.stable, canary: split.canary } };
};

/** The share of the new version's requests that fail, and would not under stable. What fails in any world is left out. */
const added = (world: World): number => {
  const parts = world.parts.map((part) => ({ ...part, both: { errors: 0, refusals: 0, hangs: 0, ...part.both } }));
  const { outcomes } = lookedAt({ ...world, parts }, 4);
  return (outcomes.failed - outcomes.failedUnderStable) / outcomes.requests;
};

/** The same users, of whom some fail oftener than others. */
const withoutDifference = (world: World): World => ({
  ...world,
  parts: world.parts.map(({ canary: _, ...part }) => part),
});

const named = (name: string): World => {
  const world = worlds.find((it) => it.name === name);
  if (!world) throw new Error(`no world ${name}`);
  return world;
};

describe.each(worlds.map((it) => [it.name, it] as const))("%s", (_, world) => {
  it("harms users of the new version if the release is harmful, and not otherwise", () => {
    const harm = added(world) - added(withoutDifference(world));
    if (world.release === "harmful") expect(harm).toBeGreaterThan(0.0015);
    else expect(harm).toBeLessThan(0.0015);
  });

  it.runIf(full)("gives the same rollouts for the same seed", () => {
    const rollouts = () => simulateWorld(world, 1, 4, () => undefined);
    expect(rollouts()).toEqual(rollouts());
  });
});

it("a world's traffic is the same for the same seed", () => {
  const world = named("forcing: one address");
  expect(lookedAt(world, 4)).toEqual(lookedAt(world, 4));
  expect(lookedAt(world, 5)).not.toEqual(lookedAt(world, 4));
});

it.each([
  ["forcing: 5 % of users, canary known", "canary", "stable"],
  ["forcing: one address, canary known", "canary", "stable"],
  ["hiding: 5 % of users, stable known", "stable", "canary"],
  ["hiding: one address, stable known", "stable", "canary"],
] as const)("%s: only the %s version gets the attackers' requests", (name, attacked, other) => {
  const world = named(name);
  const { reported } = lookedAt({ ...world, parts: world.parts.filter(({ of }) => of?.attack) }, 4);
  const requests = (version: "stable" | "canary") =>
    Object.values(reported[version].groups).map((group) => group.requests);
  expect(Math.max(...requests(attacked))).toBeGreaterThan(0);
  expect(Math.max(...requests(other))).toBe(0);
});

it("names are unique, and what is harmless is never wanted back", () => {
  expect(new Set(worlds.map(({ name }) => name)).size).toBe(worlds.length);
  for (const { release, wanted } of worlds)
    expect(release === "harmless" ? ["kept", "finished"] : ["caught", "held"]).toContain(wanted);
});

it("one missed aim is marked, and one reached is not", () => {
  const lost = simulateWorld(named("telemetry lost, canary only"), 2, 4, () => undefined);
  const refuses = simulateWorld(named("refuses 5 %"), 2, 4, () => undefined);
  expect(lost).toMatchObject({ ends: { "rolled-back": 1 }, missed: true });
  expect(refuses).toMatchObject({ ends: { "rolled-back": 1 }, missed: false });
  const [, first, second] = worldReport([lost, refuses]).split("\n");
  expect(first).toMatch(/^telemetry lost, canary only .* missed$/);
  expect(second).toMatch(/^refuses 5 % .* 100 % +0 % +0 % /);
});

describe("stored reports", () => {
  const sumOf = ({ groups }: { readonly groups: Readonly<Record<string, { readonly requests: number }>> }) =>
    Object.values(groups).reduce((all, { requests }) => all + requests, 0);
  const reportAt = (stored: ReturnType<typeof storedSplits>, seconds: readonly number[]) => {
    for (const began of seconds)
      stored.report(began, ({ canary: { groups } }) => {
        for (const group of groups) group.requests += 1;
      });
  };

  it("belong to the step before when their minute began before the split, once minutes are merged", () => {
    const stored = storedSplits(0);
    const first = stored.begin(60);
    reportAt(stored, [60, 120]);
    const second = stored.begin(130);
    reportAt(stored, [130, 170, 180]);
    const requests = () => [first, second].map(({ canary }) => sumOf(canary.sample) / 32);
    stored.merge(1079);
    expect(requests()).toEqual([2, 3]);
    stored.merge(1080);
    stored.merge(1090);
    expect(requests()).toEqual([4, 1]);
  });

  it("stay where they are when the split was made as a minute began", () => {
    const stored = storedSplits(50);
    const first = stored.begin(10);
    reportAt(stored, [10]);
    const second = stored.begin(130);
    reportAt(stored, [130, 170]);
    stored.merge(1090);
    expect([first, second].map(({ canary }) => sumOf(canary.sample) / 32)).toEqual([1, 2]);
  });
});
