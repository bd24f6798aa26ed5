/** Says what was counted: a table whose bars can be compared at a glance. */
import { wideTable as table } from "../../terminal/table.ts";
import type { Kind } from "../runtime/symbols.ts";

export interface Measured {
  readonly name: string;
  /** Instructions a request, one number a round. */
  readonly rounds: readonly number[];
  /** Instructions a request by the kind of work, where they were told apart. */
  readonly kinds: ReadonlyMap<Kind, number>;
}

export interface InstructionsRow {
  readonly name: string;
  /**
   * A request, in the mean of the rounds, of four or more without the greatest and the least: what happens once in a
   * while, such as a compilation, is no part of a request. It is not the median: garbage is part of the cost, and a cheap
   * subject's is collected once in several rounds where a dear one's is collected in each.
   */
  readonly instructions: number;
  /** To the first subject. */
  readonly ratio: number;
  /** Of the rounds. */
  readonly least: number;
  readonly most: number;
  readonly rounds: readonly number[];
}

export const toRows = (measured: readonly Pick<Measured, "name" | "rounds">[]): InstructionsRow[] => {
  const unit = mean(measured[0]?.rounds ?? []);
  return measured.map(({ name, rounds }) => ({
    name,
    instructions: Math.round(mean(rounds)),
    ratio: mean(rounds) / unit,
    least: Math.round(Math.min(...rounds)),
    most: Math.round(Math.max(...rounds)),
    rounds: rounds.map(Math.round),
  }));
};

const mean = (counts: readonly number[]): number => {
  const inner = counts.length < 4 ? counts : counts.toSorted((a, b) => a - b).slice(1, -1);
  return inner.reduce((sum, count) => sum + count, 0) / inner.length;
};

export const formatRows = (rows: readonly InstructionsRow[]): string =>
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
