/** What a tier's telemetry object answers about a stage: who is counted, for which stage, and how slow is slow. */
import { describe, expect, it } from "vitest";
import { indexOf, type Measure, type Side } from "../../../../functions/control/stats/measures.ts";
import { deathsIn, emptySample } from "../../../../functions/control/telemetry/counts/samples.ts";
import type { CellTable } from "../../../../functions/control/telemetry/evidence/cell-table.ts";
import {
  cellsOfDeaths,
  cellsOfGate,
  deathsOfUnknown,
} from "../../../../functions/control/telemetry/evidence/report-cells.ts";
import { createStageTable } from "../../../../functions/control/telemetry/evidence/stage-table.ts";
import { stagesOn, type UnitEvidence } from "../../../../functions/control/telemetry/evidence/stages.ts";
import { openStore, type TelemetryStore } from "../../../../functions/control/telemetry/store.ts";
import { cellMs } from "../../../../functions/gateway/observability/cells.ts";
import { clustersPerKind } from "../../../../functions/gateway/observability/clusters.ts";
import type { Cell } from "../../../../functions/gateway/observability/report.ts";
import { seededRandom } from "../seeded-random.ts";
import {
  begin,
  failed,
  inDurableObject,
  internal,
  left,
  notFound,
  ok,
  onNewRoute,
  outcomes,
  past,
  queryOf,
  refused,
  report,
} from "./in-store.ts";

const secondMs = 1000;
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

const total = (it: UnitEvidence | undefined, side: Side, measure: Measure): number =>
  it?.summary[side].totals[indexOf[measure]] ?? 0;
const totals = (it: UnitEvidence | undefined, measure: Measure) => [
  total(it, "stable", measure),
  total(it, "canary", measure),
];
const wholeStage = (it: UnitEvidence | undefined, measure: Measure) =>
  it?.summary.crossings.find((one) => one.measure === measure && one.level === 0 && one.window.until > 1e12);

describe("a stage", () => {
  it("counts what gates reported, by measure and cluster", () =>
    inDurableObject(({ storage }) => {
      const store = openStore(storage.sql);
      const cells: Cell[] = [
        [ok, 1, 5, 10],
        [failed, 2, 5, 1],
        [refused, 3, 5, 2],
        [notFound, 4, 5, 3],
        [left, 5, 5, 4],
      ];
      report(store, "v1", { [begin]: [[ok, 1, 5, 90]] }, begin + 2 * secondMs);
      report(store, "v2", { [begin]: [...cells, [internal, 6, 5, 5]] }, begin + 2 * secondMs);
      const found = store.evidence(queryOf(), begin + 10 * secondMs);
      const read = (measure: Measure) => total(found, "canary", measure);
      expect(totals(found, "requests")).toEqual([90, 25]);
      expect([read("errors"), read("refusals"), read("clientErrors"), read("abandoned"), read("faults")]).toEqual([
        6, 2, 3, 4, 5,
      ]);
      expect(found?.summary.canary.clusters).toBe(6);
      expect(wholeStage(found, "errors")).toMatchObject({ anonymous: { canary: 2, all: 2 }, trusted: { all: 0 } });
      expect(found?.canary.groups["0"]).toMatchObject({ requests: 25, errors: 6, refusals: 2, upstreamErrors: 1 });
      expect(found?.summary.rates?.errors).toMatchObject({ units: 6 });
    }));

  it("waits until the reports of an interval have come", () =>
    inDurableObject(({ storage }) => {
      const store = openStore(storage.sql);
      report(store, "v2", { [begin]: [[ok, 1, 5, 10]] }, begin + 2 * secondMs);
      const at = (ms: number) => totals(store.evidence(queryOf(), begin + ms), "requests");
      expect(at(5 * secondMs)).toEqual([0, 0]);
      expect(at(6 * secondMs)).toEqual([0, 10]);
    }));

  it("has the requests that started in it, whenever they are reported; an interval with a border is nobody's", () =>
    inDurableObject(({ storage }) => {
      const store = openStore(storage.sql);
      const border = begin + 61 * secondMs;
      const cells = {
        [begin]: [[ok, 1, 5, 1]],
        [begin + 58 * secondMs]: [[ok, 1, 5, 2]],
        [begin + 60 * secondMs]: [[ok, 1, 5, 4]],
        [begin + 62 * secondMs]: [[ok, 1, 5, 8]],
      } as const;
      report(store, "v2", cells, border + 30 * secondMs);
      const now = border + 40 * secondMs;
      expect(totals(store.evidence(queryOf({ until: border }), now), "requests")).toEqual([0, 3]);
      expect(totals(store.evidence(queryOf({ since: border }), now), "requests")).toEqual([0, 8]);
      // So does what people see.
      expect(store.evidence(queryOf({ until: border }), now)?.canary.groups["0"]).toMatchObject({ requests: 3 });
    }));

  it("cannot be chosen by a gate whose clock is wrong", () =>
    inDurableObject(({ storage }) => {
      const store = openStore(storage.sql);
      const now = begin + 10 * minuteMs;
      const border = now - 5 * secondMs;
      report(store, "v2", { [now + hourMs]: [[ok, 1, 5, 1]], [begin]: [[ok, 1, 5, 2]] }, now);
      report(store, "v2", { [now - 110 * secondMs]: [[ok, 1, 5, 4]] }, now);
      const later = now + minuteMs;
      expect(totals(store.evidence(queryOf({ until: border }), later), "requests")).toEqual([0, 4]);
      expect(totals(store.evidence(queryOf({ since: border }), later), "requests")).toEqual([0, 3]);
    }));

  it.each([1, 2, 3, 4, 5, 6])("is the same after a restart, whatever came late and whenever it was read (%i)", (seed) =>
    inDurableObject(({ storage }) => {
      const random = seededRandom(seed);
      const below = (most: number) => Math.floor(random() * most);
      const store = openStore(storage.sql);
      past(store, "v1", begin - hourMs);
      const query = queryOf({ since: begin + secondMs, settling: { requests: 10_000, latency: 20_000 } });
      let now = begin;
      for (let turn = 0; turn < 150; turn++) {
        now += below(3000);
        const version = random() < 0.3 ? "v2" : "v1";
        const at = now - below(random() < 0.2 ? 100_000 : 5000);
        const cells = Array.from(
          { length: below(20) },
          (): Cell => [below(outcomes.length), below(3) * clustersPerKind + below(40), below(60) - 1, 1 + below(5)],
        );
        report(store, version, { [at - (at % 2000)]: cells }, now, random() < 0.1 ? 2 : 1);
        if (random() < 0.1) died(store, version, random() < 0.5 ? "front" : "tail", below(4), now);
        if (random() < 0.05) store.sweep(now);
        if (random() < 0.3) store.evidence(query, now);
      }
      const until = random() < 0.5 ? null : now - 20_000;
      const found = store.evidence({ ...query, until }, now);
      expect(total(found, "canary", "requests")).toBeGreaterThan(100);
      expect(total(found, "stable", "slow99")).toBeGreaterThan(0);
      expect(openStore(storage.sql).evidence({ ...query, until }, now)).toEqual(found);
    }),
  );

  it("that has ended is summed up once, and stays when its counts are gone", () =>
    inDurableObject(({ storage }) => {
      const store = openStore(storage.sql);
      report(store, "v2", { [begin]: [[failed, 1, 5, 10]] }, begin + 2 * secondMs);
      const query = queryOf({ until: begin + minuteMs, bounds: false });
      expect(store.evidence(query, begin + 2 * minuteMs)?.summary.rates).toBeUndefined();
      const found = store.evidence(query, begin + 5 * minuteMs);
      expect(found?.summary.rates).toBeDefined();
      expect(wholeStage(found, "errors")).toMatchObject({ anonymous: { canary: 1, all: 1 } });
      store.sweep(begin + 26 * hourMs);
      expect(openStore(storage.sql).evidence(query, begin + 26 * hourMs)).toEqual(found);
    }));

  it("keeps its clusters while it is compared; others have totals alone after fifteen minutes", () =>
    inDurableObject(({ storage }) => {
      const store = openStore(storage.sql);
      const rows = () =>
        storage.sql
          .exec<{ version: string }>("SELECT DISTINCT version FROM cluster_cells ORDER BY version")
          .toArray()
          .map(({ version }) => version);
      for (const version of ["v1", "v2", "v3"]) report(store, version, { [begin]: [[ok, 1, 5, 7]] }, begin);
      store.evidence(queryOf(), begin);
      store.sweep(begin + 10 * minuteMs);
      expect(rows()).toEqual(["v1", "v2", "v3"]);
      store.sweep(begin + 20 * minuteMs);
      expect(rows()).toEqual(["v1", "v2"]);
      expect(store.between("v3", begin, begin + hourMs).groups["0"]?.requests).toBe(7);
      expect(totals(openStore(storage.sql).evidence(queryOf(), begin + 20 * minuteMs), "requests")).toEqual([7, 7]);
    }));

  it("has totals of its own also when they are merged by minutes", () =>
    inDurableObject(({ storage }) => {
      const store = openStore(storage.sql);
      const border = begin + 90 * secondMs;
      for (let at = begin; at < begin + 3 * minuteMs; at += 2000)
        report(store, "v2", { [at]: [[failed, 1, 5, 1]] }, at);
      const before = queryOf({ until: border, canary: "v2" });
      const after = queryOf({ since: border });
      store.evidence(before, border + 10 * secondMs);
      store.evidence(after, border + 10 * secondMs);
      store.sweep(begin + 20 * minuteMs);
      const rows = storage.sql.exec<{ n: number }>("SELECT COUNT(*) AS n FROM samples WHERE version = 'v2'").one().n;
      expect(rows).toBe(4);
      const errorsOf = (it: UnitEvidence | undefined) => it?.canary.groups["0"]?.errors;
      expect(errorsOf(store.evidence(before, begin + 20 * minuteMs))).toBe(45);
      expect(errorsOf(store.evidence(after, begin + 20 * minuteMs))).toBe(45);
      store.sweep(begin + 21 * minuteMs);
      expect(errorsOf(store.evidence(after, begin + 21 * minuteMs))).toBe(45);
    }));

  it("knows how many requests the tail saw", () =>
    inDurableObject(({ storage }) => {
      const store = openStore(storage.sql);
      const saw = (version: string, by: number, now: number) =>
        store.hear([{ tier: "wallet", version, tallies: [{ name: "cpu-requests", labels: { route: "r" }, by }] }], now);
      expect(store.evidence(queryOf(), begin)?.witnessed).toBeUndefined();
      saw("v1", 90, begin + secondMs);
      saw("v2", 10, begin + secondMs);
      saw("v2", 5, begin + minuteMs);
      expect(store.evidence(queryOf(), begin + minuteMs)?.witnessed).toEqual({ stable: 90, canary: 15 });
    }));
});

const died = (store: TelemetryStore, version: string, seen: "front" | "tail", count: number, now: number): void => {
  const clusters = Array.from({ length: count }, (_, index) => ({ group: 1, cluster: index, at: now - (now % 2000) }));
  const cells = seen === "front" ? cellsOfDeaths(clusters) : deathsOfUnknown(count);
  const sample = deathsIn(clusters.map(({ group }) => group));
  store.hear([{ tier: "wallet", version, tallies: [], deaths: { seen, sample, cells } }], now);
};

describe("deaths", () => {
  it("count once if two observers saw them, by cluster if the front did", () =>
    inDurableObject(({ storage }) => {
      const store = openStore(storage.sql);
      report(store, "v2", { [begin]: [[ok, 1, 5, 10]] }, begin + secondMs);
      died(store, "v2", "front", 2, begin + secondMs);
      died(store, "v2", "tail", 5, begin + 5 * secondMs);
      const found = store.evidence(queryOf(), begin + 20 * secondMs);
      expect([total(found, "canary", "requests"), total(found, "canary", "faults")]).toEqual([15, 5]);
      // Three are known to the tail alone, which knows no users: each is a unit.
      expect(wholeStage(found, "faults")).toMatchObject({
        anonymous: { canary: 2, all: 2 },
        trusted: { canary: 3, all: 3 },
      });
      expect(found?.canary.groups["0"]).toMatchObject({ requests: 15, errors: 5 });
      died(store, "v2", "front", 6, begin + 21 * secondMs);
      expect(total(store.evidence(queryOf(), begin + minuteMs), "canary", "faults")).toBe(8);
    }));
});

describe("slowness", () => {
  const slow = (found: UnitEvidence | undefined, side: Side) =>
    (["measured", "over50", "over90", "over99", "slow99", "late99"] as const).map((it) => total(found, side, it));

  it("is measured by the quantiles that stable had before, and the canary may be slower as tolerated", () =>
    inDurableObject(({ storage }) => {
      const store = openStore(storage.sql);
      past(store, "v1", begin - minuteMs);
      const cells: Cell[] = [
        [ok, 1, 10, 1],
        [ok, 1, 14, 2],
        [ok, 1, 15, 4],
        [ok, 1, 25, 8],
        [ok, 1, 31, 16],
        [ok, 1, 35, 32],
      ];
      for (const version of ["v1", "v2"]) report(store, version, { [begin]: cells }, begin + secondMs);
      const found = store.evidence(queryOf(), begin + 10 * secondMs);
      expect(slow(found, "stable")).toEqual([63, 62, 56, 48, 48, 48]);
      expect(slow(found, "canary")).toEqual([63, 60, 56, 32, 48, 32]);
    }));

  it("is that of routes that stable knows, in warm isolates; a failure is slow anywhere on them", () =>
    inDurableObject(({ storage }) => {
      const store = openStore(storage.sql);
      past(store, "v1", begin - minuteMs);
      const cells: Cell[] = [
        [onNewRoute, 1, 90, 1],
        [ok, 1, -1, 2],
        [failed, 1, -1, 4],
        [left, 1, 0, 8],
        [refused, 1, 0, 16],
      ];
      report(store, "v2", { [begin]: cells }, begin + secondMs);
      expect(slow(store.evidence(queryOf(), begin + 10 * secondMs), "canary")).toEqual([28, 12, 12, 12, 12, 0]);
    }));

  it("is measured later in the stage of a new tier, as soon as stable has had enough requests", () =>
    inDurableObject(({ storage }) => {
      const store = openStore(storage.sql);
      const measured = (at: number) => total(store.evidence(queryOf(), at), "canary", "measured");
      report(store, "v2", { [begin]: [[ok, 1, 10, 5]] }, begin + secondMs);
      expect(measured(begin + 10 * secondMs)).toBe(0);
      past(store, "v1", begin + 20 * secondMs);
      expect(measured(begin + 30 * secondMs)).toBe(0);
      report(store, "v2", { [begin + 32 * secondMs]: [[ok, 1, 10, 7]] }, begin + 33 * secondMs);
      // What started before the thresholds were known is never measured.
      expect(measured(begin + minuteMs)).toBe(7);
    }));

  it("is not measured where stable has hardly been", () =>
    inDurableObject(({ storage }) => {
      const store = openStore(storage.sql);
      past(store, "v1", begin - minuteMs, 1);
      report(
        store,
        "v2",
        {
          [begin]: [
            [ok, 1, 90, 5],
            [failed, 1, 1, 5],
          ],
        },
        begin + secondMs,
      );
      expect(slow(store.evidence(queryOf(), begin + 10 * secondMs), "canary")).toEqual([0, 0, 0, 0, 0, 0]);
    }));

  it("does not move with what happens in the stage, nor with a restart", () =>
    inDurableObject(({ storage }) => {
      const store = openStore(storage.sql);
      past(store, "v1", begin - minuteMs);
      store.evidence(queryOf(), begin);
      store.take(
        "v1",
        emptySample,
        [{ ...(outcomes[ok] as (typeof outcomes)[number]), count: 9e6, latency: [[99, 9e6]] }],
        begin,
      );
      report(store, "v2", { [begin]: [[ok, 1, 50, 5]] }, begin + secondMs);
      const again = openStore(storage.sql);
      expect(slow(again.evidence(queryOf(), begin + 10 * secondMs), "canary")).toEqual([5, 5, 5, 5, 5, 5]);
      const next = again.evidence(queryOf({ since: begin - 2000 }), begin + 10 * secondMs);
      expect(slow(next, "canary")).toEqual([5, 0, 0, 0, 0, 0]);
    }));

  it("of a version that is one route is measured by all that it did before", () =>
    inDurableObject(({ storage }) => {
      const store = openStore(storage.sql);
      const at = begin - minuteMs;
      report(store, "v1", { [at]: [[onNewRoute, 1, 10, 300]] }, at);
      report(store, "v2", { [begin]: [[onNewRoute, 1, 15, 5]] }, begin + secondMs);
      expect(slow(store.evidence(queryOf({ isOneRoute: true }), begin + 10 * secondMs), "canary")).toEqual([
        5, 5, 5, 5, 5, 5,
      ]);
    }));
});

describe("bounds", () => {
  it("clusters that one side leaves out, the other leaves out too", () =>
    inDurableObject(({ storage }) => {
      const store = openStore(storage.sql);
      const cells = [0, 1, 2, 3].map((cluster): Cell => [ok, cluster, 5, 1]);
      report(store, "v1", { [begin]: cells.filter(([, cluster]) => cluster % 2 === 0) }, begin + secondMs, 2);
      report(store, "v2", { [begin]: cells, [begin + 2000]: cells }, begin + 3 * secondMs);
      expect(totals(store.evidence(queryOf(), begin + 10 * secondMs), "requests")).toEqual([2, 2 + 4]);
      store.sweep(begin + minuteMs);
      expect(totals(openStore(storage.sql).evidence(queryOf(), begin + minuteMs), "requests")).toEqual([2, 6]);
    }));

  it("an interval with too much counts fewer clusters, of both versions alike", () =>
    inDurableObject(({ storage }) => {
      const store = openStore(storage.sql);
      const cells = Array.from({ length: 4000 }, (_, cluster): Cell => [ok, cluster, 5, 1]);
      report(
        store,
        "v2",
        {
          [begin]: [
            [ok, 1, 5, 1],
            [ok, 8, 5, 1],
          ],
        },
        begin + secondMs,
      );
      for (let isolate = 0; isolate < 60; isolate++) report(store, "v1", { [begin]: cells }, begin + secondMs);
      const stored = () =>
        storage.sql.exec<{ bytes: number }>("SELECT SUM(LENGTH(data)) AS bytes FROM cluster_cells").one().bytes;
      expect(stored()).toBeLessThan(1.2e6);
      const found = store.evidence(queryOf(), begin + 20 * secondMs);
      expect(total(found, "canary", "requests")).toBe(1);
      expect(found?.summary.stable.clusters).toBeLessThan(2000);
      store.sweep(begin + minuteMs);
      expect(stored()).toBeLessThan(20_000);
      expect(openStore(storage.sql).evidence(queryOf(), begin + 20 * secondMs)?.summary).toEqual(found?.summary);
    }));

  it("routes that a gate invents are not measured beyond some thousands", () =>
    inDurableObject(({ storage }) => {
      const store = openStore(storage.sql);
      for (let turn = 0; turn < 10; turn++) {
        const series = Array.from({ length: 500 }, (_, index) => ({ ...outcomes[ok], route: `r${turn}-${index}` }));
        const cells = series.map((_, index): Cell => [index, 1, 5, 1]);
        const all = { sample: emptySample, series: series as typeof outcomes, every: 1, brokenBodies: [] };
        const started = cellsOfGate({ ...all, cells: [{ at: begin, cells }] });
        store.take("v2", emptySample, [], begin + secondMs, undefined, [], started);
      }
      expect(storage.sql.exec<{ n: number }>("SELECT COUNT(*) AS n FROM cell_kinds").one().n).toBeLessThanOrEqual(4001);
      expect(totals(store.evidence(queryOf(), begin + 20 * secondMs), "requests")).toEqual([0, 5000]);
    }));
});

describe("a gate of the previous release", () => {
  const group = { requests: 10, errors: 1, refusals: 2, upstreamErrors: 1, abandoned: 0, latency: [[5, 7]] } as const;
  const old = (store: TelemetryStore, version: string, now: number) => {
    const sample = { groups: { 3: group, 40: group }, cold: 0 };
    const started = cellsOfGate({ sample, series: outcomes, cells: [], every: 1, brokenBodies: [] });
    store.take(version, sample, [], now, undefined, [], started);
  };

  it("has groups of users for clusters, and the other version's clusters are put into groups too", () =>
    inDurableObject(({ storage }) => {
      const store = openStore(storage.sql);
      const cells = Array.from({ length: 100 }, (_, cluster): Cell => [failed, cluster, 5, 1]);
      report(store, "v2", { [begin]: cells }, begin + secondMs);
      expect(store.evidence(queryOf(), begin + 8 * secondMs)?.summary.canary.clusters).toBe(100);
      old(store, "v1", begin + 9 * secondMs);
      const found = store.evidence(queryOf(), begin + 30 * secondMs);
      expect([found?.summary.stable.clusters, found?.summary.canary.clusters]).toEqual([2, 32]);
      expect([totals(found, "requests"), totals(found, "errors"), totals(found, "refusals")]).toEqual([
        [20, 100],
        [2, 100],
        [4, 0],
      ]);
      expect(found?.stable.groups["3"]).toMatchObject({ requests: 10, latency: [[5, 7]] });
      expect(openStore(storage.sql).evidence(queryOf(), begin + 30 * secondMs)).toEqual(found);
    }));
});

it("more long stages than fit into memory are all read to the end, though their rollouts ask in turns", () =>
  inDurableObject(({ storage }) => {
    const sql = storage.sql;
    createStageTable(sql);
    // Three intervals, each with as many cells as are read in one call.
    const data = new Uint32Array(1_000_000);
    const table = {
      ...{ kindOf: () => undefined, close: (now: number) => now, hasGroups: () => false },
      read: function* (versions: readonly string[], from: number) {
        for (let fold = begin; fold < begin + 3 * cellMs; fold += cellMs)
          if (fold >= from) yield { version: versions[0] as string, fold, at: fold, every: 1, groups: false, data };
      },
    };
    const stages = stagesOn(sql, table as unknown as CellTable, {
      thresholds: () => ({ routes: {} }),
      namesOf: (it) => ({ requests: it, "deaths-by-front": `front:${it}`, "deaths-by-tail": `tail:${it}` }),
      display: () => ({ stable: emptySample, canary: emptySample }),
    });
    const waiting = new Set(["a", "b", "c", "d", "e"]);
    for (let round = 0; round < 8; round++)
      for (const canary of [...waiting])
        if (stages.evidence({ ...queryOf(), canary }, begin + minuteMs + round * secondMs)) waiting.delete(canary);
    expect([...waiting]).toEqual([]);
  }));
