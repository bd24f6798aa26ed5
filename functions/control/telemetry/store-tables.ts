/** The tables of the telemetry store: samples by version and time, series and tallies with their bounds. */
import type { Series } from "../../gateway/observability/report.ts";
import { emptySample, type StoredSample, sumOfBins, sumOfSamples } from "./counts/samples.ts";
import type { Tally, TallyName } from "./counts/tally.ts";

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

/** Series of a tier: routes × outcomes × versions. Further ones are summed as route and version `other`. */
const maxSeries = 5000;
const maxTallies = 5000;
/** Versions with samples, counting those of the observers. A version beyond this has no evidence, so it never passes. */
const maxVersions = 300;
const other = "other";

type SampleRow = { readonly version: string; readonly at: number; readonly sample: string };
type SeriesRow = { readonly version: string; readonly heard: number; readonly series: string };
type TallyRow = Omit<StoredTally, "labels" | "name"> & { readonly name: string; readonly labels: string };

export const createTables = (sql: SqlStorage): void => {
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
};

export const samplesOn = (sql: SqlStorage) => {
  let versions = storedVersions(sql);
  const put = (version: string, at: number, sample: StoredSample): void => {
    if (!versions.has(version) && versions.size >= maxVersions) return;
    versions.add(version);
    const [row] = sql.exec<SampleRow>("SELECT * FROM samples WHERE version = ? AND at = ?", version, at).toArray();
    const whole = row ? sumOfSamples(JSON.parse(row.sample) as StoredSample, sample) : sample;
    sql.exec("INSERT OR REPLACE INTO samples VALUES (?, ?, ?)", version, at, JSON.stringify(whole));
  };
  return {
    put,
    /** Whether its samples are stored: their number is bounded. */
    knows: (version: string): boolean => versions.has(version),
    between: (version: string, since: number, until: number): StoredSample =>
      sql
        .exec<SampleRow>(
          "SELECT * FROM samples WHERE version = ? AND at >= ? AND at < ?",
          version,
          since,
          Math.min(until, Number.MAX_SAFE_INTEGER),
        )
        .toArray()
        .reduce((whole, { sample }) => sumOfSamples(whole, JSON.parse(sample) as StoredSample), emptySample),
    deleteBefore: (time: number): void => {
      sql.exec("DELETE FROM samples WHERE at < ?", time);
      versions = storedVersions(sql);
    },
    /**
     * Merges buckets before a time into coarser ones.
     * @param borders times at which a coarse bucket ends and another begins
     */
    coarsen: (before: number, coarseMs: number, borders: readonly number[]): void => {
      const fine = sql
        .exec<SampleRow>("SELECT * FROM samples WHERE at < ? AND at % ? != 0", before, coarseMs)
        .toArray();
      for (const { version, at, sample } of fine) {
        const border = borders.findLast((it) => it <= at) ?? 0;
        const target = Math.max(at - (at % coarseMs), border);
        if (target === at) continue;
        sql.exec("DELETE FROM samples WHERE version = ? AND at = ?", version, at);
        put(version, target, JSON.parse(sample) as StoredSample);
      }
    },
  };
};

export type SampleTable = ReturnType<typeof samplesOn>;
export type SeriesTable = ReturnType<typeof seriesOn>;

export const seriesOn = (sql: SqlStorage) => {
  let rows = rowCount(sql, "series");
  const add = (version: string, it: Series, now: number): void => {
    const key = [it.route, it.method, it.status, it.verdict, it.by, it.code, it.upstream].join("\n");
    const [row] = sql
      .exec<SeriesRow>("SELECT version, heard, series FROM series WHERE version = ? AND key = ?", version, key)
      .toArray();
    if (!row && key !== overflow.key && rows >= maxSeries) {
      add(other, { ...it, ...overflow.id }, now);
      return;
    }
    if (!row) rows++;
    const whole = row ? sumOfSeries(JSON.parse(row.series) as Series, it) : { ...it, since: now };
    sql.exec("INSERT OR REPLACE INTO series VALUES (?, ?, ?, ?)", version, key, now, JSON.stringify(whole));
  };
  return {
    add,
    all: (): readonly StoredSeries[] =>
      sql
        .exec<SeriesRow>("SELECT version, heard, series FROM series ORDER BY version, key")
        .toArray()
        .map(parsedSeries),
    of: (version: string): readonly StoredSeries[] =>
      sql
        .exec<SeriesRow>("SELECT version, heard, series FROM series WHERE version = ?", version)
        .toArray()
        .map(parsedSeries),
    deleteBefore: (time: number): void => {
      deleteSilentVersions(sql, "series", time);
      rows = rowCount(sql, "series");
    },
  };
};

export const talliesOn = (sql: SqlStorage) => {
  let rows = rowCount(sql, "tallies");
  const add = (version: string, { name, labels, by }: Tally, now: number): void => {
    const key = JSON.stringify(labels);
    const [known] = sql
      .exec("SELECT 1 FROM tallies WHERE version = ? AND name = ? AND labels = ?", version, name, key)
      .toArray();
    if (!known && version !== other && rows >= maxTallies) {
      add(other, { name, labels: {}, by }, now);
      return;
    }
    if (!known) rows++;
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
  return {
    addAll: (version: string, tallies: readonly Tally[], now: number): void => {
      for (const it of tallies) if (it.by > 0) add(version, it, now);
    },
    all: (): readonly StoredTally[] =>
      sql
        .exec<TallyRow>("SELECT * FROM tallies ORDER BY name, version, labels")
        .toArray()
        .map(({ name, labels, ...it }) => ({ ...it, name: name as TallyName, labels: JSON.parse(labels) })),
    deleteBefore: (time: number): void => {
      deleteSilentVersions(sql, "tallies", time);
      rows = rowCount(sql, "tallies");
    },
  };
};

/** Time of the last report in the tables; pushes to the collector are not reports. */
export const lastReportAt = (sql: SqlStorage): number =>
  sql
    .exec<{ at: number | null }>(
      "SELECT MAX(heard) AS at FROM (SELECT heard FROM series UNION ALL SELECT heard FROM tallies WHERE name NOT IN ('pushes', 'push-lost'))",
    )
    .one().at ?? 0;

/** Deletes a version as a whole: a restarted part would make its sums decrease. */
const deleteSilentVersions = (sql: SqlStorage, table: "series" | "tallies", time: number): void =>
  void sql.exec(
    `DELETE FROM ${table} WHERE version IN (SELECT version FROM ${table} GROUP BY version HAVING MAX(heard) < ?)`,
    time,
  );

const parsedSeries = ({ version, heard, series }: SeriesRow): StoredSeries => ({
  ...missingInOldReports,
  since: heard,
  ...JSON.parse(series),
  version,
  heard,
});

/** Fields that older gates do not report. */
const missingInOldReports = { method: "", upstream: "" };

const id = { route: other, method: "", status: "", verdict: "passed", by: "", code: "", upstream: "" } as const;
const overflow = { id, key: Object.values(id).join("\n") };

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
