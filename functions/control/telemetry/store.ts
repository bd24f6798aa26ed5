/** What the gates of one tier counted, by version and time, in its object's own SQLite. */
import type { Series } from "../../gateway/observability/metrics.ts";
import type { Sample } from "../../gateway/observability/samples.ts";
import { emptySample, sumOfBins, sumOfSamples } from "./samples.ts";
import type { Tally, TallyName } from "./tally.ts";

/** Sums since it was first heard of. */
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
  /** Whose store this is, which it cannot know by itself. */
  readonly tier: string;
  readonly tallies: readonly Tally[];
}

/** What was heard of a version from outside. */
export interface ObserverReport extends TierTallies {
  readonly version: string;
  /** Requests that died, by who saw that: the same ones are seen by both, so they are kept apart. */
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
   * What a version did between two times, in milliseconds since the epoch. Of those who saw requests die, the one that
   * saw more is believed: both saw the same ones, unless one of them could not see.
   */
  readonly between: (version: string, since: number, until: number) => Sample;
  readonly series: () => readonly StoredSeries[];
  readonly tallies: () => readonly StoredTally[];
  /** When somebody was last heard of; 0 where nobody is remembered. */
  readonly heard: () => number;
  /** What became of pushes to the collector, which is no news. */
  readonly note: (tallies: readonly Tally[], now: number) => void;
  /** The tier that this is of; undefined before it has heard of it. */
  readonly tier: () => string | undefined;
  /** Makes fine buckets coarse, and forgets what is old. */
  readonly sweep: (now: number) => void;
}

/** Stretches of a rollout begin and end at a look, which is as often. */
const fineMs = 2000;
const fineRetentionMs = 15 * 60_000;
const coarseMs = 60_000;
const retentionMs = 24 * 60 * 60_000;
/** Of one tier: routes × outcomes × versions. What is more is counted together, as the route and version `other`. */
const maxSeries = 5000;
const maxTallies = 5000;
/** Of which samples are kept, and what tail and front saw of each. A version of more is judged by nothing, and never goes on. */
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
      // A version's all together: a part that began again beside the others would look as if sums had shrunk.
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

/** What a gate of before did not tell. */
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
