/** Says what was counted: a table whose bars can be compared at a glance. */
import { table } from "../outcome.ts";

export interface Measured {
  readonly name: string;
  /** Instructions a request, one number a round. */
  readonly rounds: readonly number[];
}

export interface Row {
  readonly name: string;
  /** A request, in the median round: the garbage collector, which comes once in some hundred requests, is left out. */
  readonly instructions: number;
  /** To the first subject. */
  readonly ratio: number;
  /** Of the rounds' counts around the median. */
  readonly least: number;
  readonly most: number;
  readonly rounds: readonly number[];
}

export const rowsOf = (measured: readonly Measured[]): Row[] => {
  const unit = median(measured[0]?.rounds ?? []);
  return measured.map(({ name, rounds }) => ({
    name,
    instructions: Math.round(median(rounds)),
    ratio: median(rounds) / unit,
    least: Math.round(Math.min(...rounds)),
    most: Math.round(Math.max(...rounds)),
    rounds: rounds.map(Math.round),
  }));
};

/** Of an even number the lower one of the two in the middle. */
const median = (counts: readonly number[]): number =>
  counts.toSorted((a, b) => a - b)[Math.floor((counts.length - 1) / 2)] ?? Number.NaN;

export const shown = (rows: readonly Row[]): string =>
  table(
    ["subject", "instructions", " ratio", "  spread of rounds", ""],
    rows.map(({ name, instructions, ratio, least, most }) => [
      name,
      instructions.toLocaleString("en").padStart("instructions".length),
      ratio.toFixed(2).padStart(" ratio".length),
      `${percent(least / instructions)} ${percent(most / instructions)}`,
      bar(ratio),
    ]),
  );

const percent = (share: number): string => {
  const change = (share - 1) * 100;
  return `${change < 0 ? "-" : "+"}${Math.abs(change).toFixed(1)}%`.padStart(8);
};

/** Ten characters stand for the first subject. */
const bar = (ratio: number): string => "#".repeat(Math.round(ratio * 10));
