/** Simulates some rollouts of a world: what a thread does at a time. */
import { increase } from "../../functions/gateway/core/quantities.ts";
import { type Calibration, calibrationOf } from "./calibration.ts";
import { type RunResult, release, run, settling } from "./rollout.ts";
import type { Harm } from "./traffic/requests.ts";
import { trafficOf } from "./worlds/traffic.ts";
import type { World } from "./worlds/world.ts";

/** The clients are drawn anew for each chunk. */
export const chunkRuns = 10;

export interface Chunk {
  readonly world: World;
  /** Counted from zero. */
  readonly index: number;
  readonly runs: number;
  readonly seed: number;
  readonly calibrate: boolean;
}

export interface ChunkResult {
  readonly results: readonly RunResult[];
  readonly harm: Harm;
  /** One for each rollout, if asked for. */
  readonly calibrations: readonly Calibration[];
}

export const simulateChunk = ({ world, index, runs, seed, calibrate }: Chunk): ChunkResult => {
  const harm: Harm = { requests: 0, failed: 0, failedUnderStable: 0 };
  const first = seed * 1_000_003 + index * (chunkRuns + 1);
  const source = trafficOf(world, first, { settling, tolerated: increase(release.tolerate.p99) }, harm);
  const calibrations: Calibration[] = [];
  const results = Array.from({ length: runs }, (_, number) => {
    const calibration = calibrate ? calibrationOf() : undefined;
    const result = run(source, world, first + 1 + number, calibration?.observe);
    if (calibration) calibrations.push(calibration.wealth);
    return result;
  });
  return { results, harm, calibrations };
};
