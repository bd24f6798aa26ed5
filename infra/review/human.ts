/** A comparison for a terminal. */
import pc from "picocolors";
import { report } from "../diagnostics/report.ts";
import { table } from "../terminal/table.ts";
import { oneLine } from "../terminal/terminal.ts";
import type { Comparison, ToldChange } from "./compare.ts";
import { plain } from "./core/sentence.ts";
import { placeOf } from "./diff/grade/change.ts";
import type { Sides } from "./versions.ts";
import { headline, only, roleOf, routesOf, type Section, sectionsOf, toDo, unchanged } from "./wording.ts";

export const human = (comparison: Comparison, { before, after, code }: Sides): string => {
  const head = `${before.name} → ${after.name}: ${pc.bold(headline(comparison))}\n`;
  if (comparison.problems.length > 0)
    return `${report(comparison.problems, { read: comparison.read, broken: comparison.broken.length })}\n${head}`;
  const steps = toDo(comparison, code).map((it) => `${plain(it)}\n`);
  if (comparison.risk === undefined) return [head, `${plain(unchanged(comparison))}\n`, ...steps].join("");
  return [head, ...sectionsOf(comparison).map(section), workers(comparison), steps.join("")].filter(Boolean).join("\n");
};

const section = ({ tier, changes }: Section): string => {
  const title = tier
    ? [tier.name, tier.level, tier.owner ?? ""].map(oneLine).join("  ").trimEnd()
    : "shared by all tiers";
  return `${pc.bold(title)}\n${changes.map((it) => change(it, tier)).join("")}`;
};

const change = (it: ToldChange, tier: Section["tier"]): string => {
  const routes = plain(routesOf(it, tier));
  const where = it.spot ? `  ${pc.dim(placeOf(it.spot))}` : "";
  return `  ${shade(it)}  ${routes === "" ? "" : `${pc.bold(routes)}: `}${plain(it.says)}${plain(only(it))}${where}\n`;
};

const shades = { high: pc.red, medium: pc.yellow, low: pc.dim } as const;

const shade = ({ risk }: ToldChange): string => shades[risk](risk.padEnd("medium".length));

const workers = ({ workers }: Comparison): string =>
  workers.length === 0
    ? ""
    : table(
        ["worker", "what it is", "gets"],
        workers.map((it) => [it.worker, plain(roleOf(it)), `${it.what}${plain(only(it))}`]),
      );
