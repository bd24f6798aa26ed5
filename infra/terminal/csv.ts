/** Writes CSV (RFC 4180) that no spreadsheet, terminal or CI runner executes. */
import { escapeControls, toOneLine } from "./terminal.ts";

/** Characters at a cell's beginning that make a formula of it in a spreadsheet (OWASP, "CSV Injection"). */
const formula = /^[=+\-@\t\r]/;

/**
 * Lines end with CRLF, and cells with commas or quotes are quoted. A cell is one line. A text that a spreadsheet would take for a
 * formula begins with an apostrophe.
 */
export const csv = (head: readonly string[], rows: readonly (readonly (string | number)[])[]): string =>
  [head, ...rows].map((row) => `${row.map(cellOf).join(",")}\r\n`).join("");

const cellOf = (cell: string | number): string => {
  if (typeof cell === "number") return String(cell);
  const text = escapeControls(toOneLine(formula.test(cell) ? `'${cell}` : cell));
  return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};
