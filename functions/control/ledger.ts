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
  /** The public key that it was asked for with: it is that person's who holds it now no more, where that is another. */
  readonly key: string;
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
  /**
   * Whether this is the first time that a token writes.
   * @param until it is over then, and need not be remembered
   */
  readonly first: (token: string, until: number, now: number) => boolean;
}

const mostLines = 10_000;
const mostProposals = 200;
/** In five minutes, which is how long a token lives. */
const mostTokens = 10_000;

export const ledgerOn = (sql: SqlStorage): Ledger => {
  sql.exec(
    `CREATE TABLE IF NOT EXISTS lines (id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, "by" TEXT NOT NULL, what TEXT NOT NULL,
     tier TEXT NOT NULL, reason TEXT NOT NULL, before TEXT NOT NULL, asked TEXT NOT NULL, outcome TEXT NOT NULL)`,
  );
  // What waited here said nothing of keys; it was an hour's.
  sql.exec("DROP TABLE IF EXISTS proposals");
  sql.exec(
    `CREATE TABLE IF NOT EXISTS waiting (id TEXT PRIMARY KEY, until INTEGER NOT NULL, "by" TEXT NOT NULL, key TEXT NOT NULL,
     tier TEXT NOT NULL, what TEXT NOT NULL, body TEXT NOT NULL)`,
  );
  sql.exec("CREATE TABLE IF NOT EXISTS tokens (token TEXT PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID");
  const proposals = (now: number) =>
    sql.exec("SELECT * FROM waiting WHERE until > ? ORDER BY until", now).toArray() as unknown as Proposal[];
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
    propose: ({ id, until, by, key, tier, what, body }, now) => {
      sql.exec("DELETE FROM waiting WHERE until <= ?", now);
      if (proposals(now).length >= mostProposals) throw new RangeError(`${mostProposals} proposals wait already`);
      sql.exec("INSERT INTO waiting VALUES (?, ?, ?, ?, ?, ?, ?)", id, until, by, key, tier, what, body);
    },
    proposals,
    take: (id, now) => {
      const found = proposals(now).find((it) => it.id === id);
      if (found) sql.exec("DELETE FROM waiting WHERE id = ?", id);
      return found;
    },
    first: (token, until, now) => {
      sql.exec("DELETE FROM tokens WHERE until <= ?", now);
      const { n } = sql.exec<{ n: number }>("SELECT COUNT(*) AS n FROM tokens").one();
      if (n >= mostTokens) return false;
      return sql.exec("INSERT OR IGNORE INTO tokens VALUES (?, ?) RETURNING 1", token, until).toArray().length > 0;
    },
  };
};
