#!/usr/bin/env node
/** `npm run bench:deploy`: measures `postern deploy` of many tiers to a local cloud, from nothing and unchanged. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { Command } from "@commander-js/extra-typings";
import { machinePids } from "../cloud/machine/orphans.ts";
import type { DeployedWorker } from "../release/deploy-worker.ts";
import { parseCount } from "../terminal/arguments.ts";
import { wideTable as table } from "../terminal/table.ts";
import { runAsCommand } from "./runtime/command.ts";
import { scratchFolder } from "./runtime/scratch.ts";
import { writeTiers } from "./subjects/tiers.ts";

const environment = "local";
const cli = path.resolve(import.meta.dirname, "../cli.ts");

const program = new Command("npm run bench:deploy --")
  .description(
    "Deploys a project of many tiers to a local cloud by wrangler, from nothing and once more, and ends the cloud.",
  )
  .option("--tiers <number>", "tiers of thirty routes", "100")
  .option("--json", "machine-readable output")
  .showHelpAfterError("(--help shows what it takes)")
  .exitOverride();

interface Step {
  readonly name: string;
  readonly seconds: number;
  /** CPU time of all processes that ended during the step, and of their children. */
  readonly cpuSeconds: number;
  readonly workers: Readonly<Record<string, number>>;
}

const run = (...args: readonly string[]): ChildProcess =>
  spawn(process.execPath, [cli, ...args], { stdio: ["ignore", "pipe", "inherit"] });

/** CPU time of ended children on Linux: the 16th and 17th field of proc(5), in hundredths of a second. */
const endedCpu = (): number => {
  const fields = fs.readFileSync("/proc/self/stat", "utf8").split(") ").at(-1)?.split(" ") ?? [];
  return (Number(fields[13]) + Number(fields[14])) / 100;
};

const measured = async (name: string, work: () => Promise<Step["workers"]>): Promise<Step> => {
  const [began, cpu] = [performance.now(), endedCpu()];
  const workers = await work();
  return { name, seconds: (performance.now() - began) / 1000, cpuSeconds: endedCpu() - cpu, workers };
};

/** @returns the process, and the URL of its API */
const startCloudProcess = async (folder: string): Promise<{ readonly child: ChildProcess; readonly api: string }> => {
  const child = run("cloud", "--state", folder, "--api-port", "0", "--edge-port", "0", "--json");
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  for await (const line of lines) {
    const output = JSON.parse(line) as { readonly type: string; readonly api: string; readonly line?: string };
    if (output.type === "ready") {
      // The output has to be read, though nothing of it is used.
      lines.on("line", (later) => {
        if (later.includes('"type":"cloud"')) process.stderr.write(`${later}\n`);
      });
      child.stdout?.resume();
      return { child, api: output.api };
    }
  }
  throw new Error("the cloud did not start");
};

const deploy = async (root: string, api: string): Promise<Step["workers"]> => {
  const child = run("deploy", "--root", root, "--env", environment, "--target", api, "--json");
  const [output] = await Promise.all([text(child.stdout as NodeJS.ReadableStream), once(child, "exit")]);
  if (child.exitCode !== 0) throw new Error(`postern deploy ended with ${child.exitCode}:\n${output}`);
  const counts: Record<string, number> = {};
  for (const { what } of (JSON.parse(output) as { readonly workers: readonly DeployedWorker[] }).workers)
    counts[what] = (counts[what] ?? 0) + 1;
  return counts;
};

const main = async (): Promise<void> => {
  const { tiers, json } = program.parse().opts();
  const folder = scratchFolder();
  const state = path.join(folder, "cloud");
  writeTiers(folder, environment, parseCount(tiers, "--tiers", 1000));
  const { child, api } = await startCloudProcess(state);
  process.once("exit", () => child.kill("SIGKILL"));
  const steps = [
    await measured("from nothing", () => deploy(folder, api)),
    await measured("unchanged", () => deploy(folder, api)),
  ];
  const machines = machinePids(state).length;
  steps.push(
    await measured("end of the cloud", async () => {
      child.kill("SIGTERM");
      await once(child, "exit");
      return {};
    }),
  );
  const left = machinePids(state).length;
  const rows = steps.map(({ name, seconds, cpuSeconds, workers }) => [
    name,
    Number(seconds.toFixed(1)),
    Number(cpuSeconds.toFixed(1)),
    Object.entries(workers)
      .map(([what, count]) => `${count} ${what}`)
      .join(", "),
  ]);
  process.stdout.write(
    json
      ? `${JSON.stringify({ tiers: Number(tiers), steps, machines, left }, null, 2)}\n`
      : `${table([`${tiers} tiers`, "s", "CPU s", "Workers"], rows)}\n${machines} machines at the end, ${left} after it\n`,
  );
  const changedKinds = Object.keys(steps[1]?.workers ?? {});
  if (left > 0 || changedKinds.some((what) => what !== "unchanged")) process.exitCode = 1;
};

await runAsCommand("bench:deploy", main);
