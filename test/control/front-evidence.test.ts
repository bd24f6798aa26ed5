/** Evidence about a version of the front, from three observers that do not depend on each other. */
import { expect, it } from "vitest";
import { criteriaOf } from "../../functions/control/model/criteria.ts";
import type { ControlPlan } from "../../functions/control/model/plan.ts";
import { judge } from "../../functions/control/verdict/verdict.ts";
import { evidenceOf, measureRollout } from "../../functions/control/wiring/evidence.ts";
import { frontSample } from "../../functions/control/wiring/front-evidence.ts";
import type { Group, Sample } from "../../functions/gateway/observability/samples.ts";
import { rolloutHarness } from "./rollout-harness.ts";
import { telemetryWith } from "./telemetry-fake.ts";

const plan = { tiers: { pay: {}, wallet: {} } } as unknown as ControlPlan;

const sample = (groups: Readonly<Record<string, Partial<Group>>>): Sample => ({
  cold: 0,
  groups: Object.fromEntries(
    Object.entries(groups).map(([key, it]) => [
      key,
      { requests: 0, errors: 0, refusals: 0, upstreamErrors: 0, abandoned: 0, latency: [], ...it },
    ]),
  ),
});

const totals = ({ groups }: Sample) =>
  Object.values(groups).reduce(
    (sum, { requests, errors, refusals }) => ({
      requests: sum.requests + requests,
      errors: sum.errors + errors,
      refusals: sum.refusals + refusals,
    }),
    { requests: 0, errors: 0, refusals: 0 },
  );

it("is what the gates of all tiers counted, and what the front answered itself", async () => {
  const { env, read } = telemetryWith({
    "front v2": sample({ 0: { requests: 3, refusals: 3, latency: [[4, 90]] } }),
    "wallet through:v2": sample({
      0: { requests: 60, refusals: 2 },
      1: { requests: 20, errors: 1, upstreamErrors: 1 },
    }),
    "pay through:v2": sample({ 1: { requests: 10 } }),
    "front through:v2": sample({ 0: { requests: 93, errors: 1, refusals: 5 } }),
  });
  const found = await frontSample(env, plan, "v2", 0, 1);
  expect(totals(found)).toEqual({ requests: 93, errors: 1, refusals: 5 });
  expect(found.groups["0"]?.latency).toEqual([[4, 90]]);
  expect(read.toSorted()).toEqual(["front through:v2", "front v2", "pay through:v2", "wallet through:v2"]);
});

it("has the failures that only the tail saw", async () => {
  const { env } = telemetryWith({
    "wallet through:v2": sample({ 0: { requests: 75 }, 5: { requests: 25, refusals: 1 } }),
    "front through:v2": sample({ 9: { requests: 144, errors: 40, refusals: 5 } }),
  });
  const { causes, ...found } = await frontSample(env, plan, "v2", 0, 1);
  expect(causes?.map(({ kind, code, count }) => [kind, code, count])).toEqual([
    ["errors", "unreported", 40],
    ["refusals", "unreported", 4],
  ]);
  expect(totals(found)).toEqual({ requests: 100 + 40 + 4, errors: 40, refusals: 5 });
});

it("takes no client's requests, whose reports were lost or are late, for failures of the front", async () => {
  const { env } = telemetryWith({
    "wallet through:v2": sample({ 0: { requests: 2000, errors: 100, refusals: 1000 } }),
    "front through:v2": sample({ 9: { requests: 2110, errors: 110, refusals: 1100 } }),
  });
  const { causes, ...found } = await frontSample(env, plan, "v2", 0, 1);
  expect([causes, totals(found)]).toEqual([undefined, { requests: 2000, errors: 100, refusals: 1000 }]);
  const it = rolloutHarness(["postern-front"]);
  await it.start();
  const rollout = { ...it.state(), tier: "front", subjects: [{ worker: "postern-front", stable: "v1", canary: "v2" }] };
  const periodAt = async (until: number | null, now: number) => {
    const { env: read, periods } = telemetryWith({});
    await evidenceOf(read, plan, rollout, { share: 10, since: 100_000, until }, now);
    return periods.get("front through:v2");
  };
  expect(await periodAt(null, 160_000)).toEqual([104_000, 156_000]);
  expect(await periodAt(150_000, 160_000)).toEqual([104_000, 154_000]);
});

it("counts a request once that a gate answered well and the front failed", async () => {
  const { env } = telemetryWith({
    "wallet through:v2": sample({ 0: { requests: 60 }, 1: { requests: 40 } }),
    "front through:v2": sample({ 9: { requests: 100, errors: 50 } }),
  });
  const found = await frontSample(env, plan, "v2", 0, 1);
  expect(totals(found)).toEqual({ requests: 100, errors: 50, refusals: 0 });
});

it("of a front that answers nothing and says nothing is the tail's alone", async () => {
  const { env } = telemetryWith({ "front through:v2": sample({ 0: { requests: 64, errors: 64 } }) });
  const found = await frontSample(env, plan, "v2", 0, 1);
  expect(totals(found)).toEqual({ requests: 64, errors: 64, refusals: 0 });
});

it("is compared, and measured, as a tier's", async () => {
  const it = rolloutHarness(["postern-front"]);
  await it.start();
  const stretches = [{ share: 10, since: 0, until: 60_000 }];
  const subjects = [{ worker: "postern-front", stable: "v1", canary: "v2" }];
  const rollout = { ...it.state(), tier: "front", subjects, stretches };
  const { env, queries } = telemetryWith({
    "wallet through:v1": sample({ 0: { requests: 90 } }),
    "wallet through:v2": sample({ 0: { requests: 10, errors: 2 } }),
  });
  const stage = await evidenceOf(env, plan, rollout, { share: 10, since: 0, until: 60_000 }, 60_000);
  expect([totals(stage.stable).requests, totals(stage.canary).errors, stage.share]).toEqual([90, 2, 0.1]);
  // The front's own object, and each tier's.
  expect(stage.units).toHaveLength(3);
  expect(queries.map(({ stable, canary }) => [stable, canary])).toEqual([
    ["v1", "v2"],
    ["through:v1", "through:v2"],
    ["through:v1", "through:v2"],
  ]);
  // A front reports its latencies as those of one route, or they could never be compared.
  expect(queries.map(({ isOneRoute }) => isOneRoute)).toEqual([true, true, true]);
  expect(await measureRollout(env, plan, rollout, 60_000)).toMatchObject({
    exposed: 10,
    stable: { requests: 90 },
    canary: { requests: 10, errors: 2 },
  });
});

it("beside no stable version has its deaths, which need none to compare with", async () => {
  const it = rolloutHarness(["postern-front"]);
  await it.start();
  const subjects = [{ worker: "postern-front", stable: "v1", canary: "v2" }];
  const rollout = { ...it.state(), tier: "front", subjects };
  const seen = sample({ 0: { requests: 900, errors: 30 } });
  const { env } = telemetryWith({
    "wallet through:v2": sample({ 0: { requests: 870 } }),
    "front through:v2": seen,
    "front died:v2": sample({ 0: { requests: 30, errors: 30 } }),
  });
  const stage = await evidenceOf(env, plan, rollout, { share: 100, since: 0, until: 60_000 }, 60_000);
  expect(totals(stage.canary)).toMatchObject({ requests: 900, errors: 30 });
  // Nobody knows whose they were, so each is a unit; and what died in the front is a fault of it.
  const faults = stage.units.at(-1)?.crossings.find(({ measure }) => measure === "faults");
  expect(faults).toMatchObject({ trusted: { canary: 30, all: 30 }, anonymous: { all: 0 } });
  expect(stage.witnessed).toEqual({ stable: 0, canary: 900 });
  const { findings } = judge([stage], criteriaOf(rollout));
  expect(findings.find(({ criterion }) => criterion === "faults")).toMatchObject({ verdict: "fail", canary: 30 / 900 });
});

it("names no number of clients for failures that the tail alone saw", async () => {
  const it = rolloutHarness(["postern-front"]);
  await it.start();
  const rollout = { ...it.state(), tier: "front", subjects: [{ worker: "postern-front", stable: "v1", canary: "v2" }] };
  const { env } = telemetryWith({
    "wallet through:v1": sample({ 0: { requests: 9000 } }),
    "wallet through:v2": sample({ 0: { requests: 900 } }),
    "front through:v2": sample({ 9: { requests: 1000, errors: 100 } }),
  });
  const stage = await evidenceOf(env, plan, rollout, { share: 10, since: 0, until: 60_000 }, 60_000);
  const { findings } = judge([stage], criteriaOf(rollout));
  expect(findings.find(({ criterion }) => criterion === "errors")).toMatchObject({
    clients: null,
    why: expect.stringMatching(
      /^100 of 1,000 requests failed \(10 %\): all seen by the tail alone; stable 0 % of 9,000; /,
    ),
  });
});
