/** The audit log, the proposals that wait for a second person and the used write tokens, in a Durable Object's SQLite. The log is append-only. */
import type { Proposal } from "../model/approval.ts";

export interface AuditEntry {
  readonly id: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly by: string;
  readonly what: string;
  readonly tier: string;
  readonly reason: string;
  /** JSON: the state before, and the request. */
  readonly before: string;
  readonly asked: string;
  /** The result; empty while the command runs, and after a crash during it. */
  readonly outcome: string;
}

/** An operator's token for a write. Each can be used once. */
export interface WriteToken {
  readonly by: string;
  /** The token's `jti`. */
  readonly id: string;
  /** Expiry, in milliseconds since the epoch. */
  readonly until: number;
  /** The call stops or revokes something, so it has a reserved quota. */
  readonly stops: boolean;
}

export interface Ledger {
  /** @returns the entry's id */
  readonly write: (line: Omit<AuditEntry, "id" | "outcome">) => number;
  readonly settle: (id: number, outcome: string) => void;
  /** Newest first. @param before only entries with a smaller id */
  readonly lines: (tier: string | null, max: number, before?: number) => readonly AuditEntry[];
  /** Each operator has a quota, so that none can block the others. */
  readonly propose: (proposal: Proposal, now: number) => "waits" | "full";
  readonly proposals: (now: number) => readonly Proposal[];
  /** Removes and returns a proposal. */
  readonly take: (id: string, now: number) => Proposal | undefined;
  /** Records a token as used until it has expired. Each operator has a quota. */
  readonly spend: (token: WriteToken, now: number) => "spent" | "replayed" | "full";
}

/** Bounds of the audit log. Each operator's own entries are bounded too, so that none can push out the entries of others. */
const maxLines = 50_000;
const maxLinesPerOperator = 5000;
/** Old entries are deleted once every so many entries. */
const linesPerSweep = 100;
/** Characters of an answer: one RPC call has a size limit. */
const maxAnswerChars = 4 * 1024 * 1024;
/** Per operator. */
const maxProposals = 100;
const maxProposalChars = 1024 * 1024;
/** Writes per operator within a token's lifetime of five minutes. The difference is reserved for calls that stop something. */
const maxTokens = 1000;
const maxStoppingTokens = 1200;
/** Milliseconds: bounds how long a used token is stored. */
const maxTokenLifeMs = 10 * 60_000;

/** Opens the ledger; creates its tables if they are missing. */
export const openLedger = (sql: SqlStorage): Ledger => {
  createTables(sql);
  migrateTokens(sql);
  return {
    write: (entry) => write(sql, entry),
    settle: (id, outcome) => void sql.exec("UPDATE lines SET outcome = ? WHERE id = ? AND outcome = ''", outcome, id),
    lines: (tier, max, before) => entriesOf(sql, tier, max, before),
    propose: (proposal, now) => propose(sql, proposal, now),
    proposals: (now) => proposalsAt(sql, now),
    take: (id, now) => {
      const proposal = proposalsAt(sql, now).find((it) => it.id === id);
      if (proposal) sql.exec("DELETE FROM waiting WHERE id = ?", id);
      return proposal;
    },
    spend: (token, now) => useToken(sql, token, now),
  };
};

const createTables = (sql: SqlStorage): void => {
  sql.exec(
    `CREATE TABLE IF NOT EXISTS lines (id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, "by" TEXT NOT NULL, what TEXT NOT NULL,
     tier TEXT NOT NULL, reason TEXT NOT NULL, before TEXT NOT NULL, asked TEXT NOT NULL, outcome TEXT NOT NULL)`,
  );
  sql.exec(`CREATE INDEX IF NOT EXISTS lines_by_person ON lines ("by", id)`);
  // The table of an earlier release has no keys; its proposals lived for an hour.
  sql.exec("DROP TABLE IF EXISTS proposals");
  sql.exec(
    `CREATE TABLE IF NOT EXISTS waiting (id TEXT PRIMARY KEY, until INTEGER NOT NULL, "by" TEXT NOT NULL, key TEXT NOT NULL,
     tier TEXT NOT NULL, what TEXT NOT NULL, body TEXT NOT NULL)`,
  );
  sql.exec(
    `CREATE TABLE IF NOT EXISTS spent ("by" TEXT NOT NULL, id TEXT NOT NULL, until INTEGER NOT NULL, PRIMARY KEY ("by", id)) WITHOUT ROWID`,
  );
};

const write = (
  sql: SqlStorage,
  { at, by, what, tier, reason, before, asked }: Omit<AuditEntry, "id" | "outcome">,
): number => {
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
  if (id % linesPerSweep === 0) {
    sql.exec("DELETE FROM lines WHERE id <= ?", id - maxLines);
    const oldest = `SELECT id FROM lines WHERE "by" = ? ORDER BY id DESC LIMIT 1 OFFSET ?`;
    sql.exec(`DELETE FROM lines WHERE "by" = ? AND id <= (${oldest})`, by, by, maxLinesPerOperator);
  }
  return id;
};

const entriesOf = (
  sql: SqlStorage,
  tier: string | null,
  max: number,
  before = Number.MAX_SAFE_INTEGER,
): readonly AuditEntry[] => {
  const all: AuditEntry[] = [];
  let chars = 0;
  for (const row of sql.exec(
    "SELECT * FROM lines WHERE (? IS NULL OR tier = ?) AND id < ? ORDER BY id DESC LIMIT ?",
    tier,
    tier,
    before,
    max,
  )) {
    const entry = row as unknown as AuditEntry;
    chars += entry.before.length + entry.asked.length;
    if (chars > maxAnswerChars) break;
    all.push(entry);
  }
  return all;
};

const proposalsAt = (sql: SqlStorage, now: number): readonly Proposal[] =>
  sql.exec("SELECT * FROM waiting WHERE until > ? ORDER BY until", now).toArray() as unknown as Proposal[];

const propose = (
  sql: SqlStorage,
  { id, until, by, key, tier, what, body }: Proposal,
  now: number,
): "waits" | "full" => {
  sql.exec("DELETE FROM waiting WHERE until <= ?", now);
  const { n, chars } = sql
    .exec<{ n: number; chars: number }>(
      `SELECT COUNT(*) AS n, COALESCE(SUM(LENGTH(body)), 0) AS chars FROM waiting WHERE "by" = ?`,
      by,
    )
    .one();
  if (n >= maxProposals || chars + body.length > maxProposalChars) return "full";
  sql.exec("INSERT INTO waiting VALUES (?, ?, ?, ?, ?, ?, ?)", id, until, by, key, tier, what, body);
  return "waits";
};

const useToken = (
  sql: SqlStorage,
  { by, id, until, stops }: WriteToken,
  now: number,
): "spent" | "replayed" | "full" => {
  sql.exec("DELETE FROM spent WHERE until <= ? OR until > ?", now, now + maxTokenLifeMs);
  const known = sql.exec(`SELECT 1 FROM spent WHERE "by" = ? AND id = ?`, by, id).toArray();
  if (known.length > 0) return "replayed";
  const { n } = sql.exec<{ n: number }>(`SELECT COUNT(*) AS n FROM spent WHERE "by" = ?`, by).one();
  if (n >= (stops ? maxStoppingTokens : maxTokens)) return "full";
  sql.exec("INSERT INTO spent VALUES (?, ?, ?)", by, id, until);
  return "spent";
};

/** Copies used tokens from the table of an earlier release, so that they stay used. */
const migrateTokens = (sql: SqlStorage): void => {
  if (sql.exec("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'tokens'").toArray().length === 0) return;
  sql.exec(
    `INSERT OR IGNORE INTO spent SELECT substr(token, 1, instr(token, ' ') - 1), substr(token, instr(token, ' ') + 1), until
     FROM tokens`,
  );
  sql.exec("DROP TABLE tokens");
};
