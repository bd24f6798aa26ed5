/**
 * Answers what both versions of a stage met, in one tier. Counts of a running stage are kept in memory, and made again from the
 * table of cells if they are gone; the result of a stage that has ended is stored.
 */
import { cellMs } from "../../../gateway/observability/cells.ts";
import type { Side } from "../../stats/measures.ts";
import type { StageSummary } from "../../stats/stage-summary.ts";
import type { StoredSample } from "../counts/samples.ts";
import { type CellRow, type CellTable, maxLateMs } from "./cell-table.ts";
import { type IntervalCounts, intervalCounts } from "./interval-counts.ts";
import { type RowSource, type StageFacts, type StageFold, stageFold } from "./stage-fold.ts";
import { periodOf, type StagePeriod, type StageQuery, stageTable } from "./stage-table.ts";
import { hasThresholds, type RouteThresholds } from "./thresholds.ts";

/** The evidence of one tier about a stage. */
export interface UnitEvidence {
  readonly summary: StageSummary;
  /** Totals for display, with deaths. */
  readonly stable: StoredSample;
  readonly canary: StoredSample;
  /** Requests that the tail saw; absent if it saw none. */
  readonly witnessed?: Readonly<Record<Side, number>>;
}

/** What the store knows besides the cells. */
export interface StageSources {
  readonly thresholds: (query: StageQuery, from: number) => RouteThresholds;
  /** The names of a version's rows. */
  readonly namesOf: (version: string) => Readonly<Record<RowSource["what"], string>>;
  readonly display: (query: StageQuery, period: StagePeriod) => Omit<UnitEvidence, "summary">;
}

/** In memory: each has the counts of all clusters. */
const maxLive = 4;
/** One that is being read in parts keeps its place for so long, else several long ones would drive each other out for ever. */
const readingMs = 10_000;
/** Cells that are read in one call. A long stage takes several if it is read again. */
const maxCellsPerCall = 500_000;

interface LiveStage {
  readonly fold: StageFold;
  /** All before it is counted. */
  closed: number;
  /** The end of the stage, as it was known when that was counted. */
  until: number;
  /** When a part of it was read last; 0 if all was. */
  readAt: number;
}

/** Stages whose counts are in memory: few, because they are large. */
const liveStages = () => {
  const live = new Map<string, LiveStage>();
  /** The one that was used longest ago makes room. @returns whether there is room for one more */
  const makeRoom = (now: number): boolean => {
    if (live.size < maxLive) return true;
    const [oldest] = [...live].find(([, { readAt }]) => now - readAt >= readingMs) ?? [];
    return oldest !== undefined && live.delete(oldest);
  };

  /** @returns undefined if there is no room */
  const get = (key: string, until: number, now: number, make: () => StageFold): LiveStage | undefined => {
    const known = live.get(key);
    // What was counted after the end is taken back by counting again.
    const isRight = known && (known.until === until || known.closed <= until);
    live.delete(key);
    if (!isRight && !makeRoom(now)) return undefined;
    const it = isRight ? known : { fold: make(), closed: 0, until, readAt: 0 };
    it.until = until;
    live.set(key, it);
    return it;
  };
  return { get, delete: (key: string) => live.delete(key) };
};

export const stagesOn = (sql: SqlStorage, cells: CellTable, sources: StageSources) => {
  const table = stageTable(sql);
  const live = liveStages();
  // Most tiers have no rollout for weeks.
  let counts: IntervalCounts | undefined;

  const newFold = (facts: StageFacts, from: number, names: ReadonlyMap<string, RowSource>): StageFold => {
    counts ??= intervalCounts();
    return stageFold(facts, from, names, cells.kindOf, counts);
  };

  /** @returns undefined if it takes another call: a long stage is read again in parts, and few at a time */
  const evidence = (query: StageQuery, now: number): UnitEvidence | undefined => {
    const key = [query.stable, query.canary, query.since].join("\n");
    const names = rowSources(query, sources.namesOf);
    const { facts, until, result } = table.open(query, now, () => ({
      thresholds: sources.thresholds(query, periodOf(query).from),
      stretch: query.stretch,
      settling: query.settling,
      groups: cells.hasGroups([query.stable, query.canary], now - maxLateMs),
    }));
    if (result !== null) return parsedResult(result);
    const late = until === null ? lateThresholds(sources, query, facts, now) : undefined;
    if (late) {
      table.changeFacts(query, late);
      live.delete(key);
      return evidence(query, now);
    }
    const closed = cells.close(now);
    const period = periodOf({ since: query.since, until });
    const it = live.get(key, period.until, now, () => newFold(facts, period.from, names));
    if (!it) return undefined;
    const read = catchUp(cells, it, { ...period, closed, names: [...names.keys()], byGroups: facts.groups });
    if (read === "groups") {
      table.changeFacts(query, { ...facts, groups: true });
      live.delete(key);
      return evidence(query, now);
    }
    it.readAt = read === "part" ? now : 0;
    if (read === "part") return undefined;
    const hasEnded = closed > period.until + maxLateMs + cellMs;
    const end = Math.min(closed, period.until);
    const found = { summary: it.fold.summary(end, query.bounds || hasEnded), ...sources.display(query, period) };
    if (hasEnded) {
      table.end(query, JSON.stringify(found));
      live.delete(key);
    }
    return found;
  };

  return {
    evidence,
    borders: table.borders,
    compared: (now: number): ReadonlyMap<string, number> =>
      new Map(
        [...table.compared(now)].flatMap(([version, since]) =>
          Object.values(sources.namesOf(version)).map((name) => [name, since] as const),
        ),
      ),
    sweep: table.sweep,
  };
};

/**
 * A new tier has no past. Its stable version's first requests become it then, and what starts later is measured.
 * @returns undefined if there are thresholds already, or none yet
 */
const lateThresholds = (
  sources: Pick<StageSources, "thresholds">,
  query: StageQuery,
  facts: StageFacts,
  now: number,
): StageFacts | undefined => {
  if (hasThresholds(facts.thresholds)) return undefined;
  const thresholds = sources.thresholds(query, now);
  if (!hasThresholds(thresholds)) return undefined;
  const latency = Math.max(facts.settling.latency, now - periodOf(query).from);
  return { ...facts, thresholds, settling: { ...facts.settling, latency } };
};

const rowSources = ({ stable, canary }: StageQuery, namesOf: StageSources["namesOf"]): ReadonlyMap<string, RowSource> =>
  new Map(
    [["stable", stable] as const, ["canary", canary] as const].flatMap(([side, version]) =>
      Object.entries(namesOf(version)).map(([what, name]) => [name, { side, what } as RowSource] as const),
    ),
  );

interface Reading extends StagePeriod {
  /** All before it can be counted. */
  readonly closed: number;
  readonly names: readonly string[];
  readonly byGroups: boolean;
}

/** @returns whether all was read; `groups` if a version reports groups of users, and the stage does not know */
const catchUp = (
  cells: Pick<CellTable, "read">,
  it: LiveStage,
  { from, until, closed, names, byGroups }: Reading,
): "all" | "part" | "groups" => {
  let left = maxCellsPerCall;
  let rows: CellRow[] = [];
  const fold = (): void => {
    const [first] = rows;
    if (!first) return;
    it.fold.add(Math.min(first.fold, until), rows);
    it.closed = first.fold + 1;
    rows = [];
  };
  const end = Math.min(closed, until + maxLateMs + 2 * cellMs);
  for (const row of cells.read(names, Math.max(it.closed, from), end)) {
    if (row.fold !== rows[0]?.fold) {
      fold();
      if (left <= 0) return "part";
    }
    if (row.at < from || row.at >= until) continue;
    if (row.groups && !byGroups) return "groups";
    rows.push(row);
    left -= row.data.length / 2;
  }
  fold();
  it.closed = Math.max(it.closed, closed);
  return "all";
};

/** JSON has no infinity, at which the window of the whole stage ends. */
const parsedResult = (result: string): UnitEvidence =>
  JSON.parse(result, (key, value) => (key === "until" && value === null ? Number.POSITIVE_INFINITY : value));
