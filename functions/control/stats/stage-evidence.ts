/**
 * The evidence of one stage: gathers what clusters did under both versions, interval by interval, and sums it up for the verdict.
 * Memory is bounded: clusters have numbers.
 */
import { firstOf, maxClusters } from "../../gateway/observability/clusters.ts";
import { CrossingCounter } from "./crossings.ts";
import { differenceOf, mostRequests } from "./difference.ts";
import { indexOf, type Measure, type MeasureCounts, measures, type Rate, rates, type Side } from "./measures.ts";
import { PendingCounts, settledSlot, slots } from "./pending-counts.ts";
import {
  maxTop,
  type RateSummary,
  type RequestsSummary,
  type Settling,
  type SideSummary,
  type StageSummary,
  type WindowCrossings,
} from "./stage-summary.ts";
import { type Window, wholeStage, windowStepMs, windowsFrom } from "./windows.ts";

/** Measures whose clusters are counted: `measured` is only what others are a share of, and only a pass rests on `late99`. */
export const crossedMeasures = measures.filter((it) => it !== "measured" && it !== "late99");
export type CrossedMeasure = (typeof crossedMeasures)[number];

/** Rates that have absolute limits, and that clients can cause. */
const limitedByTrust: ReadonlySet<Rate> = new Set<Rate>(["refusals", "abandoned", "slow99"]);

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
  /** Used again, because their arrays are large. */
  readonly #spare: LiveWindow["counters"][] = [];
  readonly #spareCounts: PendingCounts[] = [];
  #nextStart = 0;
  /** Sums of the totals, which would take most of a summary's time. */
  readonly #sums: Readonly<Record<Side, Float64Array>> = {
    stable: new Float64Array(measures.length),
    canary: new Float64Array(measures.length),
  };
  /** What was added since the last closing, by the minute in which its requests started. */
  readonly #pending = new Map<number, PendingCounts>();

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
    const pending = this.#pendingOf(Math.floor(at / windowStepMs) * windowStepMs);
    for (let index = 0; index < measures.length; index++) {
      const count = counts[index] ?? 0;
      if (count === 0 || (index >= indexOf.measured && at < this.#settling.latency)) continue;
      const total = totals[index] ?? newTotals();
      totals[index] = total;
      total[cluster] = (total[cluster] ?? 0) + count;
      sums[index] = (sums[index] ?? 0) + count;
      pending.add(side, cluster, index, count);
      if (index !== indexOf.requests || at < this.#settling.requests) continue;
      const settled = this.#settled[side];
      settled[cluster] = (settled[cluster] ?? 0) + count;
      pending.add(side, cluster, settledSlot, count);
    }
  }

  /**
   * Closes the interval: what was added since the last call counts, whatever the order in which it came, in the windows that
   * are open at `at` and began before its requests. Time does not go back: an earlier `at` is the latest one again.
   * @param at milliseconds since the stage began
   */
  close(at: number): void {
    this.#startWindows(at);
    for (const minute of [...this.#pending.keys()].toSorted((a, b) => a - b)) this.#count(minute);
  }

  /** A window counts requests that started in it: the reports of one version may be later than those of the other. */
  #count(minute: number): void {
    const pending = this.#pendingOf(minute);
    if (pending.size === 0) return;
    const windows = this.#windows.filter(({ window }) => window.from <= minute);
    for (const measure of crossedIndexes) {
      const hits = pending.hitsOf(measure === indexOf.requests ? settledSlot : measure);
      if (hits.count === 0) continue;
      for (const { counters } of windows) {
        const counter = counters.get(measure) ?? new CrossingCounter();
        counters.set(measure, counter);
        counter.addAll(hits);
      }
    }
    for (const { sums } of windows) pending.addSums(sums);
    pending.clear();
    this.#spareCounts.push(pending);
    this.#pending.delete(minute);
  }

  #pendingOf(minute: number): PendingCounts {
    const known = this.#pending.get(minute);
    if (known) return known;
    const pending = this.#spareCounts.pop() ?? new PendingCounts();
    this.#pending.set(minute, pending);
    return pending;
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
      clusters: this.#active.filter((cluster) => cluster < firstOf.dealt && (requests?.[cluster] ?? 0) > 0).length,
    };
  }

  #rates(): Record<Rate, RateSummary> {
    const most = Object.fromEntries(
      (["requests", "measured"] as const).map((it) => {
        const totals = (side: Side) => this.#totals[side][indexOf[it]] ?? none;
        return [it, mostRequests(totals("stable"), totals("canary"), this.#active)];
      }),
    );
    const known = this.#active.filter((cluster) => cluster >= firstOf.authenticated);
    return Object.fromEntries(
      (Object.keys(rates) as Rate[]).map((rate) => {
        const totalsOf = (side: Side) => ({
          hits: this.#totals[side][indexOf[rate]] ?? none,
          of: this.#totals[side][indexOf[rates[rate]]] ?? none,
        });
        const { hits } = totalsOf("canary");
        const difference = differenceOf(totalsOf("stable"), totalsOf("canary"), this.#active, most[rates[rate]] ?? 0);
        const trusted = limitedByTrust.has(rate) && {
          trusted: differenceOf(totalsOf("stable"), totalsOf("canary"), known, most[rates[rate]] ?? 0),
        };
        return [rate, { ...difference, ...trusted, ...this.#hitsOf(hits) }];
      }),
    ) as Record<Rate, RateSummary>;
  }

  #hitsOf(hits: ArrayLike<number>): Pick<RateSummary, "clients" | "top"> {
    const hit = this.#active.filter((cluster) => (hits[cluster] ?? 0) > 0);
    // A network may have requests with a key and without.
    const clients = new Set(hit.map((it) => (it < firstOf.dealt ? it : it - firstOf.dealt)));
    const top = hit
      .map((cluster) => ({ cluster, hits: hits[cluster] ?? 0 }))
      .toSorted((a, b) => b.hits - a.hits)
      .slice(0, maxTop);
    return { clients: clients.size, top };
  }

  #requests(): RequestsSummary {
    const { stable, canary } = this.#settled;
    const requestsOf = (it: number) => (stable[it] ?? 0) + (canary[it] ?? 0);
    const most = mostRequests(stable, canary, this.#active, maxMeanRequests);
    const summary = { all: 0, canary: 0, squares: 0 };
    for (const it of this.#active) {
      const all = requestsOf(it);
      const weight = it < firstOf.dealt ? Math.min(all, most) : all;
      summary.all += weight;
      summary.canary += all > 0 ? (weight * (canary[it] ?? 0)) / all : 0;
      summary.squares += it < firstOf.dealt ? weight ** 2 : all;
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
