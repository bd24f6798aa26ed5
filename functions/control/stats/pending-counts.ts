/** What clusters did since an interval was closed: a row for each cluster, with the counts of both versions by measure. */
import { maxClusters } from "../../gateway/observability/clusters.ts";
import { measures, type Side } from "./measures.ts";

/** Of one version: one for each measure, and one for the requests after the split has settled. */
export const slots = measures.length + 1;
export const settledSlot = measures.length;

const rowSize = 2 * slots;
const leastRows = 1024;

/** Hits of the canary, and of both versions, by cluster. */
export interface ClusterHits {
  readonly clusters: Uint16Array;
  readonly canary: Float64Array;
  readonly all: Float64Array;
  /** Entries beyond are not used. */
  readonly count: number;
}

const newHits = (size: number) => ({
  clusters: new Uint16Array(size),
  canary: new Float64Array(size),
  all: new Float64Array(size),
});

/** Rows are kept and used again: this is the inner loop of what evidence costs. */
export class PendingCounts {
  /** One more than the row of a cluster, or zero. */
  readonly #rowOf = new Uint16Array(maxClusters);
  readonly #clusters: number[] = [];
  #counts = new Float64Array(leastRows * rowSize);
  #hits = newHits(leastRows);

  /** Clusters that did anything. */
  get size(): number {
    return this.#clusters.length;
  }

  add(side: Side, cluster: number, slot: number, count: number): void {
    let row = (this.#rowOf[cluster] as number) - 1;
    if (row < 0) {
      row = this.#clusters.length;
      this.#clusters.push(cluster);
      this.#rowOf[cluster] = row + 1;
      if ((row + 1) * rowSize > this.#counts.length) this.#grow();
    }
    const at = row * rowSize + (side === "canary" ? slots : 0) + slot;
    this.#counts[at] = (this.#counts[at] as number) + count;
  }

  /** Those with counts in a slot. What is returned is valid until the next call. */
  hitsOf(slot: number): ClusterHits {
    const size = this.#clusters.length;
    if (this.#hits.clusters.length < size) this.#hits = newHits(2 * size);
    const { clusters, canary: canaries, all: sums } = this.#hits;
    let count = 0;
    for (let row = 0; row < size; row++) {
      const at = row * rowSize + slot;
      const canary = this.#counts[at + slots] as number;
      const all = canary + (this.#counts[at] as number);
      if (all === 0) continue;
      clusters[count] = this.#clusters[row] as number;
      canaries[count] = canary;
      sums[count++] = all;
    }
    return { clusters, canary: canaries, all: sums, count };
  }

  /** Adds the counts of all clusters: stable's slots, then the canary's. */
  addSums(sums: Float64Array): void {
    for (let row = 0; row < this.#clusters.length; row++)
      for (let index = 0; index < rowSize; index++)
        sums[index] = (sums[index] as number) + (this.#counts[row * rowSize + index] as number);
  }

  clear(): void {
    for (const cluster of this.#clusters) this.#rowOf[cluster] = 0;
    this.#counts.fill(0, 0, this.#clusters.length * rowSize);
    this.#clusters.length = 0;
  }

  #grow(): void {
    const grown = new Float64Array(2 * this.#counts.length);
    grown.set(this.#counts);
    this.#counts = grown;
  }
}
