/**
 * The evidence of one stage: gathers what clusters did under both versions, interval by interval, and sums it up for the verdict.
 * Memory is bounded: clusters have numbers.
 */
import { clustersPerKind, maxClusters } from "../../gateway/observability/clusters.ts";
import { type Crossing, CrossingCounter, dealtFrom } from "./crossings.ts";
import { type Difference, differenceOf } from "./difference.ts";
import { indexOf, type Measure, type MeasureCounts, measures, type Rate, rates, type Side } from "./measures.ts";
import { PendingCounts, settledSlot, slots } from "./pending-counts.ts";
import { type Window, wholeStage, windowStepMs, windowsFrom } from "./windows.ts";

/** Measures whose clusters are counted: `measured` is only what others are a share of. */
export const crossedMeasures = measures.filter((it) => it !== "measured");
export type CrossedMeasure = (typeof crossedMeasures)[number];

/** The clusters that reached a level in a window. */
export interface WindowCrossings {
  readonly window: Window;
  readonly measure: Measure;
  /** Index in `levels`. */
  readonly level: number;
  readonly trusted: Crossing;
  readonly anonymous: Crossing;
  /** The hits of each version in the window, and what they are a share of. */
  readonly hits: Readonly<Record<Side, { readonly hits: number; readonly of: number }>>;
}

/** Sums of one version. */
export interface SideSummary {
  /** By measure, in their order. */
  readonly totals: readonly number[];
  /** Clusters with requests; requests that were dealt one by one are not among them. */
  readonly clusters: number;
}

/** The clusters of the canary with most hits. */
export interface TopCluster {
  readonly cluster: number;
  readonly hits: number;
}

export interface RateSummary extends Difference {
  /** Clusters of the canary with hits, and dealt requests that were hits. */
  readonly hitUnits: number;
  readonly top: readonly TopCluster[];
}

/** What the verdict needs to know of one stage. Small, plain JSON. */
export interface StageSummary {
  readonly stable: SideSummary;
  readonly canary: SideSummary;
  readonly crossings: readonly WindowCrossings[];
  /** Absent if only failures are judged. */
  readonly rates?: Readonly<Record<Rate, RateSummary>>;
  readonly requests?: RequestsSummary;
}

/** How the requests of both versions compare with the split. */
export interface RequestsSummary {
  /** Winsorised: of all clusters, and the canary's part of them. */
  readonly all: number;
  readonly canary: number;
  /** Sum of squares of the clusters' weights; one for each dealt request. */
  readonly squares: number;
}

/** When a measure begins to count after a change of the split, in milliseconds. */
export interface Settling {
  /** Earlier ones are no part of the sample ratio. */
  readonly requests: number;
  /** Of `measured` and its parts. Earlier ones count nowhere. */
  readonly latency: number;
}

const maxTop = 3;

export class StageEvidence {
  readonly #settling: Settling;
  /** By measure, then by cluster; made when the first one is counted. */
  readonly #totals: Readonly<Record<Side, Float64Array[]>> = { stable: [], canary: [] };
  /** Requests after the split has settled, by which the sample ratio is judged. */
  readonly #settled: Readonly<Record<Side, Float64Array>> = { stable: newTotals(), canary: newTotals() };
  /** Clusters that did anything, if only hits whose requests were counted elsewhere. */
  readonly #active: number[] = [];
  readonly #isActive = new Uint8Array(maxClusters);
  readonly #windows: LiveWindow[] = [];
  readonly #spare: LiveWindow["counters"][] = [];
  #nextStart = 0;
  /** Sums of the totals, which would take most of a summary's time. */
  readonly #sums: Readonly<Record<Side, Float64Array>> = {
    stable: new Float64Array(measures.length),
    canary: new Float64Array(measures.length),
  };
  readonly #pending = new PendingCounts();

  constructor(settling: Settling) {
    this.#settling = settling;
  }

  /**
   * Adds what a cluster did.
   * @param at milliseconds since the stage began, when the requests started
   * @param counts by measure
   */
  add(side: Side, at: number, cluster: number, counts: MeasureCounts): void {
    if (cluster < 0 || cluster >= maxClusters) return;
    const totals = this.#totals[side];
    if (this.#isActive[cluster] === 0) this.#active.push(cluster);
    this.#isActive[cluster] = 1;
    const sums = this.#sums[side];
    for (let index = 0; index < measures.length; index++) {
      const count = counts[index] ?? 0;
      if (count === 0 || (index >= indexOf.measured && at < this.#settling.latency)) continue;
      const total = (totals[index] ??= newTotals());
      total[cluster] = (total[cluster] ?? 0) + count;
      sums[index] = (sums[index] ?? 0) + count;
      this.#pending.add(side, cluster, index, count);
      if (index !== indexOf.requests || at < this.#settling.requests) continue;
      const settled = this.#settled[side];
      settled[cluster] = (settled[cluster] ?? 0) + count;
      this.#pending.add(side, cluster, settledSlot, count);
    }
  }

  /**
   * Closes the interval: what was added since the last call counts, whatever the order in which it came, in the windows that
   * contain `at`. Time does not go back: an earlier `at` is the latest one again.
   * @param at milliseconds since the stage began
   */
  close(at: number): void {
    this.#startWindows(at);
    for (const measure of crossedIndexes) {
      const hits = this.#pending.hitsOf(measure === indexOf.requests ? settledSlot : measure);
      if (hits.count === 0) continue;
      for (const { counters } of this.#windows) {
        const counter = counters.get(measure) ?? new CrossingCounter();
        counters.set(measure, counter);
        counter.addAll(hits);
      }
    }
    for (const { sums } of this.#windows) this.#pending.addSums(sums);
    this.#pending.clear();
  }

  /** @param bounds whether to compute what a pass needs, which costs more */
  summary(bounds: boolean): StageSummary {
    const crossings = this.#windows.flatMap(({ window, counters, sums }) =>
      [...counters].flatMap(([index, { crossings: byLevel }]) =>
        byLevel.flatMap((it, level): WindowCrossings[] =>
          it.trusted.all + it.anonymous.all === 0
            ? []
            : [
                {
                  ...{ window, level },
                  measure: measures[index] as Measure,
                  trusted: { ...it.trusted },
                  anonymous: { ...it.anonymous },
                  hits: { stable: sharesIn(sums, index, 0), canary: sharesIn(sums, index, slots) },
                },
              ],
        ),
      ),
    );
    const sides = { stable: this.#sideSummary("stable"), canary: this.#sideSummary("canary"), crossings };
    const compared = { ...sides, requests: this.#requests() };
    return bounds ? { ...compared, rates: this.#rates() } : compared;
  }

  #startWindows(at: number): void {
    for (; this.#nextStart <= at; this.#nextStart += windowStepMs) {
      for (const ended of this.#windows.filter(({ window }) => window.until <= this.#nextStart)) this.#end(ended);
      const started = this.#nextStart === 0 ? [wholeStage] : windowsFrom(this.#nextStart);
      for (const window of started)
        this.#windows.push({
          window,
          counters: this.#spare.pop() ?? new Map(),
          sums: new Float64Array(2 * slots),
        });
    }
  }

  #end(ended: LiveWindow): void {
    this.#windows.splice(this.#windows.indexOf(ended), 1);
    for (const counter of ended.counters.values()) counter.clear();
    this.#spare.push(ended.counters);
  }

  #sideSummary(side: Side): SideSummary {
    const [requests] = this.#totals[side];
    return {
      totals: [...this.#sums[side]],
      clusters: this.#active.filter((cluster) => cluster < dealtFrom && (requests?.[cluster] ?? 0) > 0).length,
    };
  }

  #rates(): Record<Rate, RateSummary> {
    return Object.fromEntries(
      (Object.keys(rates) as Rate[]).map((rate) => {
        const totalsOf = (side: Side) => ({
          hits: this.#totals[side][indexOf[rate]] ?? none,
          of: this.#totals[side][indexOf[rates[rate]]] ?? none,
        });
        const { hits } = totalsOf("canary");
        const difference = differenceOf(totalsOf("stable"), totalsOf("canary"), this.#active);
        return [rate, { ...difference, ...this.#hitsOf(hits) }];
      }),
    ) as Record<Rate, RateSummary>;
  }

  #hitsOf(hits: ArrayLike<number>): Pick<RateSummary, "hitUnits" | "top"> {
    const hit = this.#active.filter((cluster) => (hits[cluster] ?? 0) > 0);
    const units = hit.reduce((sum, cluster) => sum + (cluster < dealtFrom ? 1 : (hits[cluster] ?? 0)), 0);
    const top = hit
      .map((cluster) => ({ cluster, hits: hits[cluster] ?? 0 }))
      .toSorted((a, b) => b.hits - a.hits)
      .slice(0, maxTop);
    return { hitUnits: units, top };
  }

  #requests(): RequestsSummary {
    const { stable, canary } = this.#settled;
    const clusters = this.#active.filter((it) => it < dealtFrom);
    const requestsOf = (it: number) => (stable[it] ?? 0) + (canary[it] ?? 0);
    const mean = clusters.reduce((sum, it) => sum + requestsOf(it), 0) / Math.max(1, clusters.length);
    const summary = { all: 0, canary: 0, squares: 0 };
    for (const it of this.#active) {
      const all = requestsOf(it);
      const weight = it < dealtFrom ? Math.min(all, maxMeanRequests * mean) : all;
      summary.all += weight;
      summary.canary += all > 0 ? (weight * (canary[it] ?? 0)) / all : 0;
      summary.squares += it < dealtFrom ? weight ** 2 : all;
    }
    return summary;
  }
}

/** A cluster weighs this many mean ones at most: which version the busiest have is chance. */
const maxMeanRequests = 2;

interface LiveWindow {
  readonly window: Window;
  /** By index of the measure. */
  readonly counters: Map<number, CrossingCounter>;
  /** Counts in the window: stable's slots, then the canary's. */
  readonly sums: Float64Array;
}

const sharesIn = (sums: Float64Array, measure: number, shift: number): WindowCrossings["hits"][Side] => ({
  hits: sums[shift + measure] ?? 0,
  of: sums[shift + (measure >= indexOf.measured ? indexOf.measured : indexOf.requests)] ?? 0,
});

const crossedIndexes = crossedMeasures.map((it) => indexOf[it]);

const newTotals = (): Float64Array => new Float64Array(maxClusters);
const none: ArrayLike<number> = [];

/** For tests and reports: the least number of a kind. */
export const firstOf = { anonymous: 0, authenticated: clustersPerKind, dealt: dealtFrom } as const;
