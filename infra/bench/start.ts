/** Counts what the start of a Worker costs: the instructions until its runtime has answered once, over those of an empty one. */
import fs from "node:fs";
import path from "node:path";
import { start } from "./callgrind.ts";
import { gateWorkers } from "./gates.ts";
import type { Caller } from "./jobs.ts";
import { scratch } from "./scratch.ts";
import { connect } from "./traffic.ts";
import { bundled, layOut, type Worker } from "./workerd.ts";

export interface Start {
  readonly name: string;
  readonly instructions: number;
  /** What is over an empty Worker, to what Hono's hello is over it. */
  readonly ratio: number;
  /** Minified, without the plan. */
  readonly bytes: number;
}

const empty: Worker = {
  name: "worker",
  modules: { "worker.js": `export default { fetch: () => new Response("hello") };` },
};

const hono = `import { Hono } from "hono";
export default new Hono().get("/", (c) => c.text("hello"));`;

/** The first one is the unit. */
export const startsOf = async ({ jobs }: Caller): Promise<readonly Start[]> => {
  const folder = scratch();
  const subjects: readonly (readonly [name: string, make: (folder: string) => Promise<readonly Worker[]>])[] = [
    ["Hono, hello", async () => [await bundled(hono)]],
    ["gate, no filters", (own) => gateWorkers(own, "http://localhost", {})],
    ["gate, five filters", (own) => gateWorkers(own, "http://localhost", { jobs })],
  ];
  const own = (name: string): string => fs.mkdtempSync(path.join(folder, `${name.replaceAll(/\W/g, "")}-`));
  const nothing = started(own("empty"), [empty]);
  const all = subjects.map(async ([name, make]) => {
    const at = own(name);
    const workers = await make(at);
    return { name, bytes: sizeOf(workers), instructions: await started(at, workers) };
  });
  const [least, ...rows] = await Promise.all([nothing, ...all]);
  const unit = (rows[0]?.instructions ?? 0) - least;
  return rows.map((row) => ({
    ...row,
    instructions: row.instructions - least,
    ratio: (row.instructions - least) / unit,
  }));
};

const sizeOf = ([worker]: readonly Worker[]): number =>
  Object.entries(worker?.modules ?? {}).reduce(
    (sum, [module, source]) => sum + (module === "plan.js" ? 0 : Buffer.byteLength(source)),
    0,
  );

/** Whatever is answered: a path that nobody serves, so that nothing is asked of a service. */
const started = async (folder: string, workers: readonly Worker[]): Promise<number> => {
  const runtime = await start(folder, layOut(folder, workers), true);
  const client = connect(runtime.port, "localhost");
  try {
    await client.ask({ path: "/nowhere" });
    return await runtime.sinceStart();
  } finally {
    client.close();
    runtime.stop();
  }
};
