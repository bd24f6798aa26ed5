/** Counts and nonces of one shard, in its object's own SQLite. */

import type { ScriptCall } from "../gateway/core/ports/state.ts";
import { type Cell, type Cells, runScript } from "../gateway/limits/algorithms.ts";

/** More are refused, so that whoever invents keys fills the shards of one tier and nothing else. */
const maxCells = 500_000;

/** What nothing gave an end has one all the same. */
const maxLifeMs = 7 * 86_400_000;

export class ShardFull extends Error {
  override readonly name = "Full";
}

export interface Counters {
  /** @returns undefined for a script that is not known. @throws Full */
  readonly run: (call: ScriptCall, now: number) => readonly number[] | undefined;
  /** Whether the key is new; it is remembered for so long. @throws Full */
  readonly once: (key: string, forMs: number, now: number) => boolean;
  /** Forgets what has ended. @returns how many cells are left */
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
    // One that has ended is counted twice until the next sweep, which counts anew.
    if (!get(key, now) && ++cells > max) {
      // Who sends keys without end must not have the shard read through for each.
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
