/** What waits to be told, in its object's own SQLite: each notice once for each channel, until it was heard or is given up. */
import type { Notice, NoticeType } from "./notification.ts";

export type Channel = "webhook" | "github";

export interface Waiting {
  readonly n: number;
  readonly id: string;
  readonly type: NoticeType;
  readonly subject: string;
  readonly at: number;
  /** JSON of the notice's data. */
  readonly data: string;
  /** That have begun. */
  readonly attempts: number;
}

/** One line of what is shown. */
export interface Shown {
  readonly id: string;
  readonly type: NoticeType;
  readonly subject: string;
  readonly channel: Channel;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly state: "pending" | "heard" | "given-up";
  readonly attempts: number;
  /** Of the next attempt; null where there is none. */
  readonly due: number | null;
  /** Of the last attempt; empty where it was heard. */
  readonly error: string;
}

export interface Totals {
  readonly pending: number;
  readonly heard: number;
  readonly givenUp: number;
}

/** Of one channel. */
const mostWaiting = 1000;
/** Of all channels, after they were heard or given up. */
const mostKept = 500;
/** Characters; a receiver is spared more. */
const mostData = 20_000;
/** An attempt that nobody has heard of again is made anew after so long. */
const underwayMs = 60_000;
const mostDeployments = 500;

export const outboxOn = (sql: SqlStorage) => {
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

  const fact = (name: string): string | undefined =>
    sql.exec<{ value: string }>("SELECT value FROM facts WHERE name = ?", name).toArray()[0]?.value;
  const keepFact = (name: string, value: string | undefined): void => {
    if (value === undefined) sql.exec("DELETE FROM facts WHERE name = ?", name);
    else sql.exec("INSERT OR REPLACE INTO facts VALUES (?, ?)", name, value);
  };
  const count = (channel: Channel, what: Ended, more: number): void =>
    keepFact(`${what} ${channel}`, String(Number(fact(`${what} ${channel}`) ?? 0) + more));

  const settle = (channel: Channel, state: Ended, error: string, which: string, ...given: unknown[]): void => {
    const ended = sql.exec(
      `UPDATE notices SET state = ?, error = ? WHERE channel = ? AND state = 'pending' AND ${which} RETURNING n`,
      state,
      error,
      channel,
      ...given,
    );
    count(channel, state, ended.toArray().length);
    sql.exec(
      `DELETE FROM notices WHERE state <> 'pending' AND n <=
       (SELECT n FROM notices WHERE state <> 'pending' ORDER BY n DESC LIMIT 1 OFFSET ${mostKept})`,
    );
  };

  return {
    /**
     * Takes it once, however often it is told. The oldest is given up where too many wait.
     * @param vain why it cannot be told at all
     */
    put: ({ id, type, subject, at, data }: Notice, channel: Channel, now: number, vain?: string): void => {
      const text = JSON.stringify(data);
      const kept = text.length <= mostData ? text : "{}";
      const taken = sql.exec(
        "INSERT OR IGNORE INTO notices VALUES (NULL, ?, ?, ?, ?, ?, ?, 'pending', 0, ?, '') RETURNING n",
        id,
        channel,
        type,
        subject,
        at,
        kept,
        now,
      );
      const [row] = taken.toArray();
      if (row && vain !== undefined) settle(channel, "given-up", vain, "n = ?", row.n);
      const oldest = `n <= (SELECT n FROM notices WHERE channel = ? AND state = 'pending' ORDER BY n DESC LIMIT 1 OFFSET ${mostWaiting})`;
      settle(channel, "given-up", `more than ${mostWaiting} wait`, oldest, channel);
    },
    /**
     * What is due, oldest first.
     * @param ordered a later notice of a subject waits for an earlier one
     */
    due: (channel: Channel, ordered: boolean, most: number, now: number): readonly Waiting[] =>
      sql
        .exec(
          `SELECT n, id, type, subject, at, data, attempts FROM notices AS it WHERE channel = ? AND state = 'pending' AND due <= ?
           ${ordered ? first : ""} ORDER BY due, n LIMIT ?`,
          channel,
          now,
          most,
        )
        .toArray() as unknown as Waiting[],
    /** Milliseconds since the epoch; undefined where nothing waits. */
    next: (channel: Channel, ordered: boolean): number | undefined =>
      sql
        .exec<{ due: number | null }>(
          `SELECT min(due) AS due FROM notices AS it WHERE channel = ? AND state = 'pending' ${ordered ? first : ""}`,
          channel,
        )
        .one().due ?? undefined,
    /** Written before it is sent: who dies of an attempt does not make it for ever. */
    begin: (n: number, now: number): void =>
      void sql.exec("UPDATE notices SET attempts = attempts + 1, due = ? WHERE n = ?", now + underwayMs, n),
    again: (n: number, due: number, error: string): void =>
      void sql.exec("UPDATE notices SET due = ?, error = ? WHERE n = ? AND state = 'pending'", due, error, n),
    heard: (n: number, channel: Channel): void => settle(channel, "heard", "", "n = ?", n),
    giveUp: (n: number, channel: Channel, error: string): void => settle(channel, "given-up", error, "n = ?", n),
    giveUpAll: (channel: Channel, error: string): void => settle(channel, "given-up", error, "1 = 1"),
    /** @returns how many are told again, from the first attempt */
    retry: (channel: Channel, now: number): number => {
      const again = sql.exec(
        "UPDATE notices SET state = 'pending', attempts = 0, due = ? WHERE channel = ? AND state = 'given-up' RETURNING n",
        now,
        channel,
      );
      const many = again.toArray().length;
      count(channel, "given-up", -many);
      return many;
    },
    totals: (channel: Channel): Totals => ({
      pending: sql
        .exec<{ count: number }>(
          "SELECT count(*) AS count FROM notices WHERE channel = ? AND state = 'pending'",
          channel,
        )
        .one().count,
      heard: Number(fact(`heard ${channel}`) ?? 0),
      givenUp: Number(fact(`given-up ${channel}`) ?? 0),
    }),
    /** Newest first. */
    newest: (most: number): readonly Shown[] =>
      sql
        .exec(
          `SELECT id, type, subject, channel, at, state, attempts, CASE state WHEN 'pending' THEN due END AS due, error
           FROM notices ORDER BY n DESC LIMIT ?`,
          most,
        )
        .toArray() as unknown as Shown[],
    /** Of GitHub, for a rollout. */
    deployment: (rollout: string): number | undefined => {
      const [known] = sql.exec<{ id: number }>("SELECT id FROM deployments WHERE rollout = ?", rollout).toArray();
      return known?.id;
    },
    keepDeployment: (rollout: string, id: number): void => {
      sql.exec("INSERT OR IGNORE INTO deployments VALUES (NULL, ?, ?)", rollout, id);
      sql.exec("DELETE FROM deployments WHERE n <= (SELECT max(n) FROM deployments) - ?", mostDeployments);
    },
    fact,
    keepFact,
  };
};

type Ended = "heard" | "given-up";

const first = `AND NOT EXISTS (SELECT 1 FROM notices AS earlier WHERE earlier.state = 'pending' AND earlier.channel = it.channel
  AND earlier.subject = it.subject AND earlier.n < it.n)`;

export type Outbox = ReturnType<typeof outboxOn>;
