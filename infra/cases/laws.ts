/** The laws of the project's own parts, beside the results of its cases. */
import pc from "picocolors";
import { count } from "../diagnostics/report.ts";
import { kindOf } from "../project/part-names.ts";
import { project } from "../project/project.ts";
import { toOneLine } from "../terminal/terminal.ts";
import type { PartLaws } from "./input/batch.ts";

/** A part's results, with its file. */
export interface LawReport extends PartLaws {
  readonly file: string;
}

export const withFiles = (results: readonly PartLaws[]): LawReport[] =>
  results.map((it) => {
    const part = project().own.parts.find(({ group, name }) => name === it.name && kindOf(group) === it.kind);
    return { ...it, file: part?.file ?? "" };
  });

export const brokenLaws = (reports: readonly LawReport[]): number =>
  reports.reduce((sum, { failures }) => sum + failures.length, 0);

/** Empty for a project without parts. */
export const renderLaws = (reports: readonly LawReport[]): string => {
  if (reports.length === 0) return "";
  const failures = reports.flatMap(({ kind, name, file, failures: all }) =>
    all.map(
      ({ law, message }) =>
        `${pc.red("✗")} ${pc.bold(`${kind} ${name}: ${law}`)}  ${pc.dim(file)}\n    ${pc.red(toOneLine(message))}\n`,
    ),
  );
  const lines = reports.map((it) => {
    const broken = it.failures.length;
    const mark = broken > 0 ? pc.red("✗") : pc.green("✓");
    const note = broken > 0 ? ` ${pc.red(`${broken} broken`)}` : "";
    return `${mark} ${`${it.kind} ${it.name}`.padEnd(27)} ${count(it.laws, "law")}${note}\n`;
  });
  return `${failures.map((it) => `${it}\n`).join("")}${lines.join("")}`;
};
