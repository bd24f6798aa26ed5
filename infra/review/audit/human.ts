/** Findings for a terminal, and how many there are. */
import pc from "picocolors";
import { count, reportOne } from "../../diagnostics/report.ts";
import { grades, type Risk } from "../core/risks.ts";
import type { Audit } from "./audit.ts";
import type { Finding } from "./finding.ts";

/** More of them nobody reads; `--json` has all. */
const most = 100;

const shades = { high: pc.red, medium: pc.yellow, low: pc.dim } as const;

export const reportFindings = ({ findings, ignored }: Audit): string => {
  if (findings.length === 0) return "";
  const shown = findings.slice(0, most).map((it) => reportOne(it, shades[it.severity](it.severity)));
  const hidden = findings.length > most ? `\n${count(findings.length - most, "finding")} more; --json has all\n` : "";
  const left = ignored.length > 0 ? `; ${ignored.length} ignored` : "";
  const fixable = findings.filter(({ fix }) => fix).length;
  const fix = fixable > 0 ? `\n--fix mends ${fixable} of them` : "";
  return `${shown.join("\n\n")}\n${hidden}\n${pc.bold(`${count(findings.length, "finding")}: ${tally(findings)}${left}`)}\nexplained in docs/reference/audit/${fix}\n`;
};

/** `2 high, 1 low` */
export const tally = (findings: readonly Finding[]): string =>
  grades
    .toReversed()
    .map((grade) => [grade, countOf(findings, grade)] as const)
    .filter(([, n]) => n > 0)
    .map(([grade, n]) => `${n} ${grade}`)
    .join(", ");

const countOf = (findings: readonly Finding[], grade: Risk): number =>
  findings.filter(({ severity }) => severity === grade).length;
