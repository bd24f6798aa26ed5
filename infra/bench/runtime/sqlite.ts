/** A Durable Object's SQL storage over Node's SQLite, in memory: so that its cost is measured without a runtime around it. */
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import type { openStore } from "../../../functions/control/telemetry/store.ts";

type Storage = Parameters<typeof openStore>[0];
type Row = Record<string, ArrayBuffer | string | number | null>;

export const memorySql = (): Storage => {
  const database = new DatabaseSync(":memory:");
  const statements = new Map<string, ReturnType<typeof database.prepare>>();
  const prepared = (query: string) => {
    const known = statements.get(query) ?? database.prepare(query);
    statements.set(query, known);
    return known;
  };
  const exec = (query: string, ...bindings: readonly unknown[]) => {
    const values = bindings.map((it) => (it instanceof ArrayBuffer ? new Uint8Array(it) : it)) as SQLInputValue[];
    if (!/^SELECT|RETURNING/.test(query)) {
      prepared(query).run(...values);
      return cursorOf([]);
    }
    // Rows that are read one by one need a statement of their own.
    return cursorOf(database.prepare(query).iterate(...values) as Iterable<Row>);
  };
  return {
    exec,
    get databaseSize(): number {
      const pages = database.prepare("PRAGMA page_count").get() as { page_count: number };
      const size = database.prepare("PRAGMA page_size").get() as { page_size: number };
      return pages.page_count * size.page_size;
    },
  } as unknown as Storage;
};

const cursorOf = (rows: Iterable<Row>) => ({
  *[Symbol.iterator]() {
    for (const row of rows) yield withBuffers(row);
  },
  toArray(): Row[] {
    return [...this];
  },
  one(): Row {
    const [row] = this.toArray();
    if (!row) throw new Error("there is no row");
    return row;
  },
});

const withBuffers = (row: Row): Row =>
  Object.fromEntries(
    Object.entries(row).map(([key, it]) => {
      const value: unknown = it;
      return [key, value instanceof Uint8Array ? (value.slice().buffer as ArrayBuffer) : it];
    }),
  );
