/** Reports counts as a table with comparable bars. */
import { wideTable as table } from "../../terminal/table.ts";
import type { Kind } from "../runtime/symbols.ts";

export interface Measured {
  readonly name: string;
  /** Instructions of a request, one number for each round. */
  readonly rounds: readonly number[];
  /** Instructions of a request by kind of work, where kinds were counted. */
  readonly kinds: ReadonlyMap<Kind, number>;
}

export interface InstructionsRow {
  readonly name: string;
  /**
   * Mean of the rounds. Of four or more the largest and the smallest are left out, since rare events such as a compilation
   * are no part of a request. It is no median, since garbage is part of the cost: a cheap subject's is collected once in
   * several rounds, an expensive one's in each.
   */
  readonly instructions: number;
  /** Ratio to the first subject. */
  readonly ratio: number;
  /** Of all rounds. */
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

/** Ten characters are the first subject. */
const bar = (ratio: number): string => "#".repeat(Math.round(ratio * 10));
