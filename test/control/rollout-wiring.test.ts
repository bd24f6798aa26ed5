/** What a rollout's object reads of telemetry, and when it wakes. */
import { expect, it } from "vitest";
import type { ControlPlan } from "../../functions/control/model/plan.ts";
import type { Rollout } from "../../functions/control/model/rollout.ts";
import type { Bindings } from "../../functions/control/wiring/bindings.ts";
import { evidenceOf } from "../../functions/control/wiring/evidence.ts";
import { tierRollouts } from "../../functions/control/wiring/rollouts.ts";
import { maxFeedAgeMs } from "../../functions/gateway/overlay/overlay.ts";
import { rolloutHarness } from "./rollout-harness.ts";
import { telemetryWith } from "./telemetry-fake.ts";

it("a cutover's stage begins when all gates know of it, and its gateways are one route", async () => {
  const it = rolloutHarness();
  await it.start();
  const { env, queries } = telemetryWith({});
  const subjects = [{ worker: "a/rates", stable: "gateway", canary: "gate" }];
  const rollout = { ...it.state(), tier: "a/rates", subjects };
  const stage = await evidenceOf(env, { tiers: {} }, rollout, { share: 10, since: 1000, until: null }, 600_000);
  expect(stage.since).toBe(1000 + maxFeedAgeMs);
  expect(queries).toMatchObject([
    { stable: "cutover:rates:gateway", canary: "cutover:rates:gate", since: stage.since, isOneRoute: true },
  ]);
});

it.each([
  [6, 30],
  [150, 75],
  [300, 120],
])("in a step of %i s latency is measured after %i s, when caches are warm", async (bake, settled) => {
  const it = rolloutHarness();
  await it.start();
  const { env, queries } = telemetryWith({});
  const rollout = { ...it.state(), steps: [{ share: 10, bakeMs: bake * 1000, hold: false }] };
  await evidenceOf(env, { tiers: {} }, rollout, { share: 10, since: 0, until: null }, 60_000);
  expect(queries).toMatchObject([{ settling: { requests: 30_000, latency: settled * 1000 } }]);
});

it("a long stage that is read again is read in parts; evidence that takes longer is no evidence", async () => {
  const it = rolloutHarness();
  await it.start();
  const full = telemetryWith({}).env as unknown as { TELEMETRY: { getByName: (name: string) => object } };
  const telemetryAfter = (calls: number) => {
    const object = full.TELEMETRY.getByName("a") as { evidence: (query: unknown) => Promise<unknown> };
    const evidence = async (query: unknown) => (calls-- > 0 ? undefined : object.evidence(query));
    return { TELEMETRY: { getByName: () => ({ ...object, evidence }) } } as never;
  };
  const read = (calls: number) =>
    evidenceOf(telemetryAfter(calls), { tiers: {} }, it.state(), { share: 10, since: 0, until: null }, 60_000);
  expect((await read(20)).units).toHaveLength(1);
  await expect(read(100)).rejects.toThrow("the evidence of a is still being read again");
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
