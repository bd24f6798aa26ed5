/** The telemetry store of one tier: counts of its gates by version and time, in a Durable Object's SQLite. */
import type { Series } from "../../gateway/observability/report.ts";
import type { Sample } from "../../gateway/observability/samples.ts";
import { bodiesAsCauses, causesOf, deathsAsCause } from "./counts/causes.ts";
import { noRequests, type StoredSample, sumOfBins, sumOfSamples } from "./counts/samples.ts";
import type { Tally } from "./counts/tally.ts";
import { type CellTable, cellsOn, createCellTables, floorOf, maxLateMs, reportDelayMs } from "./evidence/cell-table.ts";
import { type StartedCells, sampleOfCells, sampleOfTotals } from "./evidence/cells.ts";
import { createStageTable, type StageQuery } from "./evidence/stage-table.ts";
import { type StageSources, stagesOn, type UnitEvidence } from "./evidence/stages.ts";
import { thresholdsByRoute, thresholdsOf } from "./evidence/thresholds.ts";
import {
  createTables,
  lastReportAt,
  type SampleTable,
  type SeriesTable,
  type StoredSeries,
  type StoredTally,
  samplesOn,
  seriesOn,
  talliesOn,
} from "./store-tables.ts";

export interface TierTallies {
  /** The store's tier: a Durable Object does not know its own name. */
  readonly tier: string;
  readonly tallies: readonly Tally[];
  /** Requests that came through a version of the front, as a gate or the tail counted them. */
  readonly fronts?: readonly {
    readonly version: string;
    /** The whole, if it has no cells. */
    readonly sample: Sample;
    readonly cells?: readonly StartedCells[];
    /** Those that died. They are in the sample too. */
    readonly deaths?: Sample;
  }[];
}

/** The name under which `between` finds what others counted of a version of the front. */
export const throughFront = (version: string): string => `through:${version}`;

/** The name under which `between` finds the deaths of a version of the front. */
export const diedInFront = (version: string): string => `died:${version}`;

/** A report by the tail or the front about a version. */
export interface ObserverReport extends TierTallies {
  readonly version: string;
  /** Requests that died, by observer. Both observe the same ones, so they are stored separately. */
  readonly deaths?: {
    readonly seen: Observer;
    /** The whole, if it has no cells. */
    readonly sample: Sample;
    readonly cells?: readonly StartedCells[];
  };
}

export type Observer = (typeof observers)[number];
export const observers = ["tail", "front"] as const;

export interface TelemetryStore {
  readonly take: (
    version: string,
    sample: Sample,
    series: readonly Series[],
    now: number,
    tierTallies?: TierTallies,
    /** The series from which the causes are read; default: `series`. */
    causes?: readonly Series[],
    /** What the sample counts, by cluster and start. Absent in calls of control of the previous release. */
    cells?: readonly StartedCells[],
  ) => void;
  readonly hear: (reports: readonly ObserverReport[], now: number) => void;
  /**
   * The sample of a version between two times, in milliseconds since the epoch. For deaths, the observer with the larger
   * count is used: both observe the same ones, unless one of them failed to.
   */
  readonly between: (version: string, since: number, until: number) => StoredSample;
  /** What both versions of a stage met; undefined if it takes another call, because much is read again. */
  readonly evidence: (query: StageQuery, now: number) => UnitEvidence | undefined;
  readonly series: () => readonly StoredSeries[];
  readonly tallies: () => readonly StoredTally[];
  /** Time of the last report; 0 without any. */
  readonly heard: () => number;
  /** Counts pushes to the collector; they do not keep the tier active. */
  readonly note: (tallies: readonly Tally[], now: number) => void;
  /** The store's tier; undefined before the first report. */
  readonly tier: () => string | undefined;
  /** Merges fine buckets into coarse ones, and deletes old data. */
  readonly sweep: (now: number) => void;
}

export const fineRetentionMs = 15 * 60_000;
export const coarseMs = 60_000;
const retentionMs = 24 * 60 * 60_000;

export const openStore = (sql: SqlStorage): TelemetryStore => {
  createTables(sql);
  createCellTables(sql);
  createStageTable(sql);
  const samples = samplesOn(sql);
  const cells = cellsOn(sql);
  const series = seriesOn(sql);
  const tallies = talliesOn(sql);
  let heard = lastReportAt(sql);
  const tier = () => sql.exec<{ value: string }>("SELECT value FROM facts WHERE name = 'tier'").toArray()[0]?.value;
  const add = adderTo(samples, cells);
  const addTallies = (version: string, tierTallies: TierTallies, now: number): void => {
    for (const { version: front, sample, cells: started = [], deaths } of tierTallies.fronts ?? []) {
      add(throughFront(front), sample, started, now);
      if (deaths) samples.put(diedInFront(front), floorOf(now), deaths);
    }
    if (tier() === undefined) sql.exec("INSERT INTO facts VALUES ('tier', ?)", tierTallies.tier);
    tallies.addAll(version, tierTallies.tallies, now);
  };
  const between = totalsIn(samples);
  const stages = stagesOn(sql, cells, stageSources(samples, series));
  return {
    take: (version, sample, reported, now, tierTallies, causes = reported, started = []) => {
      heard = now;
      add(version, sample, started, now);
      const found = [...causesOf(causes), ...bodiesAsCauses(tierTallies?.tallies ?? [])];
      if (found.length > 0) samples.put(version, causesAt(started, now), { groups: {}, cold: 0, causes: found });
      for (const it of reported) series.add(version, it, now);
      if (tierTallies) addTallies(version, tierTallies, now);
    },
    note: (noted, now) => tallies.addAll("", noted, now),
    hear: (reports, now) => {
      heard = now;
      for (const { version, deaths, ...tierTallies } of reports) {
        if (deaths) add(deathsOf(deaths.seen, version), deaths.sample, deaths.cells ?? [], now);
        const requests = witnessedIn(tierTallies.tallies);
        if (requests > 0)
          samples.put(witnessOf(version), floorOf(now), sampleOfTotals({ ...noRequests, requests, latency: [] }));
        addTallies(version, tierTallies, now);
      }
    },
    between,
    evidence: stages.evidence,
    series: series.all,
    tallies: tallies.all,
    heard: () => heard,
    tier,
    sweep: (now) => {
      for (const table of [samples, series, tallies]) table.deleteBefore(now - retentionMs);
      heard = lastReportAt(sql);
      cells.merge(now);
      cells.deleteBefore(now - fineRetentionMs, stages.compared(now), now - retentionMs);
      samples.coarsen(now - fineRetentionMs, coarseMs, stages.borders());
      stages.sweep();
    },
  };
};

/** Adds counts to the totals of a version, and to those of its clusters. */
const adderTo =
  (samples: SampleTable, cells: CellTable) =>
  (name: string, sample: Sample, started: readonly StartedCells[], now: number): void => {
    // Groups of users are displayed as their gate summed them up.
    if (started.every(({ groups }) => groups)) samples.put(name, floorOf(now), sample);
    for (const it of started) {
      if (!it.groups) samples.put(name, it.at === null ? floorOf(now) : startOf(it.at, now), sampleOfCells(it));
      if (!samples.knows(name)) return;
      cells.append(name, it, it.at === null ? floorOf(now - reportDelayMs) : startOf(it.at, now), now);
    }
  };

/** The totals of a version, with its deaths. */
const totalsIn =
  (samples: SampleTable): TelemetryStore["between"] =>
  (version, since, until) => {
    const observed = deathsIn(samples, version, since, until);
    const deaths = { ...observed, causes: deathsAsCause(requestsOf(observed)) };
    return sumOfSamples(samples.between(version, since, until), deaths);
  };

const deathsIn = (samples: SampleTable, version: string, since: number, until: number): StoredSample =>
  observers.map((it) => samples.between(deathsOf(it, version), since, until)).reduce(larger);

const stageSources = (samples: SampleTable, series: SeriesTable): StageSources => ({
  thresholds: ({ stable, isOneRoute }, from) => {
    if (!isOneRoute) return { routes: thresholdsByRoute(series.of(stable)) };
    const others = thresholdsOf(latencyOf(samples.between(stable, from - retentionMs, from)));
    return { routes: {}, ...(others && { others }) };
  },
  namesOf: (version) => ({
    requests: version,
    "deaths-by-front": deathsOf("front", version),
    "deaths-by-tail": deathsOf("tail", version),
  }),
  display: ({ stable, canary }, { from, until }) => {
    const seen = (version: string) => requestsOf(samples.between(witnessOf(version), from, until));
    const witnessed = { stable: seen(stable), canary: seen(canary) };
    const between = totalsIn(samples);
    return {
      stable: between(stable, from, until),
      canary: between(canary, from, until),
      ...(witnessed.stable + witnessed.canary > 0 && { witnessed }),
    };
  },
});

/** A gate's clock is not trusted: what it has from the future or a distant past is of now. */
const startOf = (at: number, now: number): number => floorOf(at > now || at < now - maxLateMs ? now : at);

/** Causes are not known by start: they are with the newest requests of their report. */
const causesAt = (started: readonly StartedCells[], now: number): number =>
  started.reduce((newest, { at }) => Math.max(newest, at === null ? 0 : startOf(at, now)), 0) || floorOf(now);

const latencyOf = ({ groups }: Sample) =>
  Object.values(groups)
    .map(({ latency }) => latency)
    .reduce(sumOfBins, []);

/** The name of what the tail saw of a version's requests. */
const witnessOf = (version: string): string => `seen:${version}`;

const witnessedIn = (tallies: readonly Tally[]): number =>
  tallies.filter(({ name }) => name === "cpu-requests").reduce((sum, { by }) => sum + by, 0);

/** The name under which a version's deaths are stored, as one observer saw them. */
export const deathsOf = (seen: Observer, version: string): string => `${seen}:${version}`;

export const larger = (a: StoredSample, b: StoredSample): StoredSample => (requestsOf(b) > requestsOf(a) ? b : a);

const requestsOf = ({ groups }: Sample): number =>
  Object.values(groups).reduce((sum, { requests }) => sum + requests, 0);
