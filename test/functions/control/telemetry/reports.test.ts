/** Schemas of reports: what gates and fronts of this release send, what older ones sent, and what nobody may. */
import { describe, expect, it } from "vitest";
import { frontReport, report } from "../../../../functions/control/telemetry/reports.ts";
import { maxCells } from "../../../../functions/gateway/observability/cells.ts";
import { maxClusters } from "../../../../functions/gateway/observability/clusters.ts";

const group = { requests: 2, errors: 0, refusals: 0, upstreamErrors: 0, abandoned: 0, latency: [] };
/** Of the previous release. */
const olderGate = {
  ...{ tier: "wallet", version: "v1", sample: { groups: { "3": group }, cold: 0 }, series: [], lost: 0 },
  ...{ marks: [], streams: [], bodies: [], fronts: [{ version: "f1", groups: { "3": group } }] },
};
const olderFront = {
  ...{ counts: [], lost: 0, version: "f1", sample: { groups: { "3": group }, cold: 0 }, answers: [] },
  deaths: [{ tier: "wallet", version: "v1", group: 3 }],
};
const at = 1_800_000_000_000;

describe("a gate's report", () => {
  it("of the previous release has no cells", () => {
    expect(report.parse(olderGate)).toMatchObject({
      ...{ sample: olderGate.sample, cells: [], every: 1, brokenBodies: [] },
      fronts: [{ version: "f1", groups: { "3": group }, cells: [], every: 1 }],
    });
  });

  it("keeps its cells", () => {
    const cells = [{ at, cells: [[0, maxClusters - 1, -1, 3]] }];
    const brokenBodies = [{ at, cluster: 5, count: 1 }];
    const fronts = [{ version: "f1", groups: {}, cells: [{ at, cells: [[2, 7, 1]] }], every: 4 }];
    const more = { sample: { groups: {}, cold: 0 }, cells, every: 8, brokenBodies, fronts };
    expect(report.parse({ ...olderGate, ...more })).toMatchObject(more);
  });

  it.each<[string, object]>([
    ["a cluster beyond the numbers", { cells: [{ at, cells: [[0, maxClusters, 1, 1]] }] }],
    ["a negative cluster", { cells: [{ at, cells: [[0, -1, 1, 1]] }] }],
    ["a bin beyond the last", { cells: [{ at, cells: [[0, 1, 401, 1]] }] }],
    ["a bin below -1", { cells: [{ at, cells: [[0, 1, -2, 1]] }] }],
    ["a fraction of a request", { cells: [{ at, cells: [[0, 1, 1, 0.5]] }] }],
    ["a negative count", { brokenBodies: [{ at, cluster: 1, count: -1 }] }],
    ["a series beyond the bound", { cells: [{ at, cells: [[601, 1, 1, 1]] }] }],
    [
      "a cell of a front with a bin",
      { fronts: [{ version: "f", groups: {}, cells: [{ at, cells: [[0, 1, 1, 1]] }] }] },
    ],
    ["a time without a number", { cells: [{ at: "now", cells: [] }] }],
    ["too many cells", { cells: [{ at, cells: Array(maxCells + 1).fill([0, 1, 1, 1]) }] }],
    ["too many intervals", { cells: Array(maxCells + 1).fill({ at, cells: [] }) }],
    ["too many bodies", { brokenBodies: Array(maxCells + 1).fill({ at, cluster: 1, count: 1 }) }],
    ["no part of the clusters", { every: 0 }],
  ])("with %s is refused", (_, over) => {
    expect(report.safeParse({ ...olderGate, ...over }).success).toBe(false);
  });
});

describe("a front's report", () => {
  it("of the previous release has deaths without a cluster, and no cells", () => {
    expect(frontReport.parse(olderFront)).toEqual({ ...olderFront, cells: [], every: 1 });
  });

  it("keeps its cells and the clusters of deaths", () => {
    const deaths = [{ tier: "wallet", version: "v1", group: 3, cluster: 40_000, at }];
    const more = { cells: [{ at, cells: [[5, 7, 12, 1]] }], every: 2, deaths };
    expect(frontReport.parse({ ...olderFront, ...more })).toMatchObject(more);
  });

  it.each<[string, object]>([
    ["an outcome beyond the bound", { cells: [{ at, cells: [[32, 1, 1, 1]] }] }],
    ["a death of no cluster", { deaths: [{ tier: "wallet", version: "v1", group: 3, cluster: maxClusters, at }] }],
    ["a cell without a bin", { cells: [{ at, cells: [[0, 1, 1]] }] }],
  ])("with %s is refused", (_, over) => {
    expect(frontReport.safeParse({ ...olderFront, ...over }).success).toBe(false);
  });
});
