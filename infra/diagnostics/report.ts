/** Renders problems for the terminal: location, code, message, the line with a caret, the remedy, related locations. */
import pc from "picocolors";
import { toOneLine } from "../terminal/terminal.ts";
import type { Diagnostic, Problem, RelatedLocation, SourceLocation } from "./problem.ts";

/** Longer lines are cut around the caret. */
const maxWidth = 110;

export const renderProblems = (
  problems: readonly Problem[],
  counts: { readonly read: number; readonly broken: number },
): string => {
  if (problems.length === 0) return "";
  const otherFiles = new Set(problems.map(({ file }) => file)).size - counts.broken;
  const shared = otherFiles > 0 ? ` and ${count(otherFiles, "file")} beside them` : "";
  const total = `${count(problems.length, "problem")} in ${counts.broken} of ${count(counts.read, "manifest")}${shared}`;
  return `${problems.map((it) => renderDiagnostic(it)).join("\n\n")}\n\n${pc.bold(total)}\n`;
};

export const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? "" : "s"}`;

/** @param grade severity, for findings */
export const renderDiagnostic = (remark: Diagnostic, grade = ""): string => {
  const { code, message, remedy, related = [] } = remark;
  const head = `${pc.bold(formatPosition(remark))}  ${grade && `${grade}  `}${pc.red(code)}  ${toOneLine(message)}`;
  return [head, excerpt(remark, remedy), ...related.map(renderRelated)].filter(Boolean).join("\n");
};

const renderRelated = (related: RelatedLocation): string =>
  `  ${pc.bold(formatPosition(related))}  ${toOneLine(related.message)}\n${excerpt(related, undefined)}`;

/** File names may contain anything, so they are reduced to one line. */
const formatPosition = ({ file, line, column }: SourceLocation): string => `${toOneLine(file)}:${line}:${column}`;

/** Replaces unprintable characters one by one, so that the caret stays aligned. */
const printable = (text: string): string =>
  text.replace(/[^\t\x20-\x7e]/gu, (one) => (toOneLine(one) === one ? one : "\ufffd"));

/** The line with a caret below the marked text, and the remedy. */
const excerpt = ({ line, column, length, source }: SourceLocation, remedy: string | undefined): string => {
  if (source === "") return remedy ? `      | ${pc.cyan(toOneLine(remedy))}` : "";
  const cut = Math.max(0, column - 1 + Math.min(length, 40) - maxWidth);
  const shown = `${cut > 0 ? "…" : ""}${source.slice(cut > 0 ? cut + 1 : 0, cut + maxWidth)}${source.length > cut + maxWidth ? "…" : ""}`;
  const gutter = `${String(line).padStart(5)} | `;
  const lead = shown.slice(0, column - 1 - cut).replace(/[^\t]/g, " ");
  const carets = "^".repeat(Math.min(length, Math.max(1, maxWidth - lead.length)));
  return `${pc.dim(gutter)}${printable(shown)}\n${pc.dim("      | ")}${lead}${pc.red(carets)}${remedy ? ` ${pc.cyan(toOneLine(remedy))}` : ""}`;
};
