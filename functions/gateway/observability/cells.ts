/** Counts requests by cluster and by the time they started, so that a rollout can compare what each party met. */
import { isCounted } from "./clusters.ts";
import { maxBin } from "./samples.ts";

/** Requests are counted by the interval in which they started: an interval is within one step of a rollout. */
export const cellMs = 2000;

/** Of one report. Beyond this it leaves out whole clusters. */
export const maxCells = 4000;

/**
 * Of one cluster, so that two who send as many different requests as they can leave room for the others. Beyond the first its
 * latency is not measured any more.
 */
const maxCellsOfCluster = { measured: maxCells / 4, all: (3 * maxCells) / 8 };

/** The latency bin of requests whose latency is not measured. */
export const unmeasured = -1;

/** A label for a number and a latency bin. */
export const labelOf = (number: number, bin: number): number => number * bins + bin - unmeasured;

/** The number and the bin of a label. */
export const fromLabel = (label: number): readonly [number: number, bin: number] => [
  Math.floor(label / bins),
  (label % bins) + unmeasured,
];

/** The same label, whose latency is not measured. */
export const withoutBin = (label: number): number => label - (label % bins);

const bins = maxBin + 1 - unmeasured;

/** The cells of requests that started within `cellMs` after `at`. */
export interface CellsAt<Cell> {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly cells: readonly Cell[];
}

/** Counts of clusters, each under a label: a small number. */
export interface ClusterCounts {
  /**
   * Counts a request.
   * @param started milliseconds since the epoch
   */
  readonly add: (started: number, cluster: number, label: number) => void;
  /** What was counted, as a report has it. */
  readonly cells: <Cell>(
    cellOf: (label: number, cluster: number, count: number) => Cell | undefined,
  ) => CellsAt<Cell>[];
  /** Of the clusters that are counted: see `isCounted`. */
  readonly every: () => number;
}

/**
 * @param labels number of labels, such that its product with `maxClusters` is exact
 * @param coarser the label that counts for a cluster with too many
 */
export const clusterCounts = (labels: number, coarser = (label: number): number => label): ClusterCounts => {
  /** By start of the interval, then by cluster and label as one number, which is cheaper than a text. */
  const intervals = new Map<number, Map<number, number>>();
  /** Cells by cluster. */
  const sizes = new Map<number, number>();
  let size = 0;
  let every = 1;
  const thin = (): void => {
    every *= 2;
    for (const [at, counts] of intervals) {
      for (const key of counts.keys())
        if (!isCounted(Math.floor(key / labels), every)) {
          counts.delete(key);
          size--;
        }
      if (counts.size === 0) intervals.delete(at);
    }
    for (const cluster of sizes.keys()) if (!isCounted(cluster, every)) sizes.delete(cluster);
  };
  const addCell = (counts: Map<number, number>, cluster: number, label: number): void => {
    const own = sizes.get(cluster) ?? 0;
    const key = cluster * labels + (own < maxCellsOfCluster.measured ? label : coarser(label));
    const count = counts.get(key);
    if (count === undefined) {
      if (own >= maxCellsOfCluster.all) return;
      sizes.set(cluster, own + 1);
      size++;
    }
    counts.set(key, (count ?? 0) + 1);
  };
  return {
    add: (started, cluster, label) => {
      if (!isCounted(cluster, every)) return;
      const at = started - (started % cellMs);
      let counts = intervals.get(at);
      if (!counts) {
        counts = new Map();
        intervals.set(at, counts);
      }
      const key = cluster * labels + label;
      const count = counts.get(key);
      if (count === undefined) addCell(counts, cluster, label);
      else counts.set(key, count + 1);
      while (size > maxCells) thin();
    },
    cells: (cellOf) =>
      [...intervals]
        .map(([at, counts]) => ({
          at,
          cells: [...counts]
            .map(([key, count]) => cellOf(key % labels, Math.floor(key / labels), count))
            .filter((it) => it !== undefined),
        }))
        .filter(({ cells }) => cells.length > 0),
    every: () => every,
  };
};
