/** Counters and nonces of one shard, in the object's SQLite. */

import type { ScriptCall } from "../gateway/core/ports/state.ts";
import { type Cell, type Cells, runScript } from "../gateway/limits/algorithms.ts";

/** More cells are refused, so that a client that invents keys fills only the shards of one tier. */
const maxCells = 500_000;

/** The longest lifetime, and that of cells without an expiry. */
const maxLifeMs = 7 * 86_400_000;

export class ShardFull extends Error {
  override readonly name = "ShardFull";
}

export interface Counters {
  /**
   * @returns undefined for an unknown script
   * @throws Full
   */
  readonly run: (call: ScriptCall, now: number) => readonly number[] | undefined;
  /**
   * Whether the key is new. It is remembered for `forMs`.
   * @throws Full
   */
  readonly once: (key: string, forMs: number, now: number) => boolean;
  /**
   * Deletes expired cells.
   * @returns the number of remaining cells
   */
  readonly sweep: (now: number) => number;
}

type Row = { readonly value: string; readonly ends: number };

export const countersOn = (sql: SqlStorage, max = maxCells): Counters => {
  sql.exec(
    "CREATE TABLE IF NOT EXISTS cells (key TEXT PRIMARY KEY, value TEXT NOT NULL, ends INTEGER NOT NULL) WITHOUT ROWID",
  );
  sql.exec("CREATE INDEX IF NOT EXISTS cells_by_end ON cells (ends)");
  let cells = countOf(sql);

  const get = (key: string, now: number): Row | undefined =>
    sql.exec<Row>("SELECT value, ends FROM cells WHERE key = ? AND ends > ?", key, now).toArray()[0];

  const sweep = (now: number): number => {
    sql.exec("DELETE FROM cells WHERE ends <= ?", now);
    cells = countOf(sql);
    return cells;
  };

  let sweptAt = Number.NEGATIVE_INFINITY;
  const put = (key: string, value: string, ends: number, now: number): void => {
    // An expired cell is counted twice until the next sweep, which recounts.
    if (!get(key, now) && ++cells > max) {
      // At most one sweep per second, so that a flood of new keys does not scan the shard for each.
      if (now >= sweptAt + 1000) {
        sweptAt = now;
        sweep(now);
      }
      if (cells >= max) throw new ShardFull(`this shard holds ${max} cells already`);
    }
    sql.exec(
      "INSERT INTO cells VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value, ends = excluded.ends",
      key,
      value,
      ends,
    );
  };

  const cellsAt = (now: number): Cells => ({
    get: (key): Cell | undefined => get(`count/${key}`, now),
    put: (key, { value, ends }) => put(`count/${key}`, value, ends ?? now + maxLifeMs, now),
  });

  return {
    run: (call, now) => runScript(cellsAt(now), call, now),
    once: (key, forMs, now) => {
      if (get(`once/${key}`, now)) return false;
      put(`once/${key}`, "", now + Math.min(forMs, maxLifeMs), now);
      return true;
    },
    sweep,
  };
};

const countOf = (sql: SqlStorage): number => sql.exec<{ n: number }>("SELECT COUNT(*) AS n FROM cells").one().n;
