/** A comparison as a comment of a pull request: GitHub Flavored Markdown. */

import type { Comparison, ToldChange } from "./compare.ts";
import { codeSpan, marked } from "./core/sentence.ts";
import { placeOf } from "./diff/grade/change.ts";
import { alarms, headline, only, roleOf, routesOf, type Section, sectionsOf, toDo, unchanged } from "./wording.ts";

/** GitHub takes 65,536 characters in a comment; `postern ci` adds to it. */
const longest = 45_000;

/** @param code whether the code of the Workers differs too */
export const markdown = (comparison: Comparison, code: boolean): string => {
  const head = `### Postern: ${headline(comparison)}\n`;
  const parts = comparison.problems.length > 0 ? [broken(comparison)] : held(comparison, code);
  return fitted([head, ...parts]);
};

const held = (comparison: Comparison, code: boolean): string[] => {
  const done = toDo(comparison, code);
  const after = done.length > 0 ? [`**To do**\n\n${done.map((it) => `- ${marked(it)}.\n`).join("")}`] : [];
  if (comparison.risk === undefined) return [`${capital(marked(unchanged(comparison)))}.\n`, ...after];
  return [...alarm(comparison), ...sectionsOf(comparison).map(section), workers(comparison), ...after];
};

/** Ahead of everything else, for who reads no further. */
const alarm = (comparison: Comparison): string[] => {
  const all = alarms(comparison);
  return all.length > 0 ? [`**Be sure of this**\n\n${all.map((it) => `- ${marked(it)}\n`).join("")}`] : [];
};

const section = ({ tier, changes }: Section): string => {
  const title = tier ? `#### ${codeSpan(tier.name)}${about(tier)}` : "#### Shared by all tiers";
  const rows = changes.map((it) => {
    const where = it.spot ? codeSpan(placeOf(it.spot)) : "";
    return `| ${risk(it)} | ${marked(routesOf(it, tier)) || "–"} | ${capital(marked(it.says))}${marked(only(it))} | ${where} |\n`;
  });
  return `${title}\n\n| risk | route | what changes | where |\n| --- | --- | --- | --- |\n${rows.join("")}`;
};

const about = ({ level, owner }: { readonly level: string; readonly owner: string | null }): string =>
  ` · ${level}${owner === null ? "" : ` · ${codeSpan(owner)}`}`;

const risk = ({ risk }: ToldChange): string => (risk === "high" ? "**high**" : risk);

const workers = ({ workers }: Comparison): string => {
  if (workers.length === 0) return "No Worker gets a new version.\n";
  const rows = workers.map(
    (it) => `| ${codeSpan(it.worker)} | ${capital(marked(roleOf(it)))} | ${it.what}${marked(only(it))} |\n`,
  );
  return `#### Workers\n\n| Worker | what it is | gets |\n| --- | --- | --- |\n${rows.join("")}`;
};

const broken = ({ problems }: Comparison): string => {
  const lines = problems.map(({ file, line, column, code, message, remedy }) => {
    const place = codeSpan(`${file}:${line}:${column}`);
    return `- ${place} ${codeSpan(code)}: ${codeSpan(message)}${remedy ? ` – ${codeSpan(remedy)}` : ""}\n`;
  });
  return `What changes is told when these are mended:\n\n${lines.join("")}`;
};

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** Whole lines, as many as a comment takes. */
const fitted = (parts: readonly string[]): string => {
  const whole = parts.join("\n");
  if (whole.length <= longest) return whole;
  const end = whole.lastIndexOf("\n", longest);
  const left = whole
    .slice(end + 1)
    .split("\n")
    .filter((line) => line.startsWith("| ") || line.startsWith("- ")).length;
  return `${whole.slice(0, end)}\n\n… and ${left} lines more: \`npx postern diff\` shows all of them.\n`;
};
