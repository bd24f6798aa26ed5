/** Reads cells from the reports of gates, fronts and the tail. */
import type { CellsAt } from "../../../gateway/observability/cells.ts";
import { firstOf } from "../../../gateway/observability/clusters.ts";
import {
  type FrontOutcome,
  frontOutcomes,
  measuresOfFrontOutcome,
} from "../../../gateway/observability/front-counts.ts";
import { type OutcomeMeasure, outcomeOf } from "../../../gateway/observability/outcome-of.ts";
import type { BrokenBodies, Cell, Series } from "../../../gateway/observability/report.ts";
import type { Group, Sample } from "../../../gateway/observability/samples.ts";
import { emptySample, sumOfSamples } from "../counts/samples.ts";
import { bits, type CellKind, type StartedCell, type StartedCells, sampleOfCells } from "./cells.ts";

interface GateCells {
  readonly sample: Sample;
  readonly series: readonly Series[];
  readonly causes?: readonly Series[] | undefined;
  readonly cells: readonly CellsAt<Cell>[];
  readonly every: number;
  readonly brokenBodies: readonly BrokenBodies[];
}

/** A report without cells is of a gate of an earlier release: its users are known by groups, and not when their requests started. */
export const cellsOfGate = ({
  sample,
  series,
  causes = series,
  cells,
  every,
  brokenBodies,
}: GateCells): StartedCells[] => {
  if (Object.keys(sample.groups).length > 0) return [cellsOfGroups(sample.groups)];
  const kinds = causes.map(kindOfSeries);
  const broken = Map.groupBy(brokenBodies, ({ at }) => at);
  return [
    ...cells.map((it) => ({ at: it.at, every, kinds, cells: it.cells.filter(([kind]) => kind < kinds.length) })),
    ...[...broken].map(([at, some]) => ({
      ...{ at, every, kinds: [brokenBody] },
      cells: some.map(({ cluster, count }): StartedCell => [0, cluster, -1, count]),
    })),
  ];
};

/** Its request is counted already. */
const brokenBody: CellKind = { route: null, counts: bits.errors | bits.upstreamErrors };

const kindOfSeries = (it: Series): CellKind => {
  const found = outcomeOf(it);
  const isUpstream = found.includes("errors") && it.upstream !== "";
  return {
    // A request without a route, or beyond the bounds of a report, is compared with no other.
    route: it.route === "" || it.route === "other" ? null : it.route,
    counts: countsOf(found) | (isUpstream ? bits.upstreamErrors : 0),
  };
};

const countsOf = (found: readonly OutcomeMeasure[]): number =>
  found.reduce((sum, it) => sum | bits[it], bits.requests | (found.some(isFailure) ? bits.failed : 0));

const isFailure = (it: OutcomeMeasure): boolean => it === "errors" || it === "abandoned";

/** What a gate counted of a version of the front. Latency is the front's to report. */
export const cellsThrough = ({
  groups,
  cells,
  every,
}: {
  readonly groups: Readonly<Record<string, Group>>;
  readonly cells: readonly CellsAt<readonly [outcome: number, cluster: number, count: number]>[];
  readonly every: number;
}): StartedCells[] => {
  if (Object.keys(groups).length > 0) return [cellsOfGroups(groups)];
  return cells.map((it) => ({
    ...{ at: it.at, every, kinds: throughKinds },
    cells: it.cells.map(
      ([outcome, cluster, count]): StartedCell => [Math.min(outcome, lastOutcome), cluster, -1, count],
    ),
  }));
};

/** What a front counted of its own version. Gates count the requests that it forwarded, so these have nothing but a latency. */
export const cellsOfFront = ({
  sample,
  cells,
  every,
}: {
  readonly sample: Sample;
  readonly cells: readonly CellsAt<readonly [outcome: number, cluster: number, bin: number, count: number]>[];
  readonly every: number;
}): StartedCells[] => {
  if (Object.keys(sample.groups).length > 0) return [cellsOfGroups(sample.groups)];
  return cells.map((it) => ({
    ...{ at: it.at, every, kinds: frontKinds },
    cells: it.cells.map(([outcome, ...cell]): StartedCell => [Math.min(outcome, lastOutcome), ...cell]),
  }));
};

const lastOutcome = frontOutcomes.length - 1;
/** All requests of a front are on one route. */
export const frontRoute = "";

const kindOfOutcome = (outcome: FrontOutcome, index: number, route: string | null): CellKind => {
  if (outcome === "forwarded") return { route, counts: 0 };
  if (outcome === "forwarded-failed") return { route, counts: bits.failed };
  const isUpstream = outcome === "upstream-error";
  return { route, counts: countsOf(measuresOfFrontOutcome(index)) | (isUpstream ? bits.upstreamErrors : 0) };
};

const throughKinds = frontOutcomes.map((it, index) => kindOfOutcome(it, index, null));
const frontKinds = frontOutcomes.map((it, index) => kindOfOutcome(it, index, frontRoute));

const cellsOfGroups = (groups: Readonly<Record<string, Group>>): StartedCells => ({
  ...{ at: null, every: 1, groups: true, kinds: groupKinds },
  cells: Object.entries(groups).flatMap(([key, { requests, errors, refusals, abandoned }]) => {
    const others = Math.max(0, requests - errors - refusals - abandoned);
    return [others, errors, refusals, abandoned].flatMap((count, kind): StartedCell[] =>
      count > 0 ? [[kind, Number(key), -1, count]] : [],
    );
  }),
});

const groupKinds = [[], ["errors"], ["refusals"], ["abandoned"]].map(
  (it): CellKind => ({
    route: null,
    counts: countsOf(it as OutcomeMeasure[]),
  }),
);

const deathKinds: readonly CellKind[] = [
  { route: null, counts: bits.requests | bits.errors | bits.faults | bits.failed },
];

/** Requests that died, as the front saw them. An older front knows the group of users alone. */
export const cellsOfDeaths = (
  deaths: readonly {
    readonly group: number;
    readonly cluster?: number | undefined;
    readonly at?: number | undefined;
  }[],
): StartedCells[] =>
  [...Map.groupBy(deaths, ({ at }) => at)].map(([at, some]) => ({
    ...{ at: at ?? null, every: 1, kinds: deathKinds },
    cells: some.map(({ cluster, group }): StartedCell => [0, cluster ?? group, -1, 1]),
  }));

/** Requests that died, as the tail saw them: it knows nothing of their users. */
export const deathsOfUnknown = (count: number): StartedCells[] => [
  { at: null, every: 1, kinds: deathKinds, cells: [[0, firstOf.dealt, -1, count]] },
];

/** The totals of all, as an object of the previous release expects them. */
export const sampleOfAll = (started: readonly StartedCells[]): Sample =>
  started.map(sampleOfCells).reduce<Sample>(sumOfSamples, emptySample);
