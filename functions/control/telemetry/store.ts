/** What the gates of one tier counted, by version and time, in its object's own SQLite. */
import type { Series } from "../../gateway/telemetry.ts";
import type { Sample } from "../../gateway/telemetry-samples.ts";
import { none, sum, sumOfBins } from "./samples.ts";

export interface Store {
  readonly take: (version: string, sample: Sample, series: readonly Series[], now: number) => void;
  /** What a version did between two times, in milliseconds since the epoch. */
  readonly between: (version: string, since: number, until: number) => Sample;
  /** Sums since a version was first heard of. */
  readonly series: () => readonly (Series & { readonly version: string })[];
  /** Makes fine buckets coarse, and forgets what is old. */
  readonly sweep: (now: number) => void;
}

/** Stretches of a rollout begin and end at a look, which is as often. */
const fineMs = 2000;
const fineForMs = 15 * 60_000;
const coarseMs = 60_000;
const keptMs = 24 * 60 * 60_000;
/** Of one tier: routes × outcomes × versions. */
const mostSeries = 20_000;

type SampleRow = { readonly version: string; readonly at: number; readonly sample: string };
type SeriesRow = { readonly version: string; readonly series: string };

export const storeOn = (sql: SqlStorage): Store => {
  sql.exec(
    "CREATE TABLE IF NOT EXISTS samples (version TEXT, at INTEGER, sample TEXT NOT NULL, PRIMARY KEY (version, at)) WITHOUT ROWID",
  );
  sql.exec(
    "CREATE TABLE IF NOT EXISTS series (version TEXT, key TEXT, heard INTEGER NOT NULL, series TEXT NOT NULL, PRIMARY KEY (version, key)) WITHOUT ROWID",
  );

  const put = (version: string, at: number, sample: Sample): void => {
    const [row] = sql.exec<SampleRow>("SELECT * FROM samples WHERE version = ? AND at = ?", version, at).toArray();
    const whole = row ? sum(JSON.parse(row.sample) as Sample, sample) : sample;
    sql.exec("INSERT OR REPLACE INTO samples VALUES (?, ?, ?)", version, at, JSON.stringify(whole));
  };

  const count = (version: string, it: Series, now: number): void => {
    const key = [it.route, it.status, it.verdict, it.by, it.code].join("\n");
    const [row] = sql
      .exec<SeriesRow>("SELECT version, series FROM series WHERE version = ? AND key = ?", version, key)
      .toArray();
    if (!row && sql.exec<{ n: number }>("SELECT COUNT(*) AS n FROM series").one().n >= mostSeries) return;
    const whole = row ? added(JSON.parse(row.series) as Series, it) : it;
    sql.exec("INSERT OR REPLACE INTO series VALUES (?, ?, ?, ?)", version, key, now, JSON.stringify(whole));
  };

  return {
    take: (version, sample, series, now) => {
      put(version, now - (now % fineMs), sample);
      for (const it of series) count(version, it, now);
    },
    between: (version, since, until) =>
      sql
        .exec<SampleRow>("SELECT * FROM samples WHERE version = ? AND at >= ? AND at < ?", version, since, until)
        .toArray()
        .reduce((whole, { sample }) => sum(whole, JSON.parse(sample) as Sample), none),
    series: () =>
      sql
        .exec<SeriesRow>("SELECT version, series FROM series ORDER BY version, key")
        .toArray()
        .map(({ version, series }) => ({ version, ...(JSON.parse(series) as Series) })),
    sweep: (now) => {
      sql.exec("DELETE FROM samples WHERE at < ?", now - keptMs);
      sql.exec("DELETE FROM series WHERE heard < ?", now - keptMs);
      const old = sql
        .exec<SampleRow>("SELECT * FROM samples WHERE at < ? AND at % ? != 0", now - fineForMs, coarseMs)
        .toArray();
      for (const { version, at, sample } of old) {
        sql.exec("DELETE FROM samples WHERE version = ? AND at = ?", version, at);
        put(version, at - (at % coarseMs), JSON.parse(sample) as Sample);
      }
    },
  };
};

const added = (a: Series, b: Series): Series => ({
  ...a,
  count: a.count + b.count,
  latency: sumOfBins(a.latency, b.latency),
  upstreamMs: a.upstreamMs + b.upstreamMs,
  bytesIn: a.bytesIn + b.bytesIn,
  bytesOut: a.bytesOut + b.bytesOut,
});
