/**
 * The table of cells: what clusters met under each version, by the interval in which their requests started.
 *
 * Reports are appended, one small row each, and merged when nothing can be added any more. A row has two times: when its requests
 * started, which says to which stage they belong, and the interval with which they are counted. That is the same one, unless
 * they were reported later than others: then it is the first that was not closed. So the rows, in this order, say what was
 * counted when, and who reads them again comes to the same sums.
 */
import { cellMs } from "../../../gateway/observability/cells.ts";
import { isCounted } from "../../../gateway/observability/clusters.ts";
import { maxBin } from "../../../gateway/observability/samples.ts";
import type { CellKind, StartedCell, StartedCells } from "./cells.ts";

/** Reports of an interval arrive within this time after it. Later ones are counted with a later interval. */
export const reportDelayMs = 4000;
/** A report that is later is counted as of now. */
export const maxLateMs = 120_000;
/** Of one interval, over all versions; beyond, whole clusters of all versions are left out. */
const maxCellsPerInterval = 20_000;
/** Of one row, 8 bytes each. SQLite's values are limited to 2 MB. */
const maxCellsPerRow = 100_000;
/** Appended rows that are merged at once. */
const maxAppended = 5000;
const maxKinds = 4000;

export interface CellRow {
  readonly version: string;
  readonly fold: number;
  readonly at: number;
  readonly every: number;
  readonly groups: boolean;
  /** Two numbers for each cell. */
  readonly data: Uint32Array;
}

type StoredRow = Omit<CellRow, "groups" | "data"> & { readonly groups: number; readonly data: ArrayBuffer };

export const floorOf = (time: number): number => time - (time % cellMs);
export const ceilOf = (time: number): number => floorOf(time + cellMs - 1);

export const createCellTables = (sql: SqlStorage): void => {
  sql.exec(
    "CREATE TABLE IF NOT EXISTS cluster_cells (id INTEGER PRIMARY KEY, version TEXT NOT NULL, fold INTEGER NOT NULL, at INTEGER NOT NULL, every INTEGER NOT NULL, groups INTEGER NOT NULL, data BLOB NOT NULL)",
  );
  sql.exec("CREATE INDEX IF NOT EXISTS cluster_cells_by_fold ON cluster_cells (fold, version)");
  sql.exec("CREATE TABLE IF NOT EXISTS cell_kinds (id INTEGER PRIMARY KEY, route TEXT, counts INTEGER NOT NULL)");
};

export const cellsOn = (sql: SqlStorage) => {
  const kinds = kindsOn(sql);
  const load = intervalLoad();
  let closedUntil = 0;
  let mergedUntil = 0;
  let appended = 0;
  const close = (now: number): number => {
    closedUntil = Math.max(closedUntil, floorOf(now - reportDelayMs));
    return closedUntil;
  };
  const merge = (now: number): void => {
    appended = 0;
    mergeRows(sql, mergedUntil, close(now));
    mergedUntil = closedUntil;
  };
  return {
    kindOf: kinds.get,
    append: (version: string, started: StartedCells, at: number, now: number): void => {
      const fold = Math.max(at, floorOf(now - reportDelayMs), closedUntil);
      const every = Math.max(started.every, load.everyAt(at, now));
      const cells = started.cells.filter(([, cluster]) => isCounted(cluster, every)).slice(0, maxCellsPerRow);
      if (cells.length === 0) return;
      load.add(at, cells.length);
      const row = { version, fold, at, every, groups: started.groups ? 1 : 0 };
      insert(sql, { ...row, data: packed(cells, started.kinds.map(kinds.idOf)).buffer });
      if (++appended >= maxAppended) merge(now);
    },
    /** @returns the time before which all intervals are closed: nothing is counted with them any more */
    close,
    /** In the order of counting. */
    read: function* (versions: readonly string[], from: number, before: number): Generator<CellRow> {
      const rows = sql.exec<StoredRow>(
        `SELECT version, fold, at, every, groups, data FROM cluster_cells WHERE fold >= ? AND fold < ? AND version IN (${marksFor(versions)}) ORDER BY fold`,
        ...[from, before, ...versions],
      );
      for (const row of rows) yield { ...row, groups: row.groups === 1, data: new Uint32Array(row.data) };
    },
    /** Whether a version has reported groups of users. */
    hasGroups: (versions: readonly string[], from: number): boolean =>
      sql
        .exec(
          `SELECT 1 FROM cluster_cells WHERE fold >= ? AND version IN (${marksFor(versions)}) AND groups = 1 LIMIT 1`,
          ...[from, ...versions],
        )
        .toArray().length > 0,
    merge,
    /**
     * @param compared since when versions are compared; others are deleted before `time`
     * @param oldest before which all are deleted
     */
    deleteBefore: (time: number, compared: ReadonlyMap<string, number>, oldest: number): void =>
      deleteRows(sql, time, compared, oldest),
  };
};

const marksFor = (all: readonly unknown[]): string => all.map(() => "?").join(", ");

const insert = (sql: SqlStorage, { version, fold, at, every, groups, data }: StoredRow): void =>
  void sql.exec(
    "INSERT INTO cluster_cells (version, fold, at, every, groups, data) VALUES (?, ?, ?, ?, ?, ?)",
    ...[version, fold, at, every, groups, data],
  );

/** Makes one row of all that have the same times. */
const mergeRows = (sql: SqlStorage, from: number, before: number): void => {
  const several = sql
    .exec<Omit<StoredRow, "data">>(
      "SELECT version, fold, at, MAX(every) AS every, groups FROM cluster_cells WHERE fold >= ? AND fold < ? GROUP BY fold, version, at, groups HAVING COUNT(*) > 1",
      ...[from, before],
    )
    .toArray();
  for (const it of several) {
    const where = "WHERE fold = ? AND version = ? AND at = ? AND groups = ?";
    const key = [it.fold, it.version, it.at, it.groups];
    const parts = sql.exec<{ data: ArrayBuffer }>(`SELECT data FROM cluster_cells ${where}`, ...key).toArray();
    sql.exec(`DELETE FROM cluster_cells ${where}`, ...key);
    const whole = merged(
      parts.map(({ data }) => new Uint32Array(data)),
      it.every,
    );
    insert(sql, { ...it, data: whole.buffer });
  }
};

const deleteRows = (sql: SqlStorage, time: number, compared: ReadonlyMap<string, number>, oldest: number): void => {
  sql.exec("DELETE FROM cluster_cells WHERE fold < ?", oldest);
  const versions = sql
    .exec<{ version: string }>("SELECT DISTINCT version FROM cluster_cells WHERE fold < ?", time)
    .toArray()
    .map(({ version }) => version);
  for (const it of versions)
    sql.exec("DELETE FROM cluster_cells WHERE fold < ? AND version = ? AND at < ?", time, it, compared.get(it) ?? time);
};

export type CellTable = ReturnType<typeof cellsOn>;

/** Kinds by number. A gate may invent routes, so they are bounded. */
const kindsOn = (sql: SqlStorage) => {
  const ids = new Map<string, number>();
  const kinds = new Map<number, CellKind>();
  const keyOf = ({ route, counts }: CellKind): string => `${counts}\n${route ?? ""}\n${route === null}`;
  const remember = (id: number, kind: CellKind): void => {
    ids.set(keyOf(kind), id);
    kinds.set(id, kind);
  };
  // Nobody remembers their numbers.
  if (sql.exec("SELECT 1 FROM cluster_cells LIMIT 1").toArray().length === 0) sql.exec("DELETE FROM cell_kinds");
  for (const { id, ...kind } of sql
    .exec<{ id: number; route: string | null; counts: number }>("SELECT * FROM cell_kinds")
    .toArray())
    remember(id, kind);
  const idOf = (kind: CellKind): number => {
    const known = ids.get(keyOf(kind));
    if (known !== undefined) return known;
    // There are few kinds without a route.
    if (kind.route !== null && kinds.size >= maxKinds) return idOf({ ...kind, route: null });
    const { id } = sql
      .exec<{ id: number }>(
        "INSERT INTO cell_kinds (route, counts) VALUES (?, ?) RETURNING id",
        kind.route,
        kind.counts,
      )
      .one();
    remember(id, kind);
    return id;
  };
  return {
    idOf,
    get: (id: number): CellKind | undefined => kinds.get(id),
  };
};

/** How many cells each recent interval has, so that one in which too much is reported leaves out clusters. */
const intervalLoad = () => {
  const all = new Map<number, { cells: number; every: number }>();
  return {
    everyAt: (at: number, now: number): number => {
      for (const old of all.keys()) if (old < now - 2 * maxLateMs) all.delete(old);
      return all.get(at)?.every ?? 1;
    },
    add: (at: number, cells: number): void => {
      const it = all.get(at) ?? { cells: 0, every: 1 };
      all.set(at, it);
      it.cells += cells;
      // Half of what follows is left out, and so on.
      while (it.cells > maxCellsPerInterval * (1 + Math.log2(it.every))) it.every *= 2;
    },
  };
};

const countBits = 23;
const maxCount = 2 ** countBits - 1;
const kindBits = 16;

const packed = (cells: readonly StartedCell[], ids: readonly number[]): Uint32Array<ArrayBuffer> => {
  const data = new Uint32Array(2 * cells.length);
  for (const [index, [kind, cluster, bin, count]] of cells.entries()) {
    data[2 * index] = cluster * 2 ** kindBits + (ids[kind] ?? 0);
    data[2 * index + 1] = (Math.min(bin, maxBin) + 1) * 2 ** countBits + Math.min(count, maxCount);
  }
  return data;
};

/** Calls back for each cell of a row. */
export const forEachCell = (
  data: Uint32Array,
  visit: (kind: number, cluster: number, bin: number, count: number) => void,
): void => {
  for (let index = 0; index + 1 < data.length; index += 2) {
    const [who, what] = [data[index] ?? 0, data[index + 1] ?? 0];
    visit(who & (2 ** kindBits - 1), who >>> kindBits, (what >>> countBits) - 1, what & maxCount);
  }
};

const merged = (parts: readonly Uint32Array[], every: number): Uint32Array<ArrayBuffer> => {
  const counts = new Map<number, number>();
  for (const data of parts)
    for (let index = 0; index + 1 < data.length; index += 2) {
      const [who, what] = [data[index] ?? 0, data[index + 1] ?? 0];
      if (!isCounted(who >>> kindBits, every)) continue;
      // Cluster, kind and bin as one number.
      const key = who * 2 ** (32 - countBits) + (what >>> countBits);
      counts.set(key, (counts.get(key) ?? 0) + (what & maxCount));
    }
  const data = new Uint32Array(2 * Math.min(counts.size, maxCellsPerRow));
  let index = 0;
  for (const [key, count] of counts) {
    if (index >= data.length) break;
    data[index++] = Math.floor(key / 2 ** (32 - countBits));
    data[index++] = (key % 2 ** (32 - countBits)) * 2 ** countBits + Math.min(count, maxCount);
  }
  return data;
};
