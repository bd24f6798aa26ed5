/** Renders the pull-request comment: the changes, everything that blocks the merge, and a line for each stage. */
import type { Annotation } from "../diagnostics/annotations.ts";
import type { Problem } from "../diagnostics/problem.ts";
import { count } from "../diagnostics/report.ts";
import type { Finding } from "./audit/finding.ts";
import { countBySeverity } from "./audit/human.ts";
import { codeSpan } from "./core/sentence.ts";

/** Marks our comment, so that it is updated instead of duplicated. */
export const commentMark = "<!-- postern ci -->";

export interface StageResult {
  readonly name: string;
  /** `waits`: skipped until the problems of an earlier stage are fixed. */
  readonly verdict: "holds" | "fails" | "waits";
}

export interface Review {
  readonly stages: readonly StageResult[];
  /** The diff, in Markdown. */
  readonly diff: string;
  /** Problems that the diff does not list. */
  readonly problems: readonly Problem[];
  /** Findings that fail the run. */
  readonly failing: readonly Finding[];
  /** Findings below that severity. */
  readonly minor: readonly Finding[];
  readonly failures: readonly Annotation[];
  /** Problems without a location: a stale CODEOWNERS, low coverage. */
  readonly otherProblems: readonly string[];
}

export const renderComment = (it: Review): string => {
  const sections = [
    renderSection("Problems", it.problems.map(renderProblem)),
    renderSection("Audit findings", it.failing.map(renderFinding)),
    renderSection(
      "Failing cases",
      it.failures.map((one) => `${renderLocation(one)} ${codeSpan(firstLine(one.message))}`),
    ),
    renderSection(
      "Other problems",
      it.otherProblems.map((text) => codeSpan(truncate(text))),
    ),
  ];
  const line = it.stages
    .map(({ name, verdict }) => `${verdictIcons[verdict]} \`${name}\`${minorNote(name, it)}`)
    .join(" · ");
  const body = [it.diff.trimEnd(), ...sections.filter(Boolean)].join("\n\n");
  return `${commentMark}\n${body.trimEnd()}\n\n---\n${line} · run it yourself: \`npx postern ci <base>\`\n`;
};

const verdictIcons = { holds: "✅", fails: "❌", waits: "➖" } as const;

const minorNote = (name: string, { minor }: Review): string =>
  name === "check" && minor.length > 0 ? ` (${countBySeverity(minor)} more)` : "";

/** Maximum lines of a section; GitHub accepts 65,536 characters. The log has all. */
const maxLines = 20;
const maxLength = 160;

/** A section with distinct lines. */
const renderSection = (title: string, all: readonly string[]): string => {
  const lines = [...new Set(all)];
  if (lines.length === 0) return "";
  const rest = lines.length > maxLines ? [`${count(lines.length - maxLines, "line")} more in the log`] : [];
  return `**${title}**\n\n${[...lines.slice(0, maxLines), ...rest].map((it) => `- ${it}\n`).join("")}`.trimEnd();
};

const renderFinding = (it: Finding): string => `**${it.severity}** ${renderProblem(it)}`;

const renderProblem = (it: Problem | Finding): string =>
  `${renderLocation(it)} ${codeSpan(it.code)}: ${codeSpan(truncate(it.message))}${it.remedy ? ` – ${codeSpan(truncate(it.remedy))}` : ""}`;

const truncate = (text: string): string => (text.length > maxLength ? `${text.slice(0, maxLength - 1)}…` : text);

const renderLocation = ({ file, line }: Pick<Annotation, "file" | "line">): string => codeSpan(`${file}:${line}`);

/** The first line of a message; a case may have any name. */
const firstLine = (message: string): string => truncate(message.split("\n")[0] ?? "");
