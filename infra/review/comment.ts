/** The comment of a pull request: what the change does, why it cannot be merged as it is, and a line for all that was looked at. */
import type { Annotated } from "../diagnostics/annotations.ts";
import type { Problem } from "../diagnostics/problem.ts";
import { count } from "../diagnostics/report.ts";
import type { Finding } from "./audit/finding.ts";
import { tally } from "./audit/human.ts";
import { codeSpan } from "./core/sentence.ts";

/** Tells a comment of ours from others, so that there is one, and it is brought up to date. */
export const commentMark = "<!-- postern ci -->";

export interface Looked {
  readonly name: string;
  /** `waits`: it is told when what another one complains of is mended. */
  readonly verdict: "holds" | "fails" | "waits";
}

export interface Reviewed {
  readonly looked: readonly Looked[];
  /** What the change does, in Markdown. */
  readonly effect: string;
  /** Those that the effect does not list. */
  readonly problems: readonly Problem[];
  /** As grave as what fails. */
  readonly grave: readonly Finding[];
  /** Not as grave. */
  readonly others: readonly Finding[];
  readonly failures: readonly Annotated[];
  /** What has no line of its own: a stale CODEOWNERS, cases that try too little. */
  readonly complaints: readonly string[];
}

export const commentOf = (it: Reviewed): string => {
  const sections = [
    section("Problems", it.problems.map(remark)),
    section("Findings of the audit", it.grave.map(finding)),
    section(
      "Cases that fail",
      it.failures.map((one) => `${placeOf(one)} ${codeSpan(firstLine(one.message))}`),
    ),
    section(
      "Besides",
      it.complaints.map((text) => codeSpan(brief(text))),
    ),
  ];
  const line = it.looked.map(({ name, verdict }) => `${signs[verdict]} \`${name}\`${aside(name, it)}`).join(" · ");
  const body = [it.effect.trimEnd(), ...sections.filter(Boolean)].join("\n\n");
  return `${commentMark}\n${body.trimEnd()}\n\n---\n${line} · run it yourself: \`npx postern ci <base>\`\n`;
};

const signs = { holds: "✅", fails: "❌", waits: "➖" } as const;

const aside = (name: string, { others }: Reviewed): string =>
  name === "check" && others.length > 0 ? ` (${tally(others)} besides)` : "";

/** More are in the log: GitHub takes 65,536 characters, and a person fewer. */
const most = 20;
const longest = 160;

/** Each of them once. */
const section = (title: string, all: readonly string[]): string => {
  const lines = [...new Set(all)];
  if (lines.length === 0) return "";
  const rest = lines.length > most ? [`${count(lines.length - most, "line")} more in the log`] : [];
  return `**${title}**\n\n${[...lines.slice(0, most), ...rest].map((it) => `- ${it}\n`).join("")}`.trimEnd();
};

const finding = (it: Finding): string => `**${it.severity}** ${remark(it)}`;

const remark = (it: Problem | Finding): string =>
  `${placeOf(it)} ${codeSpan(it.code)}: ${codeSpan(brief(it.message))}${it.remedy ? ` – ${codeSpan(brief(it.remedy))}` : ""}`;

const brief = (text: string): string => (text.length > longest ? `${text.slice(0, longest - 1)}…` : text);

const placeOf = ({ file, line }: Pick<Annotated, "file" | "line">): string => codeSpan(`${file}:${line}`);

/** A case can be called anything. */
const firstLine = (message: string): string => brief(message.split("\n")[0] ?? "");
