/** Who asked for what, and what waits for a second person, in its object's own SQLite. Lines are only ever added. */

export interface Line {
  readonly id: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly by: string;
  readonly what: string;
  readonly tier: string;
  readonly reason: string;
  /** JSON: how it stood before, and what was asked. */
  readonly before: string;
  readonly asked: string;
  /** What came of it; empty while it is under way, and after a crash in its midst. */
  readonly outcome: string;
}

export interface Proposal {
  readonly id: string;
  readonly until: number;
  readonly by: string;
  readonly tier: string;
  readonly what: string;
  readonly body: string;
}

export interface Ledger {
  /** @returns its number */
  readonly write: (line: Omit<Line, "id" | "outcome">) => number;
  readonly settle: (id: number, outcome: string) => void;
  /** Newest first. */
  readonly lines: (tier: string | null, most: number) => readonly Line[];
  readonly propose: (proposal: Proposal, now: number) => void;
  readonly proposals: (now: number) => readonly Proposal[];
  /** Takes it off the list. */
  readonly take: (id: string, now: number) => Proposal | undefined;
}

const mostLines = 10_000;
const mostProposals = 200;

export const ledgerOn = (sql: SqlStorage): Ledger => {
  sql.exec(
    `CREATE TABLE IF NOT EXISTS lines (id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, "by" TEXT NOT NULL, what TEXT NOT NULL,
     tier TEXT NOT NULL, reason TEXT NOT NULL, before TEXT NOT NULL, asked TEXT NOT NULL, outcome TEXT NOT NULL)`,
  );
  sql.exec(
    `CREATE TABLE IF NOT EXISTS proposals (id TEXT PRIMARY KEY, until INTEGER NOT NULL, "by" TEXT NOT NULL, tier TEXT NOT NULL,
     what TEXT NOT NULL, body TEXT NOT NULL)`,
  );
  const proposals = (now: number) =>
    sql.exec("SELECT * FROM proposals WHERE until > ? ORDER BY until", now).toArray() as unknown as Proposal[];
  return {
    write: ({ at, by, what, tier, reason, before, asked }) => {
      const { id } = sql
        .exec<{ id: number }>(
          "INSERT INTO lines VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, '') RETURNING id",
          at,
          by,
          what,
          tier,
          reason,
          before,
          asked,
        )
        .one();
      sql.exec("DELETE FROM lines WHERE id <= ?", id - mostLines);
      return id;
    },
    settle: (id, outcome) => void sql.exec("UPDATE lines SET outcome = ? WHERE id = ? AND outcome = ''", outcome, id),
    lines: (tier, most) =>
      sql
        .exec("SELECT * FROM lines WHERE ? IS NULL OR tier = ? ORDER BY id DESC LIMIT ?", tier, tier, most)
        .toArray() as unknown as Line[],
    propose: ({ id, until, by, tier, what, body }, now) => {
      sql.exec("DELETE FROM proposals WHERE until <= ?", now);
      if (proposals(now).length >= mostProposals) throw new RangeError(`${mostProposals} proposals wait already`);
      sql.exec("INSERT INTO proposals VALUES (?, ?, ?, ?, ?, ?)", id, until, by, tier, what, body);
    },
    proposals,
    take: (id, now) => {
      const found = proposals(now).find((it) => it.id === id);
      if (found) sql.exec("DELETE FROM proposals WHERE id = ?", id);
      return found;
    },
  };
};
