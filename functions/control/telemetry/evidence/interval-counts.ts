/**
 * Counts of clusters in one interval. It is empty between intervals, and its arrays are large, so an object has one for all
 * stages.
 */
import { maxClusters } from "../../../gateway/observability/clusters.ts";
import { type MeasureCounts, measures } from "../../stats/measures.ts";

export const intervalCounts = () => {
  const sums = new Float64Array(maxClusters * measures.length);
  const isCounted = new Uint8Array(maxClusters);
  const clusters = new Uint32Array(maxClusters);
  const counts = new Float64Array(measures.length);
  let size = 0;
  return {
    /** By cluster, then by measure. */
    sums,
    /** @returns where the cluster's counts begin */
    startOf: (cluster: number): number => {
      if (isCounted[cluster] === 0) {
        isCounted[cluster] = 1;
        clusters[size++] = cluster;
      }
      return cluster * measures.length;
    },
    /** Visits the clusters in ascending order, whoever reported first, so that sums are equal to the last digit, and empties it. */
    drain: (visit: (cluster: number, counts: MeasureCounts) => void): void => {
      const all = clusters.subarray(0, size).sort();
      for (let index = 0; index < all.length; index++) {
        const cluster = all[index] as number;
        const start = cluster * measures.length;
        for (let measure = 0; measure < measures.length; measure++) {
          counts[measure] = sums[start + measure] as number;
          sums[start + measure] = 0;
        }
        isCounted[cluster] = 0;
        visit(cluster, counts);
      }
      size = 0;
    },
  };
};

export type IntervalCounts = ReturnType<typeof intervalCounts>;
