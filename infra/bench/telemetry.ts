#!/usr/bin/env node
/** `npm run bench:telemetry`: what a large rollout costs control's telemetry object of a tier. */
import { Command, InvalidArgumentError } from "@commander-js/extra-typings";
import { wideTable as table } from "../terminal/table.ts";
import { measureTelemetryLoad } from "./measure/telemetry-load.ts";
import { runAsCommand } from "./runtime/command.ts";

const positiveInteger = (text: string): number => {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError("It takes a whole number, 1 at least.");
  return Number(text);
};

const program = new Command("npm run bench:telemetry --")
  .description(
    "Loads a tier's telemetry as a large rollout does, with Node's SQLite in memory, and measures what it costs.",
  )
  .option("--isolates <number>", "isolates, each of which reports every two seconds", positiveInteger, 2000)
  .option("--requests <number>", "requests a second", positiveInteger, 1000)
  .option("--clients <number>", "clients", positiveInteger, 100_000)
  .option("--minutes <number>", "simulated minutes", positiveInteger, 15)
  .option("--json", "machine-readable output")
  .showHelpAfterError("(--help shows what it takes)")
  .exitOverride();

const main = async ({ requests, json, ...load }: ReturnType<typeof program.opts>): Promise<void> => {
  const cost = await measureTelemetryLoad({ ...load, requestsPerSecond: requests }, Math.random);
  const figure = (value: number, unit: string) =>
    `${value.toLocaleString("en", { maximumSignificantDigits: 3 })} ${unit}`;
  const rows = [
    ["reports", cost.reports.toLocaleString("en")],
    ["a report", figure(cost.reportBytes, "bytes")],
    ["a report, in control's Worker", figure(cost.workerMs, "ms")],
    ["a report, in the object", figure(cost.objectMs, "ms")],
    ["evidence, every 2 s", figure(cost.evidenceMs, "ms")],
    ["evidence with bounds", figure(cost.boundsMs, "ms")],
    ["merging of rows, every minute, at most", figure(cost.sweepMs, "ms")],
    ["evidence after a restart", figure(cost.rebuildMs, "ms")],
    ["memory of a stage", figure(cost.stageMiB, "MiB")],
    ["database", figure(cost.databaseMiB, "MiB")],
  ];
  process.stdout.write(json ? `${JSON.stringify(cost, null, 2)}\n` : table(["what", "cost"], rows));
};

await runAsCommand("bench:telemetry", () => main(program.parse().opts()));
