/** Cells: counts of requests by cluster and start, with bounds that leave out whole clusters. */
import fc from "fast-check";
import { expect, it } from "vitest";
import {
  cellMs,
  clusterCounts,
  fromLabel,
  labelOf,
  maxCells,
  unmeasured,
  withoutBin,
} from "../../../functions/gateway/observability/cells.ts";
import { isCounted, maxClusters } from "../../../functions/gateway/observability/clusters.ts";
import { maxBin } from "../../../functions/gateway/observability/samples.ts";

const labels = labelOf(600, unmeasured);

const requests = fc.array(
  fc.record({
    started: fc.integer({ min: 0, max: 5 * cellMs }),
    cluster: fc.oneof(fc.integer({ min: 0, max: maxClusters - 1 }), fc.integer({ min: 0, max: 5 })),
    label: fc.integer({ min: 0, max: labels - 1 }),
  }),
  { maxLength: 200 },
);

const counted = (counts: ReturnType<typeof clusterCounts>) =>
  counts
    .cells((label, cluster, count) => ({ label, cluster, count }))
    .flatMap(({ at, cells }) => cells.map((it) => ({ at, ...it })));

it("count each request once, in the interval in which it started", () => {
  fc.assert(
    fc.property(requests, (all) => {
      const counts = clusterCounts(labels);
      for (const { started, cluster, label } of all) counts.add(started, cluster, label);
      const expected = Map.groupBy(all, ({ started, cluster, label }) =>
        [Math.floor(started / cellMs) * cellMs, cluster, label].join(),
      );
      expect(counts.every()).toBe(1);
      expect(
        new Map(counted(counts).map(({ at, cluster, label, count }) => [[at, cluster, label].join(), count])),
      ).toEqual(new Map([...expected].map(([key, some]) => [key, some.length])));
    }),
    { seed: 23, numRuns: 300 },
  );
});

it("of two clients that send as many different requests as they can leave room for all others", () => {
  const counts = clusterCounts(labels, withoutBin);
  const attackers = [0, maxClusters / 3];
  for (let number = 0; number < 600; number++)
    for (const cluster of attackers) for (let bin = 0; bin < 20; bin++) counts.add(0, cluster, labelOf(number, bin));
  for (let cluster = 1; cluster <= 900; cluster++) counts.add(0, cluster, labelOf(1, 1));
  const all = counted(counts);
  expect(counts.every()).toBe(1);
  expect(all.filter(({ cluster }) => !attackers.includes(cluster))).toHaveLength(900);
  // Their latency is measured for the first of them.
  const theirs = all.filter(({ cluster }) => cluster === 0);
  expect(theirs).toHaveLength((3 * maxCells) / 8);
  expect(theirs.filter(({ label }) => fromLabel(label)[1] !== unmeasured)).toHaveLength(maxCells / 4);
});

it("of 100,000 clients are bounded, and are complete for the clusters that they count", () => {
  const counts = clusterCounts(labels);
  const wanted = new Map<number, number>();
  for (let index = 0; index < 100_000; index++) {
    const cluster = Math.imul(index, 2_654_435_761) % maxClusters;
    const number = cluster < 0 ? cluster + maxClusters : cluster;
    counts.add(index % (3 * cellMs), number, index % 7);
    wanted.set(number, (wanted.get(number) ?? 0) + 1);
  }
  const all = counted(counts);
  const every = counts.every();
  expect(all.length).toBeLessThanOrEqual(maxCells);
  expect(all.length).toBeGreaterThan(maxCells / 4);
  expect(every).toBeGreaterThan(1);
  const sums = new Map<number, number>();
  for (const { cluster, count } of all) sums.set(cluster, (sums.get(cluster) ?? 0) + count);
  expect(sums).toEqual(new Map([...wanted].filter(([cluster]) => isCounted(cluster, every)).toSorted(byOrderIn(sums))));
});

const byOrderIn = (sums: ReadonlyMap<number, number>) => {
  const order = [...sums.keys()];
  return ([a]: [number, number], [b]: [number, number]) => order.indexOf(a) - order.indexOf(b);
};

it("of three clients with more cells than fit are left out, and nobody else's come after", () => {
  const counts = clusterCounts(labels);
  for (const cluster of [0, maxClusters / 3, (2 * maxClusters) / 3])
    for (let label = 0; label <= maxCells; label++) counts.add(0, cluster, label);
  counts.add(0, 32_768, 1);
  expect(counted(counts)).toEqual([]);
  expect(isCounted(0, counts.every())).toBe(false);
});

it("have labels of a number and a bin", () => {
  for (const bin of [unmeasured, 0, 1, maxBin])
    for (const number of [0, 1, 599]) expect(fromLabel(labelOf(number, bin))).toEqual([number, bin]);
  // Cluster and label are one number, which has to be exact.
  expect(Number.isSafeInteger(maxClusters * labels)).toBe(true);
});
