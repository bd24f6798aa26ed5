/** Shows problems to people: place, code, message, the line, a caret, the remedy, and other places that matter. */
import pc from "picocolors";
import { oneLine } from "../terminal/terminal.ts";
import type { Place, Problem, Related, Remark } from "./problem.ts";

/** Longer lines are cut around the caret. */
const widest = 110;

export const report = (
  problems: readonly Problem[],
  counts: { readonly read: number; readonly broken: number },
): string => {
  if (problems.length === 0) return "";
  const beside = new Set(problems.map(({ file }) => file)).size - counts.broken;
  const shared = beside > 0 ? ` and ${count(beside, "file")} beside them` : "";
  const total = `${count(problems.length, "problem")} in ${counts.broken} of ${count(counts.read, "manifest")}${shared}`;
  return `${problems.map((it) => reportOne(it)).join("\n\n")}\n\n${pc.bold(total)}\n`;
};

export const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? "" : "s"}`;

/** @param grade how grave it is, where that is not always the same */
export const reportOne = (remark: Remark, grade = ""): string => {
  const { code, message, remedy, related = [] } = remark;
  const head = `${pc.bold(where(remark))}  ${grade && `${grade}  `}${pc.red(code)}  ${oneLine(message)}`;
  return [head, excerpt(remark, remedy), ...related.map(reportRelated)].filter(Boolean).join("\n");
};

const reportRelated = (related: Related): string =>
  `  ${pc.bold(where(related))}  ${oneLine(related.message)}\n${excerpt(related, undefined)}`;

/** A file can be called anything; its name is no line of its own. */
const where = ({ file, line, column }: Place): string => `${oneLine(file)}:${line}:${column}`;

/** As wide as it was, so that the caret stays where it is. */
const plain = (text: string): string =>
  text.replace(/[^\t\x20-\x7e]/gu, (one) => (oneLine(one) === one ? one : "\ufffd"));

/** The line with a caret under what is meant, and what to write instead. */
const excerpt = ({ line, column, length, source }: Place, remedy: string | undefined): string => {
  if (source === "") return remedy ? `      | ${pc.cyan(oneLine(remedy))}` : "";
  const cut = Math.max(0, column - 1 + Math.min(length, 40) - widest);
  const shown = `${cut > 0 ? "…" : ""}${source.slice(cut > 0 ? cut + 1 : 0, cut + widest)}${source.length > cut + widest ? "…" : ""}`;
  const gutter = `${String(line).padStart(5)} | `;
  const lead = shown.slice(0, column - 1 - cut).replace(/[^\t]/g, " ");
  const carets = "^".repeat(Math.min(length, Math.max(1, widest - lead.length)));
  return `${pc.dim(gutter)}${plain(shown)}\n${pc.dim("      | ")}${lead}${pc.red(carets)}${remedy ? ` ${pc.cyan(oneLine(remedy))}` : ""}`;
};
