/**
 * Counts the clusters that reach a number of hits, in one window and for one measure.
 *
 * A cluster is counted when its hits under both versions together first reach a level, with the canary's part of them. If the
 * version changes nothing, that moment does not depend on which version the cluster has, and the part is the canary's share on
 * average; so each cluster is a trial of its own, however many requests it sends and however bad it is.
 */
import { firstOf } from "../../gateway/observability/clusters.ts";
import type { ClusterHits } from "./pending-counts.ts";

/** Of hits. A level of one is the first hit of each cluster; higher ones show clusters that fail oftener than before. */
export const levels = [1, 8, 64] as const;

const topLevel = Math.max(...levels);

/** Of one level. Requests that were dealt one by one are clusters of their own, at the level of one. */
export interface Crossing {
  /** Sum of the canary's parts. */
  canary: number;
  all: number;
}

/** By level, then `trusted` (authenticated or dealt) and `anonymous`. */
export type Crossings = readonly { readonly trusted: Crossing; readonly anonymous: Crossing }[];

export class CrossingCounter {
  /** Hits of clusters below the top level, which fit into a byte; beyond, `#all` has the top level. */
  readonly #canary = new Uint8Array(firstOf.dealt);
  readonly #all = new Uint8Array(firstOf.dealt);
  readonly #touched: number[] = [];
  readonly crossings: Crossings = levels.map(() => ({
    trusted: { canary: 0, all: 0 },
    anonymous: { canary: 0, all: 0 },
  }));

  /** @param canary of the hits in an interval, in which order does not count; `all` is those of both versions */
  add(cluster: number, canary: number, all: number): void {
    if (cluster >= firstOf.dealt) {
      const dealt = this.crossings[0]?.trusted;
      if (!dealt) return;
      dealt.canary += canary;
      dealt.all += all;
      return;
    }
    const before = this.#all[cluster] ?? 0;
    if (before >= topLevel) return;
    const after = before + all;
    if (before === 0) this.#touched.push(cluster);
    const canaryAfter = (this.#canary[cluster] ?? 0) + canary;
    this.#all[cluster] = Math.min(after, topLevel);
    this.#canary[cluster] = Math.min(canaryAfter, topLevel);
    const kind = cluster >= firstOf.authenticated ? "trusted" : "anonymous";
    for (let index = 0; index < levels.length; index++) {
      const level = levels[index] as number;
      const crossing = this.crossings[index]?.[kind];
      if (!crossing || before >= level || after < level) continue;
      crossing.canary += canaryAfter / after;
      crossing.all += 1;
    }
  }

  addAll({ clusters, canary, all, count }: ClusterHits): void {
    for (let index = 0; index < count; index++)
      this.add(clusters[index] as number, canary[index] as number, all[index] as number);
  }

  /** Starts again from nothing. Cheaper than a new one, whose arrays are large. */
  clear(): void {
    for (const cluster of this.#touched) {
      this.#all[cluster] = 0;
      this.#canary[cluster] = 0;
    }
    this.#touched.length = 0;
    for (const level of this.crossings)
      for (const it of [level.trusted, level.anonymous]) {
        it.canary = 0;
        it.all = 0;
      }
  }
}
