/**
 * Measures the CPU time of a request. Each subject takes turns with the first one, so that both meet the same machine.
 */
import fs from "node:fs";
import path from "node:path";
import { startProgress } from "../runtime/progress.ts";
import { scratchFolder } from "../runtime/scratch.ts";
import { writeWorkerdConfig } from "../runtime/workerd.ts";
import { type RunningWorkerd, startWorkerd } from "../runtime/workerd-process.ts";
import { checkProbes } from "../subjects/probes.ts";
import type { Subject } from "../subjects/subjects.ts";
import { connect, startUpstream } from "../subjects/traffic.ts";
import type { Caller } from "../workers/jobs.ts";

export interface Cpu {
  readonly name: string;
  /** Ratio to the first subject, median of the turns. */
  readonly ratio: number;
  readonly least: number;
  readonly most: number;
}

const turns = 5;
/** Requests of a turn: enough for a clock of 100 ticks a second. */
const requests = 1000;

interface PreparedSubject {
  readonly send: (times: number) => Promise<void>;
  readonly runtime: RunningWorkerd;
  readonly stop: () => void;
}

export const measureCpu = async (subjects: readonly Subject[], caller: Caller): Promise<readonly Cpu[]> => {
  const folder = scratchFolder();
  const [first, ...others] = subjects;
  if (!first) return [];
  const unit = await prepare(first, path.join(folder, "unit"), caller);
  const all: Cpu[] = [];
  for (const [index, subject] of others.entries()) {
    const progress = startProgress(`CPU of ${subject.name}`);
    const other = await prepare(subject, path.join(folder, String(index)), caller);
    const ratios: number[] = [];
    for (let turn = 0; turn < turns; turn++) {
      const [one, two] = [await cpuTime(unit), await cpuTime(other)];
      ratios.push(two / one);
    }
    other.stop();
    const sorted = ratios.toSorted((a, b) => a - b);
    const at = (place: number): number => sorted.at(place) ?? 0;
    all.push({ name: subject.name, ratio: at(Math.floor(turns / 2)), least: at(0), most: at(-1) });
    progress.done();
  }
  unit.stop();
  return all;
};

const prepare = async (subject: Subject, folder: string, { headers }: Caller): Promise<PreparedSubject> => {
  fs.mkdirSync(folder, { recursive: true });
  const upstream = await startUpstream();
  const host = `localhost:${upstream.port}`;
  const runtime = await startWorkerd(
    writeWorkerdConfig(folder, await subject.workers({ folder, upstream: `http://${host}` })),
  );
  const client = connect(runtime.port, host);
  await checkProbes(subject.probes, client, headers, upstream.lastHeaders);
  const requestList = (await subject.requests?.(requests * (turns + 1))) ?? [{}];
  let sent = 0;
  const next = () => {
    const request = requestList[sent++ % requestList.length];
    return { ...request, headers: { ...headers, ...request?.headers } };
  };
  await client.send(requests, next);
  return {
    send: (times) => client.send(times, next),
    runtime,
    stop: () => {
      client.close();
      runtime.stop();
      upstream.close();
    },
  };
};

const cpuTime = async ({ send, runtime }: PreparedSubject): Promise<number> => {
  const before = runtime.cpu();
  await send(requests);
  return runtime.cpu() - before;
};
