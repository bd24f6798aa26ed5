/** Renders a comparison for the terminal. */
import pc from "picocolors";
import { renderProblems } from "../diagnostics/report.ts";
import { table } from "../terminal/table.ts";
import { toOneLine } from "../terminal/terminal.ts";
import type { Comparison, ReportedChange } from "./compare.ts";
import { plainText } from "./core/sentence.ts";
import { formatLocation } from "./diff/grade/change.ts";
import type { Versions } from "./versions.ts";
import {
  type DiffSection,
  describeRoutes,
  describeUnchanged,
  describeWorker,
  diffSections,
  environmentNote,
  headline,
  nextSteps,
} from "./wording.ts";

export const renderDiff = (comparison: Comparison, { before, after, codeChanged }: Versions): string => {
  const head = `${before.name} → ${after.name}: ${pc.bold(headline(comparison))}\n`;
  if (comparison.problems.length > 0)
    return `${renderProblems(comparison.problems, { read: comparison.read, broken: comparison.broken.length })}\n${head}`;
  const steps = nextSteps(comparison, codeChanged).map((it) => `${plainText(it)}\n`);
  if (comparison.risk === undefined) return [head, `${plainText(describeUnchanged(comparison))}\n`, ...steps].join("");
  return [head, ...diffSections(comparison).map(renderSection), renderWorkers(comparison), steps.join("")]
    .filter(Boolean)
    .join("\n");
};

const renderSection = ({ tier, changes }: DiffSection): string => {
  const title = tier
    ? [tier.name, tier.level, tier.owner ?? ""].map(toOneLine).join("  ").trimEnd()
    : "shared by all tiers";
  return `${pc.bold(title)}\n${changes.map((it) => renderChange(it, tier)).join("")}`;
};

const renderChange = (it: ReportedChange, tier: DiffSection["tier"]): string => {
  const routes = plainText(describeRoutes(it, tier));
  const where = it.location ? `  ${pc.dim(formatLocation(it.location))}` : "";
  return `  ${renderRisk(it)}  ${routes === "" ? "" : `${pc.bold(routes)}: `}${plainText(it.message)}${plainText(environmentNote(it))}${where}\n`;
};

const riskColors = { high: pc.red, medium: pc.yellow, low: pc.dim } as const;

const renderRisk = ({ risk }: ReportedChange): string => riskColors[risk](risk.padEnd("medium".length));

const renderWorkers = ({ workers }: Comparison): string =>
  workers.length === 0
    ? ""
    : table(
        ["worker", "role", "change"],
        workers.map((it) => [it.worker, plainText(describeWorker(it)), `${it.what}${plainText(environmentNote(it))}`]),
      );
