/**
 * Measures the start of a Worker: the instructions until its first response, and what each further Worker adds to a process.
 */
import fs from "node:fs";
import path from "node:path";
import { startCallgrind } from "../runtime/callgrind.ts";
import { scratchFolder } from "../runtime/scratch.ts";
import { bundleWorker, type Worker, writeWorkerdConfig } from "../runtime/workerd.ts";
import { startWorkerd } from "../runtime/workerd-process.ts";
import { gateWorkers } from "../subjects/gates.ts";
import { connect } from "../subjects/traffic.ts";
import type { Caller } from "../workers/jobs.ts";

export interface Start {
  readonly name: string;
  readonly instructions: number;
  /** Ratio to Hono's hello, both over an empty Worker. */
  readonly ratio: number;
  /** Minified, without the plan. */
  readonly bytes: number;
}

/** One more Worker of a kind in a process. */
export interface FurtherWorker {
  readonly name: string;
  /** CPU time of its start over that of an empty Worker, median of the turns, in milliseconds. */
  readonly cpuMs: number;
  /** Memory in MiB, the isolate included. */
  readonly memory: number;
}

const empty: Worker = {
  name: "worker",
  modules: { "worker.js": `export default { fetch: () => new Response("hello") };` },
};

const hono = `import { Hono } from "hono";
export default new Hono().get("/", (c) => c.text("hello"));`;

/** The first subject is the unit. */
export const measureStarts = async ({ jobs }: Caller): Promise<readonly Start[]> => {
  const folder = scratchFolder();
  const ownFolder = (name: string): string => fs.mkdtempSync(path.join(folder, `${name.replaceAll(/\W/g, "")}-`));
  const nothing = countStartInstructions(ownFolder("empty"), [empty]);
  const all = subjectsOf(jobs).map(async ([name, make]) => {
    const at = ownFolder(name);
    const workers = await make(at);
    return { name, bytes: sizeOf(workers), instructions: await countStartInstructions(at, workers) };
  });
  const [least, ...rows] = await Promise.all([nothing, ...all]);
  const unit = (rows[0]?.instructions ?? 0) - least;
  return rows.map((row) => ({
    ...row,
    instructions: row.instructions - least,
    ratio: (row.instructions - least) / unit,
  }));
};

const subjectsOf = (
  jobs: Caller["jobs"],
): readonly (readonly [name: string, make: (folder: string) => Promise<readonly Worker[]>])[] => [
  ["Hono, hello", async () => [await bundleWorker(hono)]],
  ["gate, no filters", (ownFolder) => gateWorkers(ownFolder, "http://localhost", {})],
  ["gate, five filters", (ownFolder) => gateWorkers(ownFolder, "http://localhost", { jobs })],
];

/** Enough that a clock of hundredths of a second can measure one. */
const furtherCount = 40;
const turns = 3;

/** Takes turns, so that all meet the same machine. */
export const measureFurtherWorkers = async ({ jobs }: Caller): Promise<readonly FurtherWorker[]> => {
  const folder = scratchFolder();
  const ownFolder = (): string => fs.mkdtempSync(path.join(folder, "process-"));
  const kinds: [name: string, worker: Worker][] = [["empty", empty]];
  for (const [name, make] of subjectsOf(jobs)) kinds.push([name, (await make(ownFolder()))[0] as Worker]);
  const seen = kinds.map(() => [] as { readonly cpu: number; readonly resident: number }[]);
  for (let turn = 0; turn < turns; turn++)
    for (const [index, [, worker]] of kinds.entries()) {
      const [one, many] = [
        await measureProcess(ownFolder(), worker, 1),
        await measureProcess(ownFolder(), worker, 1 + furtherCount),
      ];
      const each = (what: "cpu" | "resident"): number => (many[what] - one[what]) / furtherCount;
      seen[index]?.push({ cpu: each("cpu"), resident: each("resident") });
    }
  const middle = (index: number, what: "cpu" | "resident"): number =>
    (seen[index] ?? []).map((it) => it[what]).toSorted((a, b) => a - b)[Math.floor(turns / 2)] ?? Number.NaN;
  return kinds
    .map(([name], index) => ({
      name,
      cpuMs: middle(index, "cpu") - middle(0, "cpu"),
      memory: middle(index, "resident"),
    }))
    .slice(1);
};

const measureProcess = async (folder: string, worker: Worker, count: number) => {
  const all = Array.from({ length: count }, (_, index) => ({ ...worker, name: `worker-${index}` }));
  const runtime = await startWorkerd(writeWorkerdConfig(folder, all));
  try {
    await (await fetch(`http://127.0.0.1:${runtime.port}/nowhere`)).text();
    return { cpu: runtime.cpu(), resident: runtime.resident() };
  } finally {
    runtime.stop();
  }
};

const sizeOf = ([worker]: readonly Worker[]): number =>
  Object.entries(worker?.modules ?? {}).reduce(
    (sum, [module, source]) => sum + (module === "plan.js" ? 0 : Buffer.byteLength(source)),
    0,
  );

/** Requests a path without a route, so that no service is called. */
const countStartInstructions = async (folder: string, workers: readonly Worker[]): Promise<number> => {
  const runtime = await startCallgrind(folder, writeWorkerdConfig(folder, workers), true);
  const client = connect(runtime.port, "localhost");
  try {
    await client.request({ path: "/nowhere" });
    return await runtime.sinceStart();
  } finally {
    client.close();
    runtime.stop();
  }
};
