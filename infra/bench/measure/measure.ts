/** Counts the instructions that a request costs each subject, some subjects at once. */

import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import pLimit from "p-limit";
import type { Measured } from "../report/report.ts";
import { start } from "../runtime/callgrind.ts";
import { startProgress } from "../runtime/progress.ts";
import { scratch } from "../runtime/scratch.ts";
import type { Kind } from "../runtime/symbols.ts";
import { layOut } from "../runtime/workerd.ts";
import { prove } from "../subjects/probes.ts";
import type { Subject } from "../subjects/subjects.ts";
import { connect, startUpstream } from "../subjects/traffic.ts";
import type { Caller } from "../workers/jobs.ts";

export interface Effort {
  /** A round. */
  readonly requests: number;
  /** Requests before the first round, so that the JIT settles. */
  readonly warmup: number;
  readonly rounds: number;
  /** Tells the kinds of work apart too, which takes a while for each round. */
  readonly byKind?: true;
}

/** Valgrind runs one thread of a subject at a time, so as many subjects as there are processors disturb no count. */
const atOnce = os.availableParallelism();

/** @throws where a subject does not do its work */
export const measureAll = async (
  subjects: readonly Subject[],
  caller: Caller,
  effort: Effort,
): Promise<readonly Measured[]> => {
  const folder = scratch();
  return pLimit(atOnce).map(subjects, async (subject, index) => {
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
  tell: (step: string) => void,
): Promise<Measured> => {
  const upstream = await startUpstream();
  const host = `localhost:${upstream.port}`;
  const workers = await subject.workers({ folder, upstream: `http://${host}` });
  const asks = (await subject.asks?.(warmup + requests * rounds)) ?? [{}];
  let asked = 0;
  const next = () => {
    const ask = asks[asked++ % asks.length];
    return { ...ask, headers: { ...headers, ...ask?.headers } };
  };
  tell("starts");
  const runtime = await start(folder, layOut(folder, workers));
  const client = connect(runtime.port, host);
  try {
    await prove(subject.probes, client, headers, upstream.seen);
    tell(`warms up with ${warmup} requests`);
    await client.send(warmup, next);
    await runtime.instrument();
    const counts: number[] = [];
    const kinds = new Map<Kind, number>();
    const each = (more: ReadonlyMap<Kind, number>): void => {
      for (const [kind, sum] of more) kinds.set(kind, (kinds.get(kind) ?? 0) + sum / requests / rounds);
    };
    const linesBefore = runtime.lines.length;
    for (let round = 1; round <= rounds; round++) {
      tell(`counts round ${round} of ${rounds}`);
      counts.push((await runtime.count(() => client.send(requests, next), byKind ? each : undefined)) / requests);
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
