/** Shows problems to people: place, code, message, the line, a caret and the remedy. */
import pc from "picocolors";
import type { Problem } from "./problem.ts";

/** Longer lines are cut around the caret. */
const widest = 110;

export const report = (
  problems: readonly Problem[],
  counts: { readonly read: number; readonly broken: number },
): string => {
  if (problems.length === 0) return "";
  const total = `${count(problems.length, "problem")} in ${counts.broken} of ${count(counts.read, "manifest")}`;
  return `${problems.map(reportOne).join("\n\n")}\n\n${pc.bold(total)}\n`;
};

const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? "" : "s"}`;

const reportOne = ({ file, line, column, length, code, message, remedy, source }: Problem): string => {
  const head = `${pc.bold(`${file}:${line}:${column}`)}  ${pc.red(code)}  ${message}`;
  if (source === "") return remedy ? `${head}\n     ${pc.cyan(remedy)}` : head;
  const cut = Math.max(0, column - 1 + Math.min(length, 40) - widest);
  const shown = `${cut > 0 ? "…" : ""}${source.slice(cut > 0 ? cut + 1 : 0, cut + widest)}${source.length > cut + widest ? "…" : ""}`;
  const gutter = `${String(line).padStart(5)} | `;
  const lead = shown.slice(0, column - 1 - cut).replace(/[^\t]/g, " ");
  const carets = "^".repeat(Math.min(length, Math.max(1, widest - lead.length)));
  return `${head}\n${pc.dim(gutter)}${shown}\n${pc.dim("      | ")}${lead}${pc.red(carets)}${remedy ? ` ${pc.cyan(remedy)}` : ""}`;
};
