/** The telemetry store of one tier: counts of its gates by version and time, in a Durable Object's SQLite. */
import type { Series } from "../../gateway/observability/report.ts";
import type { Sample } from "../../gateway/observability/samples.ts";
import { bodiesAsCauses, causesOf, deathsAsCause } from "./causes.ts";
import { type StoredSample, sumOfSamples } from "./samples.ts";
import {
  createTables,
  lastReportAt,
  type StoredSeries,
  type StoredTally,
  samplesOn,
  seriesOn,
  talliesOn,
} from "./store-tables.ts";
import type { Tally } from "./tally.ts";

export interface TierTallies {
  /** The store's tier: a Durable Object does not know its own name. */
  readonly tier: string;
  readonly tallies: readonly Tally[];
  /** Requests that came through a version of the front, as a gate or the tail counted them. */
  readonly fronts?: readonly {
    readonly version: string;
    readonly sample: Sample;
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
  readonly deaths?: { readonly seen: Observer; readonly sample: Sample };
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
  ) => void;
  readonly hear: (reports: readonly ObserverReport[], now: number) => void;
  /**
   * The sample of a version between two times, in milliseconds since the epoch. For deaths, the observer with the larger
   * count is used: both observe the same ones, unless one of them failed to.
   */
  readonly between: (version: string, since: number, until: number) => StoredSample;
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

/** Width of a fine bucket: the interval of a rollout's reconciliation. */
const fineMs = 2000;
export const fineRetentionMs = 15 * 60_000;
export const coarseMs = 60_000;
const retentionMs = 24 * 60 * 60_000;

export const openStore = (sql: SqlStorage): TelemetryStore => {
  createTables(sql);
  const samples = samplesOn(sql);
  const series = seriesOn(sql);
  const tallies = talliesOn(sql);
  let heard = lastReportAt(sql);
  const tier = () => sql.exec<{ value: string }>("SELECT value FROM facts WHERE name = 'tier'").toArray()[0]?.value;
  const addTallies = (version: string, tierTallies: TierTallies, now: number): void => {
    for (const { version: front, sample, deaths } of tierTallies.fronts ?? []) {
      samples.put(throughFront(front), now - (now % fineMs), sample);
      if (deaths) samples.put(diedInFront(front), now - (now % fineMs), deaths);
    }
    if (tier() === undefined) sql.exec("INSERT INTO facts VALUES ('tier', ?)", tierTallies.tier);
    tallies.addAll(version, tierTallies.tallies, now);
  };
  return {
    take: (version, sample, reported, now, tierTallies, causes = reported) => {
      heard = now;
      samples.put(
        version,
        now - (now % fineMs),
        sumOfSamples(sample, {
          groups: {},
          cold: 0,
          causes: [...causesOf(causes), ...bodiesAsCauses(tierTallies?.tallies ?? [])],
        }),
      );
      for (const it of reported) series.add(version, it, now);
      if (tierTallies) addTallies(version, tierTallies, now);
    },
    note: (noted, now) => tallies.addAll("", noted, now),
    hear: (reports, now) => {
      heard = now;
      for (const { version, deaths, ...tierTallies } of reports) {
        if (deaths) samples.put(deathsOf(deaths.seen, version), now - (now % fineMs), deaths.sample);
        addTallies(version, tierTallies, now);
      }
    },
    between: (version, since, until) => {
      const observed = observers.map((it) => samples.between(deathsOf(it, version), since, until)).reduce(larger);
      const deaths = { ...observed, causes: deathsAsCause(requestsOf(observed)) };
      return sumOfSamples(samples.between(version, since, until), deaths);
    },
    series: series.all,
    tallies: tallies.all,
    heard: () => heard,
    tier,
    sweep: (now) => {
      for (const table of [samples, series, tallies]) table.deleteBefore(now - retentionMs);
      heard = lastReportAt(sql);
      samples.coarsen(now - fineRetentionMs, coarseMs);
    },
  };
};

/** The name under which a version's deaths are stored, as one observer saw them. */
export const deathsOf = (seen: Observer, version: string): string => `${seen}:${version}`;

export const larger = (a: StoredSample, b: StoredSample): StoredSample => (requestsOf(b) > requestsOf(a) ? b : a);

const requestsOf = ({ groups }: Sample): number =>
  Object.values(groups).reduce((sum, { requests }) => sum + requests, 0);
