#!/usr/bin/env node
/** `npm run bench:cloud`: what a local cloud of many Workers costs: to start, in memory, to switch, and on the way of a request. */
import http from "node:http";
import path from "node:path";
import { text } from "node:stream/consumers";
import { Command, InvalidArgumentError } from "@commander-js/extra-typings";
import type { Binding } from "../cloud/account/bindings.ts";
import type { Publication } from "../cloud/account/publish.ts";
import { type Cloud, startCloud } from "../cloud/cloud.ts";
import { machinePids } from "../cloud/machine/orphans.ts";
import { compile } from "../compiler/compile.ts";
import { emit } from "../compiler/emit/emit.ts";
import { compatibilityDate } from "../compiler/lower/platform.ts";
import { byStage } from "../release/deploy.ts";
import { publicationOf } from "../release/publication.ts";
import { formatReport, type Memory, measureMs, readMemory, type TimesGroup, timesRow } from "./report/cloud-report.ts";
import { runAsCommand } from "./runtime/command.ts";
import { startProgress } from "./runtime/progress.ts";
import { scratchFolder } from "./runtime/scratch.ts";
import { writeTiers } from "./subjects/tiers.ts";

const positiveInteger = (text: string): number => {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError("It takes a whole number, 1 at least.");
  return Number(text);
};

const program = new Command("npm run bench:cloud --")
  .description(
    "Measures a local cloud that holds many Workers: starts, memory, switches, and latency through the edge.",
  )
  .option(
    "--workers <number>",
    "Workers in the account, 5 at least: gates, their state, a front, and two that are asked",
    positiveInteger,
    100,
  )
  .option("--rounds <number>", "switches of each kind, and starts are fewer", positiveInteger, 20)
  .option("--requests <number>", "requests a latency is taken from", positiveInteger, 1000)
  .option("--json", "machine-readable output")
  .showHelpAfterError("(--help shows what it takes)")
  .exitOverride();

const nameOf = (index: number): string => `worker-${index}`;

/** The last one calls the first by a binding, all others answer themselves. */
const publication = (index: number, last: boolean, answer: string): Publication => {
  const source = last
    ? `// ${answer}\nexport default { fetch: (request, env) => env.NEXT.fetch(request) };`
    : `export default { fetch: () => new Response(${JSON.stringify(answer)}) };`;
  const bindings: Binding[] = last ? [{ name: "NEXT", type: "service", service: nameOf(0) }] : [];
  return {
    worker: nameOf(index),
    deploy: true,
    upload: {
      metadata: {
        main_module: "main.js",
        bindings,
        compatibility_date: compatibilityDate,
        compatibility_flags: [],
        keep_bindings: [],
        annotations: {},
        limits: {},
      },
      modules: [{ name: "main.js", type: "ESModule", content: Buffer.from(source) }],
    },
  };
};

/** Gates as a project has them, bound to the objects that count for them, and the front that is bound to all of them. */
const gates = async (root: string, count: number): Promise<Publication[]> => {
  writeTiers(root, "local", count);
  const emitted = (await emit(root, compile(root, "local"))).toSorted(byStage);
  return emitted.map((it) => publicationOf(it, { secrets: {}, exists: () => true }));
};

/** One connection to the edge, as a browser keeps it. */
const client = ({ edge }: Cloud) => {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const request = (worker: number): Promise<string> =>
    new Promise((resolve, reject) => {
      http
        .get(new URL(edge), { agent, headers: { host: `${nameOf(worker)}.local.workers.dev` } }, (response) => {
          text(response).then(
            (body) =>
              response.statusCode === 200 ? resolve(body) : reject(new Error(`${response.statusCode} ${body}`)),
            reject,
          );
        })
        .on("error", reject);
    });
  return { ask: request, close: () => agent.destroy() };
};

const main = async (): Promise<void> => {
  const { workers, rounds, requests, json } = program.parse().opts();
  if (workers < 5) program.error("--workers takes 5 at least");
  const root = scratchFolder();
  const folder = path.join(root, "cloud");
  const others = await gates(root, workers - 4);
  const began = performance.now();
  const start = () => startCloud({ folder, edgePort: 0, report: (line) => process.stderr.write(`${line}\n`) });
  const memory = (): Memory => readMemory(machinePids(folder), process.pid);
  const last = 1;

  const uploading = startProgress(`${workers} uploads`);
  let cloud = await start();
  const uploads: number[] = [];
  for (const [index, it] of [publication(0, false, "0"), publication(last, true, "0"), ...others].entries()) {
    uploading.at(String(index + 1));
    uploads.push(await measureMs(() => cloud.control.publish([it])));
  }
  for (const index of [0, last])
    await cloud.control.changeSettings(nameOf(index), { subdomain: { enabled: true, previews_enabled: true } });
  const uploaded = memory();
  await cloud.close();
  uploading.done();

  const starting = startProgress("starts");
  const starts: number[] = [];
  const started = Math.max(1, Math.min(5, Math.round(rounds / 4)));
  for (let round = 1; round <= started; round++) {
    starting.at(`${round} of ${started}`);
    if (round > 1) await cloud.close();
    starts.push(
      await measureMs(async () => {
        cloud = await start();
      }),
    );
  }
  const fresh = memory();
  starting.done();

  const { ask: request, close } = client(cloud);
  const latencies = startProgress("latency");
  const latencyTimes: Record<"plain" | "bound", number[]> = { plain: [], bound: [] };
  // In turn, so that what else happens on this computer meets both.
  for (let sent = 0; sent < requests + 100; sent++)
    for (const [kind, worker] of [
      ["plain", 0],
      ["bound", last],
    ] as const) {
      const ms = await measureMs(() => request(worker));
      if (sent >= 100) latencyTimes[kind].push(ms);
    }
  latencies.done();

  const switching = startProgress("switches");
  const switches: Record<"upload" | "split" | "rollback", number[]> = { upload: [], split: [], rollback: [] };
  const measureUntilLive = async (work: () => Promise<unknown>, answer: string): Promise<number> =>
    measureMs(async () => {
      await work();
      const text = await request(last);
      if (text !== answer) throw new Error(`"${text}" was answered after a switch to "${answer}"`);
    });
  const deploy = (...percentages: readonly number[]) => {
    const { versions } = cloud.control.worker(nameOf(0));
    const shares = percentages.map((percentage, index) => ({
      version_id: versions.at(-1 - index)?.id ?? "",
      percentage,
    }));
    return cloud.control.deploy(nameOf(0), shares.slice(-2), {}, true);
  };
  for (let round = 1; round <= rounds; round++) {
    switching.at(`${round} of ${rounds}`);
    const [before, now] = [String(round - 1), String(round)];
    switches.upload.push(await measureUntilLive(() => cloud.control.publish([publication(0, false, now)]), now));
    // What was live before the upload does not run any more, so that it has to start.
    switches.rollback.push(await measureUntilLive(() => deploy(0, 100), before));
    switches.split.push(await measureUntilLive(() => deploy(100, 0), now));
  }
  switching.done();
  const switched = memory();
  close();
  await cloud.close();

  const groups: TimesGroup[] = [
    {
      unit: "ms",
      rows: [
        timesRow(`start of a cloud of ${workers}`, starts),
        timesRow("upload, one by one", uploads),
        timesRow("upload → live behind a binding", switches.upload),
        timesRow("split → live behind a binding", switches.split),
        timesRow("rollback → live behind a binding", switches.rollback),
      ],
    },
    {
      unit: "ms",
      rows: [
        timesRow("request to a plain Worker", latencyTimes.plain),
        timesRow("behind a service binding", latencyTimes.bound),
      ],
    },
  ];
  const memories = { uploaded, fresh, switched };
  const seconds = Math.round((performance.now() - began) / 1000);
  process.stdout.write(
    json
      ? `${JSON.stringify({ workers, rounds, requests, seconds, groups, memoryMiB: memories }, null, 2)}\n`
      : `${formatReport(groups, memories)}\n${workers} Workers, ${rounds} switches, ${requests} requests, ${seconds} s\n`,
  );
};

await runAsCommand("bench:cloud", main);
