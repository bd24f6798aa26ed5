/** Tiers of a shared gate: one rollout at a time, judged over all of them. */
import { expect, it } from "vitest";
import type { ControlPlan, TierFacts } from "../../functions/control/model/plan.ts";
import { rolloutObjectName, tiersServed } from "../../functions/control/model/shared-gates.ts";
import { evidenceOf } from "../../functions/control/wiring/evidence.ts";
import { rolloutHarness } from "./rollout-harness.ts";
import { telemetryWith } from "./telemetry-fake.ts";

const facts = (workers: readonly string[], shared?: true) =>
  ({ workers, ...(shared && { shared }) }) as unknown as TierFacts;
const plan = {
  tiers: {
    faq: facts(["gate-shared-local"], true),
    rates: facts(["gate-shared-local", "gate-rates--hot-local"], true),
    wallet: facts(["gate-wallet-local"]),
  },
} as unknown as ControlPlan;

it("store their rollouts in one Durable Object, which no other tier uses", () => {
  expect(["faq", "rates"].map((it) => rolloutObjectName(plan, it))).toEqual(Array(2).fill("shared:gate-shared-local"));
  expect(["wallet", "wallet/balance", "nobody", "toString"].map((it) => rolloutObjectName(plan, it))).toEqual([
    "wallet",
    "wallet/balance",
    "nobody",
    "toString",
  ]);
  expect(tiersServed(plan, "rates", "gate-shared-local")).toEqual(["faq", "rates"]);
  expect(tiersServed(plan, "rates", "gate-rates--hot-local")).toEqual(["rates"]);
  expect(tiersServed(plan, "wallet/balance", "wallet/balance")).toEqual(["wallet"]);
});

it("refuse a second rollout with the name of the first", async () => {
  const it = rolloutHarness();
  await it.start();
  await expect(it.start()).rejects.toThrow("a rollout of a is under way, by alice");
});

it("are judged by the users of all tiers", async () => {
  const sample = (requests: number) => ({
    cold: 0,
    groups: { "0": { requests, errors: 1, refusals: 0, upstreamErrors: 0, abandoned: 0, latency: [] } },
  });
  const names = ["faq c", "faq s", "rates c", "rates s"];
  const { env, read, queries } = telemetryWith(Object.fromEntries(names.map((name) => [name, sample(10)])));
  const it = rolloutHarness();
  await it.start();
  const rollout = {
    ...it.state(),
    tier: "faq",
    subjects: [{ worker: "gate-shared-local", stable: "s", canary: "c" }],
  };
  const stretch = { share: 10, since: 0, until: 9000 };
  const { units, stable, canary } = await evidenceOf(env, plan, rollout, stretch, 9000);
  expect(read.toSorted()).toEqual(names);
  // A summary for each tier; their requests are counted in none of the other's.
  expect(units.map(({ canary: side }) => side.totals[0])).toEqual([10, 10]);
  expect(queries).toMatchObject(Array(2).fill({ since: 0, until: 9000, isOneRoute: false, bounds: true }));
  expect([stable, canary].map(({ groups }) => groups["0"])).toMatchObject(Array(2).fill({ requests: 20, errors: 2 }));
});
