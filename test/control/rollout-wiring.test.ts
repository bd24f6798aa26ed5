/** What a rollout's object reads of telemetry, and when it wakes. */
import { expect, it } from "vitest";
import type { ControlPlan } from "../../functions/control/model/plan.ts";
import type { Rollout } from "../../functions/control/model/rollout.ts";
import { deathsIn, emptySample } from "../../functions/control/telemetry/samples.ts";
import type { Bindings } from "../../functions/control/wiring/bindings.ts";
import { evidenceOf } from "../../functions/control/wiring/evidence.ts";
import { tierRollouts } from "../../functions/control/wiring/rollouts.ts";
import { rolloutHarness } from "./rollout-harness.ts";

it("deaths of a version without users on stable are those of the observer that saw more", async () => {
  const it = rolloutHarness();
  await it.start();
  const counts: Readonly<Record<string, number>> = { "tail:gate-a-canary": 3, "front:gate-a-canary": 2 };
  const read: string[] = [];
  const between = async (version: string) => {
    read.push(version);
    return counts[version] ? deathsIn(Array.from({ length: counts[version] }, (_, group) => group)) : emptySample;
  };
  const env = { TELEMETRY: { getByName: () => ({ between }) } } as unknown as Bindings;
  const stageAt = (share: number) =>
    evidenceOf(env, { tiers: {} }, it.state(), { share, since: 0, until: null }, 60_000);
  const { deaths } = await stageAt(100);
  expect(Object.values(deaths?.groups ?? {}).reduce((sum, { errors }) => sum + errors, 0)).toBe(3);
  expect(read.toSorted()).toEqual(["front:gate-a-canary", "gate-a-canary", "gate-a-stable", "tail:gate-a-canary"]);
  expect(await stageAt(50)).not.toHaveProperty("deaths");
});

it.each([
  ["paused", 1],
  ["running", 1],
  ["promoted", 0],
] as const)(
  "a %s rollout without an alarm, as an earlier release left it, is woken when it is looked at",
  async (status, wakes) => {
    const harness = rolloutHarness();
    await harness.start();
    const stored: Rollout = { ...harness.state(), status };
    const alarms: number[] = [];
    const storage = {
      get: async (key: string) => (key === "current" ? stored : undefined),
      getAlarm: async () => alarms.at(-1) ?? null,
      setAlarm: async (at: number) => void alarms.push(at),
    };
    const world = { now: () => 7, random: () => 0, uuid: () => "u", log: () => {} };
    const object = tierRollouts({ tiers: {} } as ControlPlan, {} as Bindings, storage as never, world as never);
    await object.status();
    await object.status();
    expect(alarms).toEqual(Array.from({ length: wakes }, () => 7));
  },
);
