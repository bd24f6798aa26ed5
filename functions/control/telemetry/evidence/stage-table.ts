/** The table of stages: what was fixed when each began, and what is left of those that ended. */
import type { Settling } from "../../stats/stage-summary.ts";
import { ceilOf, floorOf } from "./cell-table.ts";
import type { StageFacts } from "./stage-fold.ts";

/** A stage of a rollout, in one tier. */
export interface StageQuery {
  /** Versions as reports name them. */
  readonly stable: string;
  readonly canary: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** Null if it goes on. */
  readonly until: number | null;
  /** Bins by which the canary may be slower. */
  readonly stretch: number;
  readonly settling: Settling;
  /** All requests of a version are on one route. */
  readonly isOneRoute: boolean;
  /** Whether the summary has what a pass needs. */
  readonly bounds: boolean;
}

/** Whole intervals, so that those with a border count for no stage. Milliseconds since the epoch. */
export interface StagePeriod {
  readonly from: number;
  readonly until: number;
}

export const periodOf = ({ since, until }: Pick<StageQuery, "since" | "until">): StagePeriod => ({
  from: ceilOf(since),
  until: until === null ? Number.POSITIVE_INFINITY : floorOf(until),
});

interface StageRow extends Record<string, SqlStorageValue> {
  readonly stable: string;
  readonly canary: string;
  readonly since: number;
  readonly until: number | null;
  readonly requested: number;
  readonly facts: string;
  readonly result: string | null;
}

interface OpenStage {
  readonly facts: StageFacts;
  readonly until: number | null;
  readonly result: string | null;
}

/** A stage that nobody has requested for so long is over. */
const forgottenMs = 24 * 60 * 60_000;
const requestedStepMs = 60_000;
/** The results of rollouts that ended are kept for their reports. */
const maxStages = 300;

export const createStageTable = (sql: SqlStorage): void =>
  void sql.exec(
    "CREATE TABLE IF NOT EXISTS stages (stable TEXT, canary TEXT, since INTEGER, until INTEGER, requested INTEGER NOT NULL, facts TEXT NOT NULL, result TEXT, PRIMARY KEY (stable, canary, since)) WITHOUT ROWID",
  );

export const stageTable = (sql: SqlStorage) => {
  const where = "WHERE stable = ? AND canary = ? AND since = ?";
  const keyOf = ({ stable, canary, since }: StageQuery) => [stable, canary, since] as const;
  const update = (
    query: StageQuery,
    column: "until" | "requested" | "facts" | "result",
    value: string | number,
  ): void => void sql.exec(`UPDATE stages SET ${column} = ? ${where}`, value, ...keyOf(query));
  const rows = (): StageRow[] => sql.exec<StageRow>("SELECT * FROM stages").toArray();

  return {
    /** Fixes the facts if the stage is new. Its end stays known, also to who asks and does not know it yet. */
    open: (query: StageQuery, now: number, factsOf: () => StageFacts): OpenStage => {
      const [known] = sql.exec<StageRow>(`SELECT * FROM stages ${where}`, ...keyOf(query)).toArray();
      if (!known) {
        const facts = factsOf();
        const [stable, canary, since] = keyOf(query);
        sql.exec(
          "INSERT INTO stages VALUES (?, ?, ?, ?, ?, ?, NULL)",
          ...[stable, canary, since, query.until, now, JSON.stringify(facts)],
        );
        return { facts, until: query.until, result: null };
      }
      if (query.until !== null && known.until !== query.until) update(query, "until", query.until);
      if (now - known.requested >= requestedStepMs) update(query, "requested", now);
      const { facts, result } = known;
      return { facts: JSON.parse(facts) as StageFacts, until: query.until ?? known.until, result };
    },
    changeFacts: (query: StageQuery, facts: StageFacts): void => update(query, "facts", JSON.stringify(facts)),
    end: (query: StageQuery, result: string): void => update(query, "result", result),
    /** Times at which a stage begins or ends: counts before and after are never added. Ascending. */
    borders: (): number[] =>
      [
        ...new Set(rows().flatMap((it) => [ceilOf(it.since), ...(it.until === null ? [] : [floorOf(it.until)])])),
      ].toSorted((a, b) => a - b),
    /** The versions of stages that are not over, and since when each is compared. */
    compared: (now: number): ReadonlyMap<string, number> => {
      const all = new Map<string, number>();
      for (const { stable, canary, since, requested, result } of rows())
        if (result === null && requested >= now - forgottenMs)
          for (const version of [stable, canary]) all.set(version, Math.min(all.get(version) ?? since, since));
      return all;
    },
    sweep: (): void =>
      void sql.exec(
        "DELETE FROM stages WHERE (stable, canary, since) NOT IN (SELECT stable, canary, since FROM stages ORDER BY requested DESC LIMIT ?)",
        maxStages,
      ),
  };
};
