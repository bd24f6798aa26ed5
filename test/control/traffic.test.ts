/** Where the traffic of a release comes from: the telemetry of the tiers that it reaches. */
import { expect, it } from "vitest";
import type { ControlPlan } from "../../functions/control/model/plan.ts";
import { release } from "../../functions/control/model/release.ts";
import type { Bindings } from "../../functions/control/wiring/bindings.ts";
import { plannedRelease, readTraffic } from "../../functions/control/wiring/traffic.ts";

const hour = 3_600_000;
const plan = {
  tiers: {
    shop: { workers: ["gate-shared"], routes: {} },
    search: { workers: ["gate-shared"], routes: {} },
    wallet: { workers: ["gate-wallet", "gate-wallet--pay"], routes: {} },
  },
} as unknown as ControlPlan;

const counted = (route: string, count: number) => ({
  ...{ route, method: "GET", status: "200", verdict: "passed", by: "", code: "", upstream: "", version: "v1" },
  ...{ count, latency: [], upstreamMs: 0, bytesIn: 0, bytesOut: 0, since: 0, heard: hour },
});

const series: Readonly<Record<string, readonly object[]>> = {
  shop: [counted("buy", 3600)],
  search: [counted("find", 7200)],
  wallet: [counted("pay", 36_000), counted("balance", 360_000)],
  front: [counted("", 360_000), { ...counted("", 36_000), status: "4xx" }],
};

/** @param rollouts of every tier, newest first; none has counted the clients */
const envWith = (counts: typeof series, rollouts: readonly object[] = []) =>
  ({
    TELEMETRY: { getByName: (tier: string) => ({ series: async () => counts[tier] ?? [] }) },
    ROLLOUTS: { getByName: () => ({ history: async () => rollouts }) },
  }) as unknown as Bindings;
const env = envWith(series);

const rateOf = async (name: string) => (await readTraffic(env, plan, name, hour))?.requestsPerSecond ?? null;

it.each<[string, number | null]>([
  ["wallet", 110],
  ["wallet/pay", 10],
  // One Worker serves both, so both get its new version.
  ["shop", 3],
  ["search", 3],
  ["front", 110],
  ["unknown", null],
])("%s has %d requests a second", async (name, rate) => {
  expect(await rateOf(name)).toBe(rate);
});

it("is that of all versions, with the results of those that were promoted or never released step by step", async () => {
  const failing = { ...counted("pay", 36_000), version: "v2", status: "500" };
  const rolledBack = { subjects: [{ canary: "v2" }], stretches: [], status: "rolled-back" };
  const rollout = (status: string) => ({ ...rolledBack, status });
  const traffic = (...rollouts: readonly object[]) =>
    readTraffic(envWith({ wallet: [counted("pay", 36_000), failing] }, rollouts), plan, "wallet", hour);
  expect(await traffic()).toMatchObject({ requestsPerSecond: 20, rates: { errors: 0.5 } });
  expect(await traffic(rolledBack)).toMatchObject({ requestsPerSecond: 20, rates: { errors: 0 } });
  expect(await traffic(rollout("running"))).toMatchObject({ rates: { errors: 0 } });
  expect(await traffic(rollout("promoted"), rolledBack)).toMatchObject({ rates: { errors: 0.5 } });
});

it("chooses the steps where the manifest leaves them to it, by this traffic alone", async () => {
  const planned = async (steps: unknown, name: string) =>
    (await plannedRelease(env, plan, name, release.parse({ steps }), hour)).steps;
  expect(await planned("auto", "wallet")).not.toEqual(await planned("auto", "shop"));
  expect(await planned("auto", "unknown")).toEqual(["0%", "1%", "10%", "50%", "100%"]);
  expect(await planned(["3%", "100%"], "wallet")).toEqual(["3%", "100%"]);
});
