/** Folds the cells of both versions of a stage into its evidence, interval by interval. */
import { isCounted, maxClusters } from "../../../gateway/observability/clusters.ts";
import { groups } from "../../../gateway/observability/samples.ts";
import { indexOf, measures, type Side } from "../../stats/measures.ts";
import { StageEvidence } from "../../stats/stage-evidence.ts";
import type { Settling, StageSummary } from "../../stats/stage-summary.ts";
import { type CellRow, forEachCell } from "./cell-table.ts";
import { bits, type CellKind, hasBit } from "./cells.ts";
import type { IntervalCounts } from "./interval-counts.ts";
import { type RouteThresholds, type Thresholds, thresholdsFor } from "./thresholds.ts";

/** What is fixed when a stage begins. */
export interface StageFacts {
  readonly thresholds: RouteThresholds;
  /** Bins by which the canary's thresholds are raised. */
  readonly stretch: number;
  readonly settling: Settling;
  /** A version reports groups of users, as the previous release does, so the other one's clusters are put into groups too. */
  readonly groups: boolean;
}

/** Whose counts a row has. Two observers see the same deaths. */
export interface RowSource {
  readonly side: Side;
  readonly what: "requests" | "deaths-by-front" | "deaths-by-tail";
}

/** @param from start of the stage's first whole interval, in milliseconds since the epoch */
export const stageFold = (
  { thresholds, stretch, settling, groups: byGroups }: StageFacts,
  from: number,
  sources: ReadonlyMap<string, RowSource>,
  kindOf: (id: number) => CellKind | undefined,
  counts: IntervalCounts,
) => {
  const evidence = new StageEvidence(settling);
  const deaths = { stable: deathCounter(), canary: deathCounter() };
  const slowness = { stable: slownessOf(thresholds, 0, kindOf), canary: slownessOf(thresholds, stretch, kindOf) };
  const numberOf = (cluster: number): number => (byGroups ? cluster % groups : cluster);

  const addInterval = (at: number, rows: readonly CellRow[]): void => {
    // What one side leaves out, the other does too: a cluster counts with both versions or with none.
    const every = Math.max(...rows.map((row) => row.every));
    for (const side of ["stable", "canary"] as const) {
      for (const { version, data } of rows) {
        const source = sources.get(version);
        if (source?.side !== side) continue;
        const { what } = source;
        forEachCell(data, (kind, cluster, bin, count) => {
          if (cluster >= maxClusters || !isCounted(cluster, every)) return;
          const counted = what === "requests" ? count : deaths[side](what, count);
          if (counted > 0) slowness[side](counts.sums, counts.startOf(numberOf(cluster)), kind, bin, counted);
        });
      }
      counts.drain((cluster, sums) => evidence.add(side, at - from, cluster, sums));
    }
  };

  return {
    /** @param rows of one interval of counting, whose requests are the stage's */
    add: (fold: number, rows: readonly CellRow[]): void => {
      // The front's deaths first: those of the tail are the rest.
      const ordered = rows.toSorted((a, b) => orderOf(sources, a) - orderOf(sources, b));
      for (const [at, some] of [...Map.groupBy(ordered, ({ at }) => at)].toSorted(([a], [b]) => a - b))
        addInterval(at, some);
      evidence.close(Math.max(0, fold - from));
    },
    /** @param closed the end of what was counted */
    summary: (closed: number, bounds: boolean): StageSummary => {
      evidence.close(Math.max(0, closed - from));
      return { ...evidence.summary(bounds), ...(byGroups && { isGrouped: true }) };
    },
  };
};

export type StageFold = ReturnType<typeof stageFold>;

const order: readonly RowSource["what"][] = ["requests", "deaths-by-front", "deaths-by-tail"];

const orderOf = (sources: ReadonlyMap<string, RowSource>, { version }: CellRow): number =>
  order.indexOf(sources.get(version)?.what ?? "requests");

/** @returns how many of the deaths count: both observers see the same ones, so the larger of both counts */
const deathCounter = () => {
  const seen = { "deaths-by-front": 0, "deaths-by-tail": 0 };
  let counted = 0;
  return (by: keyof typeof seen, count: number): number => {
    seen[by] += count;
    const more = Math.max(0, seen[by] - counted);
    counted += more;
    return more;
  };
};

/** Adds a cell's requests to the counts of its cluster. Looks each kind up once. */
const slownessOf = (thresholds: RouteThresholds, stretch: number, kindOf: (id: number) => CellKind | undefined) => {
  const known = new Map<number, readonly [counts: number, thresholds: Thresholds | undefined]>();
  const find = (id: number): readonly [counts: number, thresholds: Thresholds | undefined] => {
    const it = kindOf(id) ?? { route: null, counts: 0 };
    const found = [it.counts, it.route === null ? undefined : thresholdsFor(thresholds, it.route)] as const;
    known.set(id, found);
    return found;
  };
  return (sums: Float64Array, start: number, id: number, bin: number, count: number): void => {
    const add = (measure: number): void => {
      sums[start + measure] = (sums[start + measure] as number) + count;
    };
    const [counts, limits] = known.get(id) ?? find(id);
    for (const [measure, index] of countedMeasures) if (hasBit(counts, measure)) add(index);
    const failed = hasBit(counts, "failed");
    if (!limits || (bin < 0 && !failed)) return;
    add(indexOf.measured);
    if (failed || bin > limits[2]) add(indexOf.slow99);
    for (let part = 0; part < raised.length; part++)
      if (failed || bin > (limits[part] as number) + stretch) add(raised[part] as number);
    if (!failed && bin > limits[2] + stretch) add(indexOf.late99);
  };
};

/** Of the thresholds that are raised for the canary. */
const raised = [indexOf.over50, indexOf.over90, indexOf.over99];

const countedMeasures = measures
  .filter((it): it is typeof it & keyof typeof bits => it in bits)
  .map((it) => [it, indexOf[it]] as const);
