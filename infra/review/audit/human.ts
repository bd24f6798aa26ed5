/** Renders audit findings for the terminal. */

import pc from "picocolors";
import { count, renderDiagnostic } from "../../diagnostics/report.ts";
import { docsPage } from "../../project/project.ts";
import { grades, type Risk } from "../core/risks.ts";
import type { Audit } from "./audit.ts";
import type { Finding } from "./finding.ts";

/** Maximum number of findings shown; `--json` has all. */
const maxFindings = 100;

const severityColors = { high: pc.red, medium: pc.yellow, low: pc.dim } as const;

export const renderFindings = ({ findings, ignored }: Audit): string => {
  if (findings.length === 0) return "";
  const rendered = findings
    .slice(0, maxFindings)
    .map((it) => renderDiagnostic(it, severityColors[it.severity](it.severity)));
  const omitted =
    findings.length > maxFindings ? `\n${count(findings.length - maxFindings, "finding")} more; --json has all\n` : "";
  const ignoredText = ignored.length > 0 ? `; ${ignored.length} ignored` : "";
  const fixable = findings.filter(({ fix }) => fix).length;
  const fix = fixable > 0 ? `\n--fix repairs ${fixable} of them` : "";
  return `${rendered.join("\n\n")}\n${omitted}\n${pc.bold(`${count(findings.length, "finding")}: ${countBySeverity(findings)}${ignoredText}`)}\nexplained in ${docsPage("docs/reference/audit")}/${fix}\n`;
};

/** `2 high, 1 low` */
export const countBySeverity = (findings: readonly Finding[]): string =>
  grades
    .toReversed()
    .map((grade) => [grade, countSeverity(findings, grade)] as const)
    .filter(([, n]) => n > 0)
    .map(([grade, n]) => `${n} ${grade}`)
    .join(", ");

const countSeverity = (findings: readonly Finding[], grade: Risk): number =>
  findings.filter(({ severity }) => severity === grade).length;
