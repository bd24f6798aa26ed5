/** Renders a comparison as GitHub Flavored Markdown, for a pull-request comment. */

import type { Comparison, ReportedChange } from "./compare.ts";
import { codeSpan, markdownText } from "./core/sentence.ts";
import { formatLocation } from "./diff/grade/change.ts";
import {
  type DiffSection,
  describeRoutes,
  describeUnchanged,
  describeWorker,
  diffSections,
  environmentNote,
  headline,
  highRisks,
  nextSteps,
} from "./wording.ts";

/** GitHub accepts 65,536 characters in a comment, and `postern ci` adds more. */
const maxLength = 45_000;

/** @param code whether the code of the Workers differs too */
export const renderMarkdown = (comparison: Comparison, code: boolean): string => {
  const head = `### Postern: ${headline(comparison)}\n`;
  const parts = comparison.problems.length > 0 ? [renderProblems(comparison)] : renderBody(comparison, code);
  return truncateLines([head, ...parts]);
};

const renderBody = (comparison: Comparison, code: boolean): string[] => {
  const steps = nextSteps(comparison, code);
  const after = steps.length > 0 ? [`**To do**\n\n${steps.map((it) => `- ${markdownText(it)}.\n`).join("")}`] : [];
  if (comparison.risk === undefined) return [`${capitalize(markdownText(describeUnchanged(comparison)))}.\n`, ...after];
  return [
    ...renderWarnings(comparison),
    ...diffSections(comparison).map(renderSection),
    renderWorkers(comparison),
    ...after,
  ];
};

/** High-risk changes, before everything else. */
const renderWarnings = (comparison: Comparison): string[] => {
  const all = highRisks(comparison);
  return all.length > 0 ? [`**High risk**\n\n${all.map((it) => `- ${markdownText(it)}\n`).join("")}`] : [];
};

const renderSection = ({ tier, changes }: DiffSection): string => {
  const title = tier ? `#### ${codeSpan(tier.name)}${tierNote(tier)}` : "#### Shared by all tiers";
  const rows = changes.map((it) => {
    const location = it.location ? codeSpan(formatLocation(it.location)) : "";
    return `| ${renderRisk(it)} | ${markdownText(describeRoutes(it, tier)) || "–"} | ${capitalize(markdownText(it.message))}${markdownText(environmentNote(it))} | ${location} |\n`;
  });
  return `${title}\n\n| risk | route | what changes | where |\n| --- | --- | --- | --- |\n${rows.join("")}`;
};

const tierNote = ({ level, owner }: { readonly level: string; readonly owner: string | null }): string =>
  ` · ${level}${owner === null ? "" : ` · ${codeSpan(owner)}`}`;

const renderRisk = ({ risk }: ReportedChange): string => (risk === "high" ? "**high**" : risk);

const renderWorkers = ({ workers }: Comparison): string => {
  if (workers.length === 0) return "No Worker gets a new version.\n";
  const rows = workers.map(
    (it) =>
      `| ${codeSpan(it.worker)} | ${capitalize(markdownText(describeWorker(it)))} | ${it.what}${markdownText(environmentNote(it))} |\n`,
  );
  return `#### Workers\n\n| Worker | role | change |\n| --- | --- | --- |\n${rows.join("")}`;
};

const renderProblems = ({ problems }: Comparison): string => {
  const lines = problems.map(({ file, line, column, code, message, remedy }) => {
    const location = codeSpan(`${file}:${line}:${column}`);
    return `- ${location} ${codeSpan(code)}: ${codeSpan(message)}${remedy ? ` – ${codeSpan(remedy)}` : ""}\n`;
  });
  return `Fix these problems first; the changes are shown once the manifests are valid:\n\n${lines.join("")}`;
};

const capitalize = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** Truncates to whole lines. */
const truncateLines = (parts: readonly string[]): string => {
  const whole = parts.join("\n");
  if (whole.length <= maxLength) return whole;
  const end = whole.lastIndexOf("\n", maxLength);
  const omitted = whole
    .slice(end + 1)
    .split("\n")
    .filter((line) => line.startsWith("| ") || line.startsWith("- ")).length;
  return `${whole.slice(0, end)}\n\n… and ${omitted} more lines: \`npx postern diff\` shows all of them.\n`;
};
