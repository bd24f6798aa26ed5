#!/usr/bin/env node
/** `npm run bench`: counts the instructions of a request in workerd, for gates and for what they are compared with. */
import path from "node:path";
import { Command, InvalidArgumentError } from "@commander-js/extra-typings";
import { writeBreakdown, writeDocument } from "./document.ts";
import { formatBreakdown, measureBreakdown } from "./measure/breakdown.ts";
import { measureCpu } from "./measure/cpu.ts";
import { measureFilters } from "./measure/filters.ts";
import { measureAll } from "./measure/measure.ts";
import { measureMicro } from "./measure/micro.ts";
import { measureFurtherWorkers, measureStarts } from "./measure/start.ts";
import { formatRows, type InstructionsRow, toRows } from "./report/report.ts";
import { requireValgrind } from "./runtime/callgrind.ts";
import { runAsCommand } from "./runtime/command.ts";
import { workerd } from "./runtime/workerd.ts";
import { type Subject, subjectsFor } from "./subjects/subjects.ts";
import { makeCaller } from "./workers/jobs.ts";

const positiveInteger = (text: string): number => {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError("It takes a whole number, 1 at least.");
  return Number(text);
};

const program = new Command("npm run bench --")
  .description("Counts the instructions that a request costs in workerd, under valgrind, as ratios to a passthrough.")
  .option("--requests <number>", "requests a round", positiveInteger, 200)
  .option("--warmup <number>", "requests before the first round, so that the JIT settles", positiveInteger, 6000)
  .option("--rounds <number>", "rounds, whose mean counts", positiveInteger, 8)
  .option("--only <text>", "only the subjects with this in their name, beside the first")
  .option("--where", "says instead where a gate's instructions go: by duty, by kind of work, and what the floor is")
  .option("--write", "measures all there is and writes docs/benchmarks.md; with --where only that section of it")
  .option("--json", "machine-readable output")
  .showHelpAfterError("(--help shows what it takes)")
  .exitOverride();

const root = path.resolve(import.meta.dirname, "../..");

type Options = ReturnType<typeof program.opts>;

const main = async (options: Options): Promise<void> => {
  requireValgrind();
  if (options.write && options.only !== undefined)
    program.error("--write is of all subjects, so it goes without --only");
  if (options.where && options.only !== undefined) program.error("--where has subjects of its own: leave out --only");
  if (options.where) return printBreakdown(options);
  const started = performance.now();
  const caller = await makeCaller();
  const subjects = selectSubjects(subjectsFor(caller), options.only);
  const rows = toRows(await measureAll(subjects, caller, options));
  if (options.write) {
    const { requests, warmup, rounds } = options;
    writeDocument(root, {
      effort: { requests, warmup, rounds },
      requests: rows,
      starts: await measureStarts(caller),
      cpu: await measureCpu(subjects, caller),
      further: await measureFurtherWorkers(caller),
      micro: await measureMicro(),
      filters: await measureFilters(caller),
      where: await measureBreakdown(caller, options),
    });
  }
  printRows(rows, options, (performance.now() - started) / 1000);
};

const printBreakdown = async (options: Options): Promise<void> => {
  const where = await measureBreakdown(await makeCaller(), options);
  if (options.write) writeBreakdown(root, where);
  process.stdout.write(options.json ? `${JSON.stringify(where, null, 2)}\n` : `${formatBreakdown(where)}\n`);
};

/** The first subject always runs, since it is the unit of all ratios. */
const selectSubjects = (subjects: readonly Subject[], only: string | undefined): readonly Subject[] => {
  if (only === undefined) return subjects;
  const matching = subjects.filter(({ name }) => name.toLowerCase().includes(only.toLowerCase()));
  if (matching.length > 0) return subjects.filter((it, index) => index === 0 || matching.includes(it));
  const names = subjects.map(({ name }) => `"${name}"`).join(", ");
  return program.error(`no subject has "${only}" in its name; there are ${names}`);
};

const printRows = (rows: readonly InstructionsRow[], options: Options, seconds: number): void => {
  const { requests, warmup, rounds, json } = options;
  const setting = `workerd ${workerd.version}, ${rounds} rounds of ${requests} requests after ${warmup}, ${Math.round(seconds)} s`;
  process.stdout.write(
    json
      ? `${JSON.stringify({ workerd: workerd.version, requests, warmup, rounds, seconds, subjects: rows }, null, 2)}\n`
      : `${formatRows(rows)}\nInstructions a request, in the mean of the rounds. ${setting}\n`,
  );
};

await runAsCommand("bench", () => main(program.parse().opts()));
