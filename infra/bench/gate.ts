#!/usr/bin/env node
/** `npm run bench:gate`: fails where a request, a start or a bundle exceeds `budgets.json` by more than 8 %. */
import fs from "node:fs";
import path from "node:path";
import { Command } from "@commander-js/extra-typings";
import { wideTable as table } from "../terminal/table.ts";
import { type Effort, measureAll } from "./measure/measure.ts";
import { measureStarts } from "./measure/start.ts";
import { toRows } from "./report/report.ts";
import { requireValgrind } from "./runtime/callgrind.ts";
import { runAsCommand } from "./runtime/command.ts";
import { subjectsFor } from "./subjects/subjects.ts";
import { makeCaller } from "./workers/jobs.ts";

/** Measured ratios, and the maximum of bytes. */
interface Budgets {
  readonly effort: Effort;
  /** Ratios of requests to the passthrough. */
  readonly requests: Readonly<Record<string, number>>;
  /** Ratios of starts to Hono's hello, both over an empty Worker. */
  readonly starts: Readonly<Record<string, number>>;
  /** Size of a gate without filters, minified. */
  readonly coreBytes: number;
}

interface Verdict {
  readonly what: string;
  readonly measured: number;
  readonly budget: number;
  /** Tolerated excess. */
  readonly slack: number;
  readonly holds: boolean;
}

const program = new Command("npm run bench:gate --")
  .description("Measures what budgets.json names and compares; exits with 1 where a budget is missed.")
  .option("--json", "machine-readable output")
  .option("--update", "write what was measured as the new budgets; a person reads the difference")
  .showHelpAfterError("(--help shows what it takes)")
  .exitOverride();

const file = path.join(import.meta.dirname, "budgets.json");
const slack = 0.08;

const main = async ({ json, update }: ReturnType<typeof program.opts>): Promise<void> => {
  if (update && process.env.CI) throw new Error("budgets are not updated in CI");
  requireValgrind();
  const budgets: Budgets = JSON.parse(fs.readFileSync(file, "utf8"));
  const caller = await makeCaller();
  const all = subjectsFor(caller);
  const missingSubject = Object.keys(budgets.requests).find((name) => !all.some((subject) => subject.name === name));
  if (missingSubject !== undefined)
    throw new Error(`budgets.json names "${missingSubject}", and no subject is called that`);
  const subjects = all.filter(({ name }, index) => index === 0 || name in budgets.requests);
  const requests = toRows(await measureAll(subjects, caller, budgets.effort)).slice(1);
  const starts = await measureStarts(caller);
  const own = starts.filter(({ name }) => name in budgets.starts);
  const core = starts.find(({ name }) => name === "gate, no filters")?.bytes ?? Number.POSITIVE_INFINITY;
  if (update) {
    const ratios = (all: readonly { readonly name: string; readonly ratio: number }[]) =>
      Object.fromEntries(all.map(({ name, ratio }) => [name, Number(ratio.toFixed(3))]));
    fs.writeFileSync(
      file,
      `${JSON.stringify({ ...budgets, requests: ratios(requests), starts: ratios(own) }, null, 2)}\n`,
    );
  }
  const verdicts = [
    ...requests.map(({ name, ratio }) => judge(`a request: ${name}`, ratio, budgets.requests[name], slack)),
    ...own.map(({ name, ratio }) => judge(`a start: ${name}`, ratio, budgets.starts[name], slack)),
    judge("KB of a gate's core", core / 1024, budgets.coreBytes / 1024, 0),
  ];
  process.stdout.write(json ? `${JSON.stringify({ slack, verdicts }, null, 2)}\n` : formatVerdicts(verdicts));
  if (!update && verdicts.some(({ holds }) => !holds)) process.exitCode = 1;
};

const judge = (what: string, measured: number, budget = 0, slack = 0): Verdict => ({
  what,
  measured,
  budget,
  slack,
  holds: measured <= budget * (1 + slack),
});

const formatVerdicts = (verdicts: readonly Verdict[]): string =>
  `${table(
    ["", "measured", "budget", " change", "", ""],
    verdicts.map(({ what, measured, budget, holds, slack }) => [
      what,
      measured.toFixed(2).padStart("measured".length),
      budget.toFixed(2).padStart("budget".length),
      `${measured < budget ? "-" : "+"}${Math.abs((measured / budget - 1) * 100).toFixed(1)}%`.padStart(7),
      bar(measured / (budget * (1 + slack))),
      holds ? "" : "MISSED",
    ]),
  )}
The bar is full where no more is let pass: at the budget and ${slack * 100} % for ratios, at the budget itself for bytes.
`;

const barWidth = 20;

const bar = (share: number): string => {
  const full = Math.round(share * barWidth);
  return `[${"#".repeat(Math.min(full, barWidth)).padEnd(barWidth, ".")}]${"#".repeat(Math.max(0, full - barWidth))}`;
};

await runAsCommand("bench:gate", () => main(program.parse().opts()));
