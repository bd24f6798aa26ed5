/** Replays a stream of telemetry through control's statistics, and says where they differ from what evidence.py computed. */
import { boundsOf, combinedRate, shareOfRequests } from "../../functions/control/stats/combined.ts";
import { type BetStage, betsOf, requestBet } from "../../functions/control/stats/evidence.ts";
import { indexOf, type Measure, type Rate, type Side } from "../../functions/control/stats/measures.ts";
import { StageEvidence } from "../../functions/control/stats/stage-evidence.ts";
import type {
  RateSummary,
  Settling,
  StageSummary,
  WindowCrossings,
} from "../../functions/control/stats/stage-summary.ts";

type Operation =
  | readonly ["add", side: Side, at: number, cluster: number, counts: readonly number[]]
  | readonly ["close", at: number]
  | readonly ["ask"];

interface Question {
  readonly measure: Measure;
  readonly against: "more" | "fewer";
  readonly budget: number;
}

/** A line of what streams.py prints. */
export interface Stream {
  readonly number: number;
  readonly situation: string;
  readonly settling: Settling;
  readonly stages: readonly { readonly share: number; readonly stores: readonly (readonly Operation[])[] }[];
  readonly questions: readonly Question[];
  readonly expected: {
    /** By stage, store, and question. */
    readonly summaries: readonly (readonly (readonly ExpectedSummary[])[])[];
    readonly bets: readonly (readonly (string | number | null)[][])[];
    readonly faults: readonly (readonly number[])[];
    readonly combined: readonly Readonly<Record<Rate, readonly number[] | null>>[];
    readonly shares: readonly (readonly number[] | null)[];
  };
}

interface ExpectedSummary {
  readonly totals: Readonly<Record<Side, readonly number[]>>;
  readonly clusters: Readonly<Record<Side, number>>;
  /** Window, measure, level, and numbers. */
  readonly crossings: readonly (readonly (string | number | null)[])[];
  readonly rates: Readonly<Record<Rate, ExpectedRate>>;
  readonly requests: readonly number[];
}

interface ExpectedRate {
  readonly stable: number;
  readonly canary: number;
  readonly variance: readonly number[];
  readonly units: number;
  readonly weight: number;
  readonly clients: number;
  readonly top: readonly number[];
  /** Whether rounding decides which one of different clusters is left out, so that means may differ. */
  readonly tied: boolean;
}

/** What was compared, and the differences. */
export interface Agreement {
  readonly numbers: number;
  /** Rates of which rounding decides a part, so that only counts were compared. */
  readonly ties: number;
  readonly differences: readonly string[];
}

export const replay = (stream: Stream): Agreement => {
  const comparison = new Comparison();
  const stages = stream.stages.map(({ share, stores }, stage): BetStage => {
    const units = stores.map((operations, store) => {
      const summaries = summariesOf(stream.settling, operations);
      const expected = stream.expected.summaries[stage]?.[store] ?? [];
      comparison.same(`stage ${stage}, store ${store}, questions`, summaries.length, expected.length);
      for (const [index, summary] of summaries.entries()) {
        const reference = expected[index];
        if (reference) compareSummaries(comparison, `stage ${stage}, store ${store}, #${index}`, summary, reference);
      }
      return summaries.at(-1) as StageSummary;
    });
    return { share, units };
  });
  compareBets(comparison, stream, stages);
  for (const [index, stage] of stages.entries()) compareStages(comparison, stream, index, stage);
  return comparison;
};

const summariesOf = (settling: Settling, operations: readonly Operation[]): StageSummary[] => {
  const evidence = new StageEvidence(settling);
  return operations.flatMap((operation): StageSummary[] => {
    if (operation[0] === "ask") return [evidence.summary(true)];
    if (operation[0] === "close") evidence.close(operation[1]);
    else evidence.add(operation[1], operation[2], operation[3], operation[4]);
    return [];
  });
};

const compareSummaries = (
  comparison: Comparison,
  at: string,
  { stable, canary, crossings, rates, requests }: StageSummary,
  expected: ExpectedSummary,
): void => {
  for (const [side, summary] of Object.entries({ stable, canary })) {
    comparison.all(`${at}, ${side}'s totals`, summary.totals, expected.totals[side as Side]);
    comparison.same(`${at}, ${side}'s clusters`, summary.clusters, expected.clusters[side as Side]);
  }
  const rows = crossings.map((it) => [
    ...[it.window.from, finite(it.window.until), it.measure, it.level],
    ...[
      it.trusted.canary,
      it.trusted.all,
      it.anonymous.canary,
      it.anonymous.all,
      it.hits.stable.hits,
      it.hits.stable.of,
    ],
    ...[it.hits.canary.hits, it.hits.canary.of],
  ]);
  comparison.rows(`${at}, crossings`, rows, expected.crossings, 4);
  comparison.all(
    `${at}, requests`,
    requests ? [requests.all, requests.canary, requests.squares] : [],
    expected.requests,
  );
  for (const [rate, reference] of Object.entries(expected.rates))
    compareRates(comparison, `${at}, ${rate}`, rates?.[rate as Rate], reference);
};

const compareRates = (
  comparison: Comparison,
  at: string,
  rate: RateSummary | undefined,
  { stable, canary, variance, weight, units, clients, top, tied }: ExpectedRate,
): void => {
  comparison.same(`${at}, how many`, rate ? 1 : 0, 1);
  if (!rate) return;
  const { top: clusters, ...ours } = rate;
  const counts = [ours.units, ours.clients, ...clusters.map(({ hits }) => hits)];
  comparison.all(`${at}, counts`, counts, [units, clients, ...top]);
  if (tied) comparison.ties++;
  else
    comparison.all(
      `${at}, means`,
      [ours.stable, ours.canary, ours.variance.stable, ours.variance.canary, ours.weight],
      [stable, canary, ...variance, weight],
    );
};

const compareBets = (comparison: Comparison, { questions, expected }: Stream, stages: readonly BetStage[]): void => {
  for (const [index, { measure, against, budget }] of questions.entries()) {
    const bets = betsOf(stages, measure, against, budget).map((it) => [
      ...[it.stage, storeOf(stages, it.stage, it.crossings)],
      ...[it.crossings.window.from, finite(it.crossings.window.until), levelOf(it.crossings), it.voters],
      ...[it.wealth, it.needed, it.excess],
    ]);
    comparison.rows(`bets on ${against} ${measure}`, bets, expected.bets[index] ?? [], 6);
  }
};

const storeOf = (stages: readonly BetStage[], stage: number, crossings: WindowCrossings): number =>
  stages[stage]?.units.findIndex((it) => it.crossings.includes(crossings)) ?? -1;

const levelOf = ({ level }: WindowCrossings): number => [1, 8, 64][level] ?? 0;

const compareStages = (comparison: Comparison, { expected }: Stream, index: number, stage: BetStage): void => {
  const { share, units } = stage;
  const faults = indexOf.faults;
  const { wealth, needed } = requestBet(stage, index, 0.001, ({ canary, stable }) => ({
    canary: canary.totals[faults] ?? 0,
    stable: stable.totals[faults] ?? 0,
  }));
  comparison.all(`stage ${index}, bet on faults`, [wealth, needed], expected.faults[index]);
  const part = shareOfRequests(units, share);
  comparison.all(
    `stage ${index}, share of requests`,
    part ? [part.part, part.error] : [],
    expected.shares[index] ?? [],
  );
  for (const [rate, reference] of Object.entries(expected.combined[index] ?? {})) {
    const all = combinedRate(units, rate as Rate);
    if (isTied(expected, index, rate as Rate)) continue;
    const isKnown = all !== undefined && all.weight > 0;
    const { low, high } = isKnown ? boundsOf(all) : { low: 0, high: 0 };
    comparison.all(
      `stage ${index}, ${rate} of all stores`,
      isKnown ? [all.canary - all.stable, all.variance.stable + all.variance.canary, low, high] : [],
      reference ?? [],
    );
  }
};

const isTied = ({ summaries }: Stream["expected"], stage: number, rate: Rate): boolean =>
  summaries[stage]?.some((it) => it.at(-1)?.rates[rate].tied) ?? false;

const finite = (it: number): number | null => (Number.isFinite(it) ? it : null);

/** A millionth, and of numbers beyond a million what doubles can hold. */
const near = (one: number, other: number): boolean =>
  Math.abs(one - other) <= Math.max(1e-6, 1e-12 * Math.max(Math.abs(one), Math.abs(other)));

class Comparison implements Agreement {
  numbers = 0;
  ties = 0;
  readonly differences: string[] = [];

  same(what: string, actual: number, expected: number): void {
    this.numbers++;
    if (!near(actual, expected)) this.differences.push(`${what}: ${actual}, and the reference has ${expected}`);
  }

  all(what: string, actual: readonly number[], expected: readonly number[] = []): void {
    this.same(`${what}, how many`, actual.length, expected.length);
    for (const [index, it] of actual.entries()) this.same(`${what}[${index}]`, it, expected[index] ?? Number.NaN);
  }

  /** @param keys how many columns name a row; the others are numbers */
  rows(what: string, actual: readonly Row[], expected: readonly Row[], keys: number): void {
    const byKey = (rows: readonly Row[]) =>
      new Map(rows.map((row) => [row.slice(0, keys).join(" "), row.slice(keys).map(Number)]));
    const [ours, theirs] = [byKey(actual), byKey(expected)];
    this.same(`${what}, how many`, ours.size, theirs.size);
    for (const [key, numbers] of theirs) this.all(`${what}, ${key}`, ours.get(key) ?? [], numbers);
  }
}

type Row = readonly (string | number | null)[];
