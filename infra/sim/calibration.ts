/**
 * Checks that bets are fair: without harm, the mean wealth of each is one at most, at a fixed time as at the end of the rollout, which
 * depends on what was seen.
 */
import { type BetStage, betsOf, votesOf } from "../../functions/control/stats/evidence.ts";
import { crossedMeasures } from "../../functions/control/stats/stage-evidence.ts";
import { logWealth } from "../../functions/control/stats/wealth.ts";
import { wideTable as table } from "../terminal/table.ts";
import type { Observe } from "./rollout.ts";

/** Wealth by name of the bet; one that was never placed is one. */
export type Calibration = Readonly<Record<string, number>>;

const fixedTimeMs = 240_000;
/** Beyond this a single rollout would decide the mean. */
const mostLogWealth = 50;

export const calibrationOf = (): { readonly observe: Observe; readonly wealth: Calibration } => {
  const wealth: Record<string, number> = {};
  const observe: Observe = (stages, now, isLast) => {
    const compared = stages.filter(({ share }) => share > 0 && share < 1);
    const moment = isLast ? "end" : now === fixedTimeMs ? "4 min" : undefined;
    if (moment) Object.assign(wealth, wealthAt(compared, moment));
  };
  return { observe, wealth };
};

/** The bets on the whole of each stage, which all rollouts place at the same time. */
const wealthAt = (stages: readonly BetStage[], moment: string): Calibration =>
  Object.fromEntries(
    crossedMeasures.flatMap((measure) =>
      betsOf(stages, measure, "more", 1)
        .filter(({ crossings }) => crossings.window.until === Number.POSITIVE_INFINITY)
        .flatMap(({ stage, voters, crossings, wealth }) => {
          const { canary, all } = votesOf(crossings, voters);
          const share = stages[stage]?.share ?? 0;
          const whole = all > 0 ? logWealth("more", [{ hits: canary, of: all, chance: share }]) : 0;
          const name = `${measure}, level ${crossings.level}, ${voters}, stage ${stage + 1}, ${moment}`;
          return [
            [name, capped(wealth)],
            [`${name}, none left out`, capped(whole)],
          ];
        }),
    ),
  );

const capped = (log: number): number => Math.exp(Math.min(log, mostLogWealth));

export interface CalibrationRow {
  readonly world: string;
  readonly bet: string;
  readonly mean: number;
  /** Half the width of the interval that covers the mean with 95 %. */
  readonly error: number;
  readonly runs: number;
}

/** The bets whose mean is highest, and whether it is above one beyond chance. */
export const calibrationRows = (world: string, all: readonly Calibration[]): CalibrationRow[] => {
  const bets = [...new Set(all.flatMap((it) => Object.keys(it)))];
  return bets.map((bet) => {
    const values = all.map((it) => it[bet] ?? 1);
    const mean = values.reduce((sum, it) => sum + it, 0) / values.length;
    const variance = values.reduce((sum, it) => sum + (it - mean) ** 2, 0) / Math.max(1, values.length - 1);
    return { world, bet, mean, error: 1.96 * Math.sqrt(variance / values.length), runs: values.length };
  });
};

/** Among thousands of bets some are beyond 95 % by chance; by a Bonferroni bound none is. */
export const isUnfair = ({ mean, error }: CalibrationRow, bets: number): boolean => {
  const errors = Math.sqrt(2 * Math.log(bets / 0.05));
  return mean - (error / 1.96) * errors > 1;
};

const shownRows = 5;

export const calibrationReport = (rows: readonly CalibrationRow[]): string => {
  const worlds = [...new Set(rows.map(({ world }) => world))];
  const highest = worlds.flatMap((world) =>
    rows
      .filter((it) => it.world === world)
      .toSorted((a, b) => b.mean - a.mean)
      .slice(0, shownRows),
  );
  return table(
    ["world", "bet", "mean wealth", "± 95 %", "rollouts", ""],
    highest.map((it) => [
      it.world,
      it.bet,
      it.mean.toFixed(3),
      it.error.toFixed(3),
      it.runs,
      isUnfair(it, rows.length) ? "above one" : "",
    ]),
  );
};
