/** Counts the instructions of a request for each subject, several subjects at once. */

import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import pLimit from "p-limit";
import type { Measured } from "../report/report.ts";
import { startCallgrind } from "../runtime/callgrind.ts";
import { startProgress } from "../runtime/progress.ts";
import { scratchFolder } from "../runtime/scratch.ts";
import type { Kind } from "../runtime/symbols.ts";
import { writeWorkerdConfig } from "../runtime/workerd.ts";
import { checkProbes } from "../subjects/probes.ts";
import type { Subject } from "../subjects/subjects.ts";
import { connect, startUpstream } from "../subjects/traffic.ts";
import type { Caller } from "../workers/jobs.ts";

export interface Effort {
  /** Requests of a round. */
  readonly requests: number;
  /** Requests before the first round, as a warm-up for the JIT. */
  readonly warmup: number;
  readonly rounds: number;
  /** Also counts by kind of work, which takes longer. */
  readonly byKind?: true;
}

/** Valgrind runs one thread of a subject at a time, so one subject for each processor does not disturb a count. */
const concurrency = os.availableParallelism();

/** @throws where a subject fails its probes */
export const measureAll = async (
  subjects: readonly Subject[],
  caller: Caller,
  effort: Effort,
): Promise<readonly Measured[]> => {
  const folder = scratchFolder();
  return pLimit(concurrency).map(subjects, async (subject, index) => {
    const own = path.join(folder, String(index));
    fs.mkdirSync(own);
    const progress = startProgress(`${index + 1}/${subjects.length} ${subject.name}`);
    const measured = await measure(subject, own, caller, effort, progress.at);
    progress.done();
    return measured;
  });
};

const measure = async (
  subject: Subject,
  folder: string,
  { headers }: Caller,
  { requests, warmup, rounds, byKind }: Effort,
  report: (step: string) => void,
): Promise<Measured> => {
  const upstream = await startUpstream();
  const host = `localhost:${upstream.port}`;
  const workers = await subject.workers({ folder, upstream: `http://${host}` });
  const requestList = (await subject.requests?.(warmup + requests * rounds)) ?? [{}];
  let sent = 0;
  const next = () => {
    const request = requestList[sent++ % requestList.length];
    return { ...request, headers: { ...headers, ...request?.headers } };
  };
  report("starts");
  const runtime = await startCallgrind(folder, writeWorkerdConfig(folder, workers));
  const client = connect(runtime.port, host);
  try {
    await checkProbes(subject.probes, client, headers, upstream.lastHeaders);
    report(`warms up with ${warmup} requests`);
    await client.send(warmup, next);
    await runtime.instrument();
    const counts: number[] = [];
    const kinds = new Map<Kind, number>();
    const addKinds = (more: ReadonlyMap<Kind, number>): void => {
      for (const [kind, sum] of more) kinds.set(kind, (kinds.get(kind) ?? 0) + sum / requests / rounds);
    };
    const linesBefore = runtime.lines.length;
    for (let round = 1; round <= rounds; round++) {
      report(`counts round ${round} of ${rounds}`);
      counts.push((await runtime.count(() => client.send(requests, next), byKind ? addKinds : undefined)) / requests);
    }
    const lines = runtime.lines.length - linesBefore;
    if (lines !== (subject.lines ?? 0) * requests * rounds)
      throw new Error(`it wrote ${lines} lines for ${requests * rounds} requests`);
    return { name: subject.name, rounds: counts, kinds };
  } catch (cause) {
    throw new Error(`${subject.name}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  } finally {
    client.close();
    runtime.stop();
    upstream.close();
  }
};
