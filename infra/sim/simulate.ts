/** Simulates many rollouts of each world, on several threads. The number of threads changes no result. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { type Chunk, type ChunkResult, chunkRuns, simulateChunk } from "./chunk.ts";
import type { World } from "./worlds/world.ts";

export interface Simulation {
  /** Rollouts of each world. */
  readonly runs: number;
  readonly seed: number;
  /** Threads; one is this one. */
  readonly jobs: number;
  readonly calibrate?: boolean;
  readonly onProgress?: (world: World, done: number, all: number) => void;
}

/** @returns the chunks of each world, in the order of the worlds */
export const simulateAll = async (
  worlds: readonly World[],
  { runs, seed, jobs, calibrate = false, onProgress }: Simulation,
): Promise<ChunkResult[][]> => {
  const results = worlds.map((): ChunkResult[] => []);
  const chunks = worlds.flatMap((world, of) =>
    Array.from({ length: Math.ceil(runs / chunkRuns) }, (_, index) => {
      const part = Math.min(chunkRuns, runs - index * chunkRuns);
      return { of, chunk: { world, index, runs: part, seed, calibrate } satisfies Chunk };
    }),
  );
  let [next, done] = [0, 0];
  const work = async (simulate: (chunk: Chunk) => ChunkResult | Promise<ChunkResult>): Promise<void> => {
    for (let it = chunks[next++]; it; it = chunks[next++]) {
      const result = await simulate(it.chunk);
      const to = results[it.of];
      if (to) to[it.chunk.index] = result;
      onProgress?.(it.chunk.world, ++done, chunks.length);
    }
  };
  if (jobs === 1) await work(simulateChunk);
  else await Promise.all(Array.from({ length: Math.min(jobs, chunks.length) }, () => inThread(work)));
  return results;
};

const inThread = async (work: (simulate: (chunk: Chunk) => Promise<ChunkResult>) => Promise<void>): Promise<void> => {
  const worker = new Worker(new URL("./worker.ts", import.meta.url));
  try {
    await work(async (chunk) => {
      worker.postMessage(chunk);
      const [result] = (await once(worker, "message")) as [ChunkResult];
      return result;
    });
  } finally {
    await worker.terminate();
  }
};
