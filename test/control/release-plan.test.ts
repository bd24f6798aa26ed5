/** Plans of releases: what they say against simulated stages, and that more traffic never makes one worse. */
import { describe, expect, it } from "vitest";
import { release as releaseSchema, stepsOf } from "../../functions/control/model/release.ts";
import { withSteps } from "../../functions/control/planning/auto-steps.ts";
import { loadOf, passesAfter } from "../../functions/control/planning/passing.ts";
import { planOf } from "../../functions/control/planning/release-plan.ts";
import { clientsIn, type TrafficEstimate, trafficOf } from "../../functions/control/planning/traffic.ts";
import { type Criterion, harmedClients, smallestHarm } from "../../functions/control/stats/power.ts";
import { StageEvidence } from "../../functions/control/stats/stage-evidence.ts";
import type { StoredSeries } from "../../functions/control/telemetry/store-tables.ts";
import { alphaParts, judge } from "../../functions/control/verdict/verdict.ts";
import { clustersPerKind } from "../../functions/gateway/observability/clusters.ts";
import { full } from "../full.ts";
import { criteria, type StageWorld, simulateStage } from "./stage-world.ts";

const minute = 60_000;
const budget = criteria.alpha / alphaParts;
const errors: Criterion = { rate: 0.001, budget, voters: "all", tolerate: 0.005 };

const trafficAt = (requestsPerSecond: number, clusters: number | null): TrafficEstimate => ({
  ...{ since: 0, until: 7 * 24 * 60 * minute, requestsPerSecond, latency: [] },
  rates: { errors: 0.001, refusals: 0.02, clientErrors: 0, abandoned: 0 },
  clients: clusters === null ? null : { clusters, authenticated: 0.5, dealt: 0.1 },
});

const auto = releaseSchema.parse({ steps: "auto" });
const sharesAt = (traffic: TrafficEstimate | null): number[] =>
  stepsOf(withSteps(auto, traffic))
    .map(({ share }) => share)
    .filter((share) => share > 0 && share < 100);

describe("against simulated stages", () => {
  const runs = full ? 40 : 4;
  const endsOf = (world: Omit<StageWorld, "bakeMs"> & { readonly bakeMs?: number }) =>
    Array.from({ length: runs }, (_, run) => simulateStage({ bakeMs: world.ms, ...world }, run + 1));

  it.each([
    { share: 0.1, rate: 50, clusters: 1000, ms: 15 * minute },
    { share: 0.5, rate: 40, clusters: 2000, ms: 6 * minute },
  ])("the smallest harm comes back at $share, and a quarter of it mostly does not", ({ share, rate, clusters, ms }) => {
    const traffic = trafficAt(rate, clusters);
    const harm = smallestHarm(loadOf(traffic), { share, index: 0, ms }, errors) as number;
    const failed = (part: number) =>
      endsOf({ traffic, share, ms, harm: { errors: part * harm } }).filter((it) => it?.verdict === "fail").length;
    expect(failed(1)).toBeGreaterThanOrEqual(runs - runs / 40);
    expect(failed(1 / 4)).toBeLessThanOrEqual(runs / 2);
  });

  it("a version that changes nothing passes about then", () => {
    const traffic = trafficAt(50, 1000);
    const ms = passesAfter({ traffic, criteria }, 0.1, 5 * minute, 65 * minute) as number;
    const passed = endsOf({ traffic, share: 0.1, ms: 1.5 * ms, bakeMs: 5 * minute, harm: {} })
      .map((it) => (it?.verdict === "pass" ? it.ms : Number.POSITIVE_INFINITY))
      .toSorted((a, b) => a - b);
    const median = passed[runs / 2 - 1];
    expect(median).toBeLessThan(1.5 * ms);
    expect(median).toBeGreaterThan(ms / 3);
  });
});

describe("more traffic never makes a plan worse", () => {
  const rates = [0.01, 0.3, 2, 10, 30, 50, 100, 200, 500, 1000, 5000, 50_000];
  const worsens = (all: readonly number[]) => all.some((it, index) => it > (all[index - 1] ?? Infinity) * 1.02);
  const or = (value: number | null) => value ?? Number.POSITIVE_INFINITY;

  it.each([20, 1000, 20_000])("with requests of %i clients, or with as many clients more", (clusters) => {
    for (const share of [0.01, 0.1, 0.5]) {
      const timeAt = (it: TrafficEstimate) =>
        or(passesAfter({ traffic: it, criteria }, share, 5 * minute, 65 * minute));
      const harmAt = (it: TrafficEstimate) => or(smallestHarm(loadOf(it), { share, index: 0, ms: 5 * minute }, errors));
      const grown = rates.map((rate) => trafficAt(rate, Math.ceil((clusters * rate) / 50)));
      expect([share, worsens(grown.map(timeAt)), worsens(grown.map(harmAt))]).toEqual([share, false, false]);
      expect(worsens(rates.map((rate) => timeAt(trafficAt(rate, clusters))))).toBe(false);
      expect(worsens(grown.map((it) => sharesAt(it)[0] ?? 0))).toBe(false);
    }
  });
});

it("a rollback needs some clients more than two, and more of them at a larger share", () => {
  const needed = [0.001, 0.01, 0.1, 0.5].map((share) => harmedClients({ share, index: 0 }, budget));
  expect(needed).toEqual(needed.toSorted((a, b) => a - b));
  expect(needed[0]).toBeGreaterThan(2);
  const verdictOn = (failing: number) => {
    const evidence = new StageEvidence({ requests: 0, latency: 0 });
    for (let client = 0; client < failing; client++) evidence.add("canary", 0, client, Float64Array.of(1, 1));
    evidence.add("stable", 0, failing, Float64Array.of(100, 0));
    evidence.close(1000);
    const side = { groups: {}, cold: 0 };
    const stage = { share: 0.01, since: 0, until: 1000, units: [evidence.summary(true)], stable: side, canary: side };
    return judge([stage], criteria).findings.find(({ criterion }) => criterion === "errors")?.verdict;
  };
  expect([needed[1], verdictOn(needed[1] ?? 0), verdictOn((needed[1] ?? 0) - 1)]).toEqual([6, "fail", "not-enough"]);
});

describe("steps: auto", () => {
  it.each<[string, TrafficEstimate | null, number[]]>([
    ["no traffic is known", null, [1, 10, 50]],
    ["hardly a request comes", trafficAt(0.01, 3), [20, 50]],
    ["one client sends all", { ...trafficAt(500, 1), clients: { clusters: 1, authenticated: 1, dealt: 0 } }, [20, 50]],
    ["the traffic is small", trafficAt(50, 1000), [10, 50]],
    ["its clients are unknown", trafficAt(50, null), [10, 50]],
    ["the traffic is huge", trafficAt(100_000, 500_000), [1, 5, 25, 50]],
  ])("if %s", (_, traffic, shares) => {
    expect(sharesAt(traffic)).toEqual(shares);
  });

  it.each([50, 200, 1000, 20_000])("at %i requests a second all users have it within two hours", (rate) => {
    const traffic = trafficAt(rate, rate * 20);
    const steps = stepsOf(withSteps(auto, traffic));
    const { steps: planned, totalMs } = planOf(steps, 60 * minute, criteria, traffic);
    expect(planned.length).toBeLessThanOrEqual(4);
    expect(totalMs).toBeLessThanOrEqual(120 * minute);
    // The bake is as long as a pass takes, so evidence is not waited for.
    for (const { passesMs, bakeMs } of planned) expect(passesMs).toBeLessThanOrEqual(bakeMs);
    expect(stepsOf({ ...auto, steps: withSteps(auto, traffic).steps })[0]).toMatchObject({ share: 0 });
  });

  it("never bakes shorter than the release says, and leaves written steps alone", () => {
    const long = releaseSchema.parse({ steps: "auto", bake: "1h" });
    for (const { bakeMs } of stepsOf(withSteps(long, trafficAt(1000, 20_000)))) expect(bakeMs).toBe(60 * minute);
    const written = releaseSchema.parse({ steps: ["7%", "100%"] });
    expect(withSteps(written, trafficAt(1000, 20_000))).toEqual(written);
  });

  it("holds the default steps where nothing chooses, as in a wave of an older plan", () => {
    expect(stepsOf(auto).map(({ share }) => share)).toEqual([0, 1, 10, 50, 100]);
  });
});

describe("the traffic", () => {
  const series = (it: Partial<StoredSeries>): StoredSeries => ({
    ...{ route: "a", method: "GET", status: "200", verdict: "passed", by: "", code: "", upstream: "", version: "v1" },
    ...{ count: 0, latency: [], upstreamMs: 0, bytesIn: 0, bytesOut: 0, since: 0, heard: 100 * minute },
    ...it,
  });

  it("is what all versions had since the first report", () => {
    const found = trafficOf(
      [
        series({ count: 900, latency: [[60, 900]], heard: 50 * minute }),
        series({ count: 60, status: "502", version: "v2", since: 40 * minute }),
        series({ count: 120, status: "403", verdict: "refused" }),
        series({ count: 60, status: "404" }),
        series({ count: 60, status: "", verdict: "left" }),
      ],
      null,
    );
    expect(found).toMatchObject({ since: 0, until: 100 * minute, requestsPerSecond: 0.2, latency: [[60, 900]] });
    expect(found?.rates).toEqual({ errors: 0.05, refusals: 0.1, clientErrors: 0.05, abandoned: 0.05 });
  });

  it("is unknown while hardly anything was counted", () => {
    expect(trafficOf([], null)).toBeNull();
    expect(trafficOf([series({ count: 1000, heard: 9 * minute })], null)).toBeNull();
    expect(trafficOf([series({ count: 99 })], null)).toBeNull();
  });

  it("has the clients that an earlier stage counted", () => {
    const evidence = new StageEvidence({ requests: 0, latency: 0 });
    const one = Float64Array.of(1);
    for (let count = 0; count < 3; count++) evidence.add("stable", 0, count, one);
    evidence.add("canary", 0, clustersPerKind + 1, one);
    for (let count = 0; count < 4; count++) evidence.add("canary", 0, 2 * clustersPerKind + 7, one);
    evidence.close(1000);
    expect(clientsIn([evidence.summary(false)])).toEqual({ clusters: 4, authenticated: 0.25, dealt: 0.5 });
    expect(clientsIn([])).toBeNull();
  });
});
