/**
 * Formats tables for the width of the terminal, or 80 columns without one. No text is cut, because people copy ids, paths
 * and commands. Cells that do not fit are wrapped between words, and then moved below their row.
 */
import { toOneLine, widthOf } from "./terminal.ts";

type Cell = string | number;
type Row = readonly Cell[];

const gap = "  ";
/** The minimum width of a wrapped column, because one word per line is hard to read. */
const leastColumns = 16;

/** @param given rows; each cell becomes one line, and numbers are aligned to the right */
export const table = (head: readonly string[], given: readonly Row[], width = widthOf("stdout")): string => {
  const rows = given.map((row) => head.map((_, column) => cellOf(row[column])));
  const all = head.map((_, column) => column);
  const natural = all.map((column) => Math.max(...[head, ...rows].map((row) => lengthOf(row[column]))));
  if (sumOf(natural) <= width) return drawn(head, rows, all, natural);
  const filled = all.filter((column) => column === 0 || rows.some((row) => !isEmpty(row[column])));
  return wrapped(head, rows, filled, natural, width);
};

/** Wraps a text between words; further lines are indented below its first character. */
export const hanging = (title: string, text: string, width = widthOf("stdout")): string =>
  linesOf(toOneLine(text), width - title.length)
    .map((line, index) => `${index === 0 ? title : " ".repeat(title.length)}${line}`)
    .join("\n");

/** Formats a table for a document, which has no width. */
export const wideTable = (head: readonly string[], rows: readonly Row[]): string =>
  table(head, rows, Number.POSITIVE_INFINITY);

const cellOf = (cell: Cell | undefined): Cell => (typeof cell === "number" ? cell : toOneLine(cell ?? ""));

/** "-" means empty. A column of empty cells is left out. */
const isEmpty = (cell: Cell | undefined): boolean => cell === "" || cell === "-" || cell === undefined;

const lengthOf = (cell: Cell | undefined): number => String(cell ?? "").length;

const sumOf = (widths: readonly number[]): number =>
  widths.reduce((sum, width) => sum + width, 0) + gap.length * (widths.length - 1);

const wrapped = (
  head: readonly string[],
  rows: readonly Row[],
  columns: readonly number[],
  natural: readonly number[],
  width: number,
): string => {
  const least = natural.map((wide, column) =>
    Math.max(
      lengthOf(head[column]),
      Math.min(wide, leastColumns),
      ...rows.flatMap((row) => wordsOf(row[column]).map(({ length }) => length)),
    ),
  );
  const room = (some: readonly number[]) => width - sumOf(some.map((column) => least[column] ?? 0));
  const filled = columns.map((column) => rows.filter((row) => !isEmpty(row[column])).length);
  let beside = columns;
  while (beside.length > 1 && room(beside) < 0) {
    // The first column names the row, so it stays. Moving a sparse column below adds the fewest lines.
    const others = beside.slice(1);
    const without = (column: number) => beside.filter((it) => it !== column);
    const enough = others.filter((column) => room(without(column)) >= 0);
    const fewest = Math.min(...enough.map((column) => filled[columns.indexOf(column)] ?? 0));
    const best = enough.filter((column) => filled[columns.indexOf(column)] === fewest);
    beside = without(widest(best.length > 0 ? best : others, natural));
  }
  const below = columns.filter((column) => !beside.includes(column));
  const widths = shared(beside, natural, least, width);
  const titled = drawnRow(head, beside, widths);
  const body = rows.map((row) => drawnRow(row, beside, widths) + hung(head, row, below, width));
  return titled + body.join("");
};

const widest = (columns: readonly number[], natural: readonly number[]): number =>
  columns.reduce((most, column) => ((natural[column] ?? 0) > (natural[most] ?? 0) ? column : most));

/** Narrows the widest column first, until all columns fit. */
const shared = (
  columns: readonly number[],
  natural: readonly number[],
  least: readonly number[],
  width: number,
): readonly number[] => {
  const widths = [...natural];
  const room = () => width - sumOf(columns.map((column) => widths[column] ?? 0));
  const wide = () => columns.filter((column) => (widths[column] ?? 0) > (least[column] ?? 0));
  while (room() < 0 && wide().length > 0) {
    const most = widest(wide(), widths);
    widths[most] = (widths[most] ?? 0) - 1;
  }
  return widths;
};

const drawn = (
  head: readonly string[],
  rows: readonly Row[],
  columns: readonly number[],
  widths: readonly number[],
): string => [head, ...rows].map((row) => drawnRow(row, columns, widths)).join("");

const drawnRow = (row: Row, columns: readonly number[], widths: readonly number[]): string => {
  const cells = columns.map((column) => linesOf(row[column], widths[column] ?? 0));
  const height = Math.max(...cells.map(({ length }) => length));
  const line = (index: number) =>
    columns
      .map((column, at) => {
        const [text = "", width = 0] = [cells[at]?.[index], widths[column]];
        return typeof row[column] === "number" ? text.padStart(width) : text.padEnd(width);
      })
      .join(gap)
      .trimEnd();
  return Array.from({ length: height }, (_, index) => `${line(index)}\n`).join("");
};

/** Formats the cells that were moved below their row, each with its title. */
const hung = (head: readonly string[], row: Row, columns: readonly number[], width: number): string =>
  columns
    .filter((column) => !isEmpty(row[column]))
    .flatMap((column) => {
      const title = `    ${head[column]}: `;
      return linesOf(row[column], width - title.length).map(
        (line, index) => `${index === 0 ? title : " ".repeat(title.length)}${line}\n`,
      );
    })
    .join("");

/** Keeps a time on one line, and a number with its unit. */
const together = /\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d)?|\(?[\d.,]+ (?:%|ms|s|min|B|KiB|MiB)[).,;:]*(?!\S)/;
/** The words with the blanks before them, because an indent belongs to its word. */
const words = new RegExp(`^ *(?:${together.source}|\\S+)|${together.source}|\\S+`, "g");

const wordsOf = (cell: Cell | undefined): string[] => String(cell ?? "").match(words) ?? [];

/** A word that is longer than a line gets its own line. */
const linesOf = (cell: Cell | undefined, width: number): string[] => {
  const text = String(cell ?? "");
  if (text.length <= width) return [text];
  const lines: string[] = [];
  let line: string | undefined;
  for (const word of wordsOf(cell))
    if (line === undefined) line = word;
    else if (line.length + 1 + word.length <= width) line += ` ${word}`;
    else {
      lines.push(line);
      line = word;
    }
  return [...lines, line ?? ""];
};
