/** The outbox: notices in a Durable Object's SQLite, one entry per channel, until delivered or given up. */
import type { Notice, NoticeType } from "./notification.ts";

export type Channel = "webhook" | "github";

export interface PendingNotice {
  readonly n: number;
  readonly id: string;
  readonly type: NoticeType;
  readonly subject: string;
  readonly at: number;
  /** JSON of the notice's data. */
  readonly data: string;
  /** Started attempts. */
  readonly attempts: number;
}

/** A notice's delivery to one channel, as it is displayed. */
export interface NoticeStatus {
  readonly id: string;
  readonly type: NoticeType;
  readonly subject: string;
  readonly channel: Channel;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly state: "pending" | "heard" | "given-up";
  readonly attempts: number;
  /** Time of the next attempt; null if there is none. */
  readonly due: number | null;
  /** Error of the last attempt; empty if it was delivered. */
  readonly error: string;
}

export interface ChannelTotals {
  readonly pending: number;
  readonly heard: number;
  readonly givenUp: number;
}

/** Pending notices per channel. */
const maxPending = 1000;
/** Delivered and given-up notices that are kept, over all channels. */
const maxSettled = 500;
/** Characters of a notice's data; larger data is dropped. */
export const maxDataChars = 40_000;
/** An attempt without a result is repeated after this time. */
const attemptLeaseMs = 60_000;
const maxDeployments = 500;

/** Opens the outbox; creates its tables if they are missing. */
export const openOutbox = (sql: SqlStorage) => {
  createTables(sql);
  const facts = factsOn(sql);
  return { ...facts, ...queueOn(sql, facts), ...deploymentsOn(sql) };
};

export type Outbox = ReturnType<typeof openOutbox>;

const createTables = (sql: SqlStorage): void => {
  sql.exec(
    `CREATE TABLE IF NOT EXISTS notices (n INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, channel TEXT NOT NULL, type TEXT NOT NULL,
     subject TEXT NOT NULL, at INTEGER NOT NULL, data TEXT NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL, due INTEGER NOT NULL,
     error TEXT NOT NULL, UNIQUE (channel, id))`,
  );
  sql.exec("CREATE INDEX IF NOT EXISTS waiting ON notices (state, channel, subject, n)");
  sql.exec("CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL)");
  sql.exec(
    "CREATE TABLE IF NOT EXISTS deployments (n INTEGER PRIMARY KEY AUTOINCREMENT, rollout TEXT NOT NULL UNIQUE, id INTEGER NOT NULL)",
  );
};

/** Named values: counters of settled notices, and an address that answered 410. */
const factsOn = (sql: SqlStorage) => {
  const fact = (name: string): string | undefined =>
    sql.exec<{ value: string }>("SELECT value FROM facts WHERE name = ?", name).toArray()[0]?.value;
  const setFact = (name: string, value: string | undefined): void => {
    if (value === undefined) sql.exec("DELETE FROM facts WHERE name = ?", name);
    else sql.exec("INSERT OR REPLACE INTO facts VALUES (?, ?)", name, value);
  };
  return { fact, setFact };
};

type Facts = ReturnType<typeof factsOn>;

const queueOn = (sql: SqlStorage, facts: Facts) => {
  const settle = settleOn(sql, facts);
  return {
    /**
     * Adds a notice; a duplicate is ignored. Gives up the oldest if too many are pending.
     * @param undeliverable why it cannot be delivered at all
     */
    enqueue: (notice: Notice, channel: Channel, now: number, undeliverable?: string): void => {
      const n = insert(sql, notice, channel, now);
      if (n !== undefined && undeliverable !== undefined) settle(channel, "given-up", undeliverable, "n = ?", n);
      const oldest = `n <= (SELECT n FROM notices WHERE channel = ? AND state = 'pending' ORDER BY n DESC LIMIT 1 OFFSET ${maxPending})`;
      settle(channel, "given-up", `more than ${maxPending} wait`, oldest, channel);
    },
    /** Recorded before sending, so that an attempt that crashes the object is not repeated forever. */
    beginAttempt: (n: number, now: number): void =>
      void sql.exec("UPDATE notices SET attempts = attempts + 1, due = ? WHERE n = ?", now + attemptLeaseMs, n),
    reschedule: (n: number, due: number, error: string): void =>
      void sql.exec("UPDATE notices SET due = ?, error = ? WHERE n = ? AND state = 'pending'", due, error, n),
    markDelivered: (n: number, channel: Channel): void => settle(channel, "heard", "", "n = ?", n),
    giveUp: (n: number, channel: Channel, error: string): void => settle(channel, "given-up", error, "n = ?", n),
    giveUpAll: (channel: Channel, error: string): void => settle(channel, "given-up", error, "1 = 1"),
    /** @returns how many are sent again */
    retry: (channel: Channel, now: number): number => {
      const again = sql.exec(
        "UPDATE notices SET state = 'pending', attempts = 0, due = ? WHERE channel = ? AND state = 'given-up' RETURNING n",
        now,
        channel,
      );
      const retried = again.toArray().length;
      addToCounter(facts, channel, "given-up", -retried);
      return retried;
    },
    ...queriesOn(sql, facts),
  };
};

const queriesOn = (sql: SqlStorage, { fact }: Facts) => ({
  /**
   * Due notices, oldest first.
   * @param ordered whether a later notice of a subject waits for an earlier one
   */
  due: (channel: Channel, ordered: boolean, max: number, now: number): readonly PendingNotice[] =>
    sql
      .exec(
        `SELECT n, id, type, subject, at, data, attempts FROM notices AS it WHERE channel = ? AND state = 'pending' AND due <= ?
         ${ordered ? firstOfSubject : ""} ORDER BY due, n LIMIT ?`,
        channel,
        now,
        max,
      )
      .toArray() as unknown as PendingNotice[],
  /** Time of the next attempt, in milliseconds since the epoch; undefined if nothing is pending. */
  next: (channel: Channel, ordered: boolean): number | undefined =>
    sql
      .exec<{ due: number | null }>(
        `SELECT min(due) AS due FROM notices AS it WHERE channel = ? AND state = 'pending' ${ordered ? firstOfSubject : ""}`,
        channel,
      )
      .one().due ?? undefined,
  totals: (channel: Channel): ChannelTotals => ({
    pending: sql
      .exec<{ count: number }>("SELECT count(*) AS count FROM notices WHERE channel = ? AND state = 'pending'", channel)
      .one().count,
    heard: Number(fact(`heard ${channel}`) ?? 0),
    givenUp: Number(fact(`given-up ${channel}`) ?? 0),
  }),
  /** Newest first. */
  newest: (max: number): readonly NoticeStatus[] =>
    sql
      .exec(
        `SELECT id, type, subject, channel, at, state, attempts, CASE state WHEN 'pending' THEN due END AS due, error
         FROM notices ORDER BY n DESC LIMIT ?`,
        max,
      )
      .toArray() as unknown as NoticeStatus[],
});

/** @returns the row's number; undefined for a duplicate */
const insert = (
  sql: SqlStorage,
  { id, type, subject, at, data }: Notice,
  channel: Channel,
  now: number,
): SqlStorageValue | undefined => {
  const text = JSON.stringify(data);
  const inserted = sql.exec(
    "INSERT OR IGNORE INTO notices VALUES (NULL, ?, ?, ?, ?, ?, ?, 'pending', 0, ?, '') RETURNING n",
    id,
    channel,
    type,
    subject,
    at,
    text.length <= maxDataChars ? text : "{}",
    now,
  );
  return inserted.toArray()[0]?.n;
};

/** Moves pending notices to their final state, counts them and deletes old settled ones. */
const settleOn =
  (sql: SqlStorage, facts: Facts) =>
  (channel: Channel, state: FinalState, error: string, which: string, ...args: unknown[]): void => {
    const settledRows = sql.exec(
      `UPDATE notices SET state = ?, error = ? WHERE channel = ? AND state = 'pending' AND ${which} RETURNING n`,
      state,
      error,
      channel,
      ...args,
    );
    addToCounter(facts, channel, state, settledRows.toArray().length);
    sql.exec(
      `DELETE FROM notices WHERE state <> 'pending' AND n <=
       (SELECT n FROM notices WHERE state <> 'pending' ORDER BY n DESC LIMIT 1 OFFSET ${maxSettled})`,
    );
  };

const addToCounter = ({ fact, setFact }: Facts, channel: Channel, state: FinalState, more: number): void =>
  setFact(`${state} ${channel}`, String(Number(fact(`${state} ${channel}`) ?? 0) + more));

/** The GitHub deployments of rollouts. */
const deploymentsOn = (sql: SqlStorage) => ({
  findDeployment: (rollout: string): number | undefined => {
    const [known] = sql.exec<{ id: number }>("SELECT id FROM deployments WHERE rollout = ?", rollout).toArray();
    return known?.id;
  },
  saveDeployment: (rollout: string, id: number): void => {
    sql.exec("INSERT OR IGNORE INTO deployments VALUES (NULL, ?, ?)", rollout, id);
    sql.exec("DELETE FROM deployments WHERE n <= (SELECT max(n) FROM deployments) - ?", maxDeployments);
  },
});

type FinalState = "heard" | "given-up";

const firstOfSubject = `AND NOT EXISTS (SELECT 1 FROM notices AS earlier WHERE earlier.state = 'pending' AND earlier.channel = it.channel
  AND earlier.subject = it.subject AND earlier.n < it.n)`;
