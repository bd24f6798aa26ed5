/**
 * Counts the clusters that reach a number of hits, in one window and for one measure.
 *
 * A cluster is counted when its hits under both versions together first reach a level, with the canary's part of them. If the
 * version changes nothing, that moment does not depend on which version the cluster has, and the part is the canary's share on
 * average; so each cluster is a trial of its own, however many requests it sends and however bad it is.
 */
import { clustersPerKind, maxClusters } from "../../gateway/observability/clusters.ts";

/** Of hits. A level of one is the first hit of each cluster; higher ones show clusters that fail oftener than before. */
export const levels = [1, 8, 64] as const;

/** Of one level. Requests that were dealt one by one are clusters of their own. */
export interface Crossing {
  /** Sum of the canary's parts. */
  canary: number;
  all: number;
}

/** By level, then `trusted` (authenticated or dealt) and `anonymous`. */
export type Crossings = readonly { readonly trusted: Crossing; readonly anonymous: Crossing }[];

/** Numbers below this are clusters; others were dealt. */
export const dealtFrom = maxClusters - clustersPerKind;

/** A cluster that has reached it is not counted any more, so a byte is enough for its hits. */
const lastLevel = Math.max(...levels);

export class CrossingCounter {
  readonly #canary = new Uint8Array(dealtFrom);
  readonly #all = new Uint8Array(dealtFrom);
  readonly #touched: number[] = [];
  readonly crossings: Crossings = levels.map(() => ({
    trusted: { canary: 0, all: 0 },
    anonymous: { canary: 0, all: 0 },
  }));

  /** @param canary of the hits in an interval; `all` is those of both versions */
  add(cluster: number, canary: number, all: number): void {
    if (cluster >= dealtFrom) {
      const dealt = this.crossings[0]?.trusted;
      if (!dealt) return;
      dealt.canary += canary;
      dealt.all += all;
      return;
    }
    const before = this.#all[cluster] ?? 0;
    if (before >= lastLevel) return;
    const after = before + all;
    if (before === 0) this.#touched.push(cluster);
    const canaryAfter = (this.#canary[cluster] ?? 0) + canary;
    this.#all[cluster] = Math.min(after, lastLevel);
    this.#canary[cluster] = Math.min(canaryAfter, lastLevel);
    const kind = cluster >= clustersPerKind ? "trusted" : "anonymous";
    for (const [index, level] of levels.entries()) {
      if (before >= level || after < level) continue;
      const crossing = this.crossings[index]?.[kind];
      if (!crossing) continue;
      crossing.canary += canaryAfter / after;
      crossing.all += 1;
    }
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
