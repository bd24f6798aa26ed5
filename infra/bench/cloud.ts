#!/usr/bin/env node
/** `npm run bench:cloud`: measures a local cloud of many Workers: its start, memory, switches, and latency. */
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
    "Workers in the account, 5 at least: gates, their state, a front, and two that answer requests",
    positiveInteger,
    100,
  )
  .option("--rounds <number>", "switches of each kind, and starts are fewer", positiveInteger, 20)
  .option("--requests <number>", "requests a latency is taken from", positiveInteger, 1000)
  .option("--json", "machine-readable output")
  .showHelpAfterError("(--help shows what it takes)")
  .exitOverride();

/** Indices of the two Workers that requests are sent to: one that answers, and one that calls it by a binding. */
const [called, caller] = [0, 1] as const;
/** Requests of each kind that are not counted. */
const warmUps = 100;

const nameOf = (index: number): string => `worker-${index}`;

/** @param isCaller whether it calls the other Worker, rather than answer itself */
const publication = (index: number, isCaller: boolean, answer: string): Publication => {
  const source = isCaller
    ? `// ${answer}\nexport default { fetch: (request, env) => env.NEXT.fetch(request) };`
    : `export default { fetch: () => new Response(${JSON.stringify(answer)}) };`;
  const bindings: Binding[] = isCaller ? [{ name: "NEXT", type: "service", service: nameOf(called) }] : [];
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

/** Gates as a project has them, bound to the objects that count for them, and the front, which is bound to all gates. */
const gates = async (root: string, count: number): Promise<Publication[]> => {
  writeTiers(root, "local", count);
  const emitted = (await emit(root, compile(root, "local"))).toSorted(byStage);
  return emitted.map((it) => publicationOf(it, { secrets: {}, exists: () => true }));
};

/** One connection to the edge, kept open as a browser does. */
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
  return { request, close: () => agent.destroy() };
};

/** @returns how long each upload took */
const measureUploads = async (cloud: Cloud, publications: readonly Publication[]): Promise<number[]> => {
  const progress = startProgress(`${publications.length} uploads`);
  const times: number[] = [];
  for (const [index, it] of publications.entries()) {
    progress.at(String(index + 1));
    times.push(await measureMs(() => cloud.control.publish([it])));
  }
  for (const index of [called, caller])
    await cloud.control.changeSettings(nameOf(index), { subdomain: { enabled: true, previews_enabled: true } });
  progress.done();
  return times;
};

/** @returns how long each start took, and the cloud that was started last */
const measureStarts = async (start: () => Promise<Cloud>, rounds: number): Promise<readonly [number[], Cloud]> => {
  const progress = startProgress("starts");
  const times: number[] = [];
  let cloud: Cloud | undefined;
  for (let round = 1; round <= rounds; round++) {
    progress.at(`${round} of ${rounds}`);
    await cloud?.close();
    const began = performance.now();
    cloud = await start();
    times.push(performance.now() - began);
  }
  progress.done();
  return [times, cloud as Cloud];
};

/** The two kinds of requests take turns, so that what else happens on this computer meets both. */
const measureLatencies = async (request: (worker: number) => Promise<string>, count: number) => {
  const progress = startProgress("latency");
  const times = { plain: [] as number[], bound: [] as number[] };
  for (let sent = 0; sent < count + warmUps; sent++) {
    const plain = await measureMs(() => request(called));
    const bound = await measureMs(() => request(caller));
    if (sent < warmUps) continue;
    times.plain.push(plain);
    times.bound.push(bound);
  }
  progress.done();
  return times;
};

/** Uploads, rollbacks and splits of the called Worker, each until the caller's response shows it. */
const measureSwitches = async ({ control }: Cloud, request: (worker: number) => Promise<string>, rounds: number) => {
  const progress = startProgress("switches");
  const times = { upload: [] as number[], split: [] as number[], rollback: [] as number[] };
  const untilLive = (work: () => Promise<unknown>, answer: string): Promise<number> =>
    measureMs(async () => {
      await work();
      const text = await request(caller);
      if (text !== answer) throw new Error(`"${text}" was answered after a switch to "${answer}"`);
    });
  const deploy = (...percentages: readonly number[]) => {
    const { versions } = control.worker(nameOf(called));
    const shares = percentages.map((percentage, index) => ({
      version_id: versions.at(-1 - index)?.id ?? "",
      percentage,
    }));
    return control.deploy(nameOf(called), shares.slice(-2), {}, true);
  };
  for (let round = 1; round <= rounds; round++) {
    progress.at(`${round} of ${rounds}`);
    const [before, now] = [String(round - 1), String(round)];
    times.upload.push(await untilLive(() => control.publish([publication(called, false, now)]), now));
    // The version that was live before the upload does not run any more, so it has to start.
    times.rollback.push(await untilLive(() => deploy(0, 100), before));
    times.split.push(await untilLive(() => deploy(100, 0), now));
  }
  progress.done();
  return times;
};

const main = async (): Promise<void> => {
  const { workers, rounds, requests, json } = program.parse().opts();
  if (workers < 5) program.error("--workers takes 5 at least");
  const root = scratchFolder();
  const folder = path.join(root, "cloud");
  const publications = [
    publication(called, false, "0"),
    publication(caller, true, "0"),
    ...(await gates(root, workers - 4)),
  ];
  const began = performance.now();
  const start = () => startCloud({ folder, edgePort: 0, report: (line) => process.stderr.write(`${line}\n`) });
  const memory = (): Memory => readMemory(machinePids(folder), process.pid);

  const first = await start();
  const uploads = await measureUploads(first, publications);
  const uploaded = memory();
  await first.close();
  const [starts, cloud] = await measureStarts(start, Math.max(1, Math.min(5, Math.round(rounds / 4))));
  const fresh = memory();
  const { request, close } = client(cloud);
  const latencies = await measureLatencies(request, requests);
  const switches = await measureSwitches(cloud, request, rounds);
  const memories = { uploaded, fresh, switched: memory() };
  close();
  await cloud.close();

  const groups = [
    times([`start of a cloud of ${workers}`, starts], ["upload, one by one", uploads], ...switchRows(switches)),
    times(["request to a plain Worker", latencies.plain], ["behind a service binding", latencies.bound]),
  ];
  const seconds = Math.round((performance.now() - began) / 1000);
  process.stdout.write(
    json
      ? `${JSON.stringify({ workers, rounds, requests, seconds, groups, memoryMiB: memories }, null, 2)}\n`
      : `${formatReport(groups, memories)}\n${workers} Workers, ${rounds} switches, ${requests} requests, ${seconds} s\n`,
  );
};

const switchRows = (switches: Readonly<Record<string, readonly number[]>>) =>
  Object.entries(switches).map(([kind, ms]) => [`${kind} → live behind a binding`, ms] as const);

const times = (...rows: readonly (readonly [name: string, ms: readonly number[]])[]): TimesGroup => ({
  unit: "ms",
  rows: rows.map((row) => timesRow(...row)),
});

await runAsCommand("bench:cloud", main);
