/** The telemetry store of one tier: counts of its gates by version and time, in a Durable Object's SQLite. */
import type { Series } from "../../gateway/observability/metrics.ts";
import type { Sample } from "../../gateway/observability/samples.ts";
import { emptySample, sumOfBins, sumOfSamples } from "./samples.ts";
import type { Tally, TallyName } from "./tally.ts";

/** A series with its sums since the first report. */
export interface StoredSeries extends Series {
  readonly version: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
  readonly heard: number;
}

export interface StoredTally {
  readonly name: TallyName;
  readonly version: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly since: number;
  readonly heard: number;
  readonly value: number;
}

export interface TierTallies {
  /** The store's tier: a Durable Object does not know its own name. */
  readonly tier: string;
  readonly tallies: readonly Tally[];
}

/** A report by the tail or the front about a version. */
export interface ObserverReport extends TierTallies {
  readonly version: string;
  /** Requests that died, by observer. Both observe the same ones, so they are stored separately. */
  readonly deaths?: { readonly seen: Observer; readonly sample: Sample };
}

export type Observer = (typeof observers)[number];
const observers = ["tail", "front"] as const;

export interface TelemetryStore {
  readonly take: (
    version: string,
    sample: Sample,
    series: readonly Series[],
    now: number,
    tierTallies?: TierTallies,
  ) => void;
  readonly hear: (news: readonly ObserverReport[], now: number) => void;
  /**
   * The sample of a version between two times, in milliseconds since the epoch. For deaths, the observer with the larger
   * count is used: both observe the same ones, unless one of them failed to.
   */
  readonly between: (version: string, since: number, until: number) => Sample;
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
const fineRetentionMs = 15 * 60_000;
const coarseMs = 60_000;
const retentionMs = 24 * 60 * 60_000;
/** Series of a tier: routes × outcomes × versions. Further ones are summed as route and version `other`. */
const maxSeries = 5000;
const maxTallies = 5000;
/** Versions with samples, counting those of the observers. A version beyond this has no evidence, so it never passes. */
const maxVersions = 300;
const other = "other";

type SampleRow = { readonly version: string; readonly at: number; readonly sample: string };
type SeriesRow = { readonly version: string; readonly heard: number; readonly series: string };
type TallyRow = Omit<StoredTally, "labels" | "name"> & { readonly name: string; readonly labels: string };

export const openStore = (sql: SqlStorage): TelemetryStore => {
  sql.exec(
    "CREATE TABLE IF NOT EXISTS samples (version TEXT, at INTEGER, sample TEXT NOT NULL, PRIMARY KEY (version, at)) WITHOUT ROWID",
  );
  sql.exec(
    "CREATE TABLE IF NOT EXISTS series (version TEXT, key TEXT, heard INTEGER NOT NULL, series TEXT NOT NULL, PRIMARY KEY (version, key)) WITHOUT ROWID",
  );
  sql.exec(
    "CREATE TABLE IF NOT EXISTS tallies (version TEXT, name TEXT, labels TEXT, since INTEGER NOT NULL, heard INTEGER NOT NULL, value REAL NOT NULL, PRIMARY KEY (version, name, labels)) WITHOUT ROWID",
  );
  sql.exec("CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID");
  const sizes = { series: rowCount(sql, "series"), tallies: rowCount(sql, "tallies") };
  let knownVersions = storedVersions(sql);
  let heard = lastReportAt(sql);

  const put = (version: string, at: number, sample: Sample): void => {
    if (!knownVersions.has(version) && knownVersions.size >= maxVersions) return;
    knownVersions.add(version);
    const [row] = sql.exec<SampleRow>("SELECT * FROM samples WHERE version = ? AND at = ?", version, at).toArray();
    const whole = row ? sumOfSamples(JSON.parse(row.sample) as Sample, sample) : sample;
    sql.exec("INSERT OR REPLACE INTO samples VALUES (?, ?, ?)", version, at, JSON.stringify(whole));
  };

  const count = (version: string, it: Series, now: number): void => {
    const key = [it.route, it.method, it.status, it.verdict, it.by, it.code, it.upstream].join("\n");
    const [row] = sql
      .exec<SeriesRow>("SELECT version, heard, series FROM series WHERE version = ? AND key = ?", version, key)
      .toArray();
    if (!row && key !== overflow.key && sizes.series >= maxSeries) {
      count(other, { ...it, ...overflow.id }, now);
      return;
    }
    if (!row) sizes.series++;
    const whole = row ? sumOfSeries(JSON.parse(row.series) as Series, it) : { ...it, since: now };
    sql.exec("INSERT OR REPLACE INTO series VALUES (?, ?, ?, ?)", version, key, now, JSON.stringify(whole));
  };

  const add = (version: string, { name, labels, by }: Tally, now: number): void => {
    const key = JSON.stringify(labels);
    const [known] = sql
      .exec("SELECT 1 FROM tallies WHERE version = ? AND name = ? AND labels = ?", version, name, key)
      .toArray();
    if (!known && version !== other && sizes.tallies >= maxTallies) {
      add(other, { name, labels: {}, by }, now);
      return;
    }
    if (!known) sizes.tallies++;
    sql.exec(
      "INSERT INTO tallies VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET value = value + excluded.value, heard = excluded.heard",
      version,
      name,
      key,
      now,
      now,
      by,
    );
  };

  const tier = () => sql.exec<{ value: string }>("SELECT value FROM facts WHERE name = 'tier'").toArray()[0]?.value;

  const tally = (version: string, tierTallies: TierTallies, now: number): void => {
    if (tier() === undefined) sql.exec("INSERT INTO facts VALUES ('tier', ?)", tierTallies.tier);
    for (const it of tierTallies.tallies) if (it.by > 0) add(version, it, now);
  };
  const read = (version: string, since: number, until: number): Sample =>
    sql
      .exec<SampleRow>("SELECT * FROM samples WHERE version = ? AND at >= ? AND at < ?", version, since, until)
      .toArray()
      .reduce((whole, { sample }) => sumOfSamples(whole, JSON.parse(sample) as Sample), emptySample);

  return {
    take: (version, sample, series, now, tierTallies) => {
      heard = now;
      put(version, now - (now % fineMs), sample);
      for (const it of series) count(version, it, now);
      if (tierTallies) tally(version, tierTallies, now);
    },
    note: (tallies, now) => {
      for (const it of tallies) if (it.by > 0) add("", it, now);
    },
    hear: (news, now) => {
      heard = now;
      for (const { version, deaths, ...tierTallies } of news) {
        if (deaths) put(deathsOf(deaths.seen, version), now - (now % fineMs), deaths.sample);
        tally(version, tierTallies, now);
      }
    },
    between: (version, since, until) => {
      const seen = observers.map((it) => read(deathsOf(it, version), since, until));
      return sumOfSamples(read(version, since, until), seen.reduce(larger));
    },
    series: () =>
      sql
        .exec<SeriesRow>("SELECT version, heard, series FROM series ORDER BY version, key")
        .toArray()
        .map(({ version, heard, series }) => ({
          ...missingInOldReports,
          since: heard,
          ...JSON.parse(series),
          version,
          heard,
        })),
    tallies: () =>
      sql
        .exec<TallyRow>("SELECT * FROM tallies ORDER BY name, version, labels")
        .toArray()
        .map(({ name, labels, ...it }) => ({ ...it, name: name as TallyName, labels: JSON.parse(labels) })),
    heard: () => heard,
    tier,
    sweep: (now) => {
      sql.exec("DELETE FROM samples WHERE at < ?", now - retentionMs);
      knownVersions = storedVersions(sql);
      // Deletes a version as a whole: a restarted part would make its sums decrease.
      for (const table of ["series", "tallies"])
        sql.exec(
          `DELETE FROM ${table} WHERE version IN (SELECT version FROM ${table} GROUP BY version HAVING MAX(heard) < ?)`,
          now - retentionMs,
        );
      heard = lastReportAt(sql);
      Object.assign(sizes, { series: rowCount(sql, "series"), tallies: rowCount(sql, "tallies") });
      const old = sql
        .exec<SampleRow>("SELECT * FROM samples WHERE at < ? AND at % ? != 0", now - fineRetentionMs, coarseMs)
        .toArray();
      for (const { version, at, sample } of old) {
        sql.exec("DELETE FROM samples WHERE version = ? AND at = ?", version, at);
        put(version, at - (at % coarseMs), JSON.parse(sample) as Sample);
      }
    },
  };
};

const deathsOf = (seen: Observer, version: string): string => `${seen}:${version}`;

const larger = (a: Sample, b: Sample): Sample => (requestsOf(b) > requestsOf(a) ? b : a);

const requestsOf = ({ groups }: Sample): number =>
  Object.values(groups).reduce((sum, { requests }) => sum + requests, 0);

/** Fields that older gates do not report. */
const missingInOldReports = { method: "", upstream: "" };

const id = { route: other, method: "", status: "", verdict: "passed", by: "", code: "", upstream: "" } as const;
const overflow = { id, key: Object.values(id).join("\n") };

const lastReportAt = (sql: SqlStorage): number =>
  sql
    .exec<{ at: number | null }>(
      "SELECT MAX(heard) AS at FROM (SELECT heard FROM series UNION ALL SELECT heard FROM tallies WHERE name NOT IN ('pushes', 'push-lost'))",
    )
    .one().at ?? 0;

const storedVersions = (sql: SqlStorage): Set<string> =>
  new Set(
    sql
      .exec<{ version: string }>("SELECT DISTINCT version FROM samples")
      .toArray()
      .map(({ version }) => version),
  );

const rowCount = (sql: SqlStorage, table: "series" | "tallies"): number =>
  sql.exec<{ n: number }>(`SELECT COUNT(*) AS n FROM ${table}`).one().n;

const sumOfSeries = (a: Series, b: Series): Series => ({
  ...a,
  count: a.count + b.count,
  latency: sumOfBins(a.latency, b.latency),
  upstreamMs: a.upstreamMs + b.upstreamMs,
  bytesIn: a.bytesIn + b.bytesIn,
  bytesOut: a.bytesOut + b.bytesOut,
});
