/** Rollouts in every world, what is wanted of them, and where today's verdict misses it. */
import { wideTable as table } from "../terminal/table.ts";
import { type RunResult, run } from "./rollout.ts";
import { type Figures, figuresOf } from "./simulate.ts";
import type { World } from "./world.ts";
import { type Outcomes, trafficOf } from "./world-traffic.ts";
import { adversaries } from "./worlds-adversaries.ts";
import { harmfulWorlds } from "./worlds-harmful.ts";
import { harmlessWorlds } from "./worlds-harmless.ts";

export const worlds: readonly World[] = [...harmlessWorlds, ...harmfulWorlds, ...adversaries];

export interface WorldFigures extends Omit<Figures, "missed" | "rate"> {
  readonly about: string;
  readonly release: World["release"];
  readonly wanted: World["wanted"];
  /** Whether the verdict misses what is wanted. */
  readonly missed: boolean;
  /** Shares of the new version's requests that failed, attackers' left out, and that would have failed under stable. */
  readonly failing: { readonly stable: number; readonly canary: number };
}

export const simulateWorld = (
  world: World,
  runs: number,
  seed: number,
  onProgress: (done: number) => void,
): WorldFigures => {
  const outcomes: Outcomes = { requests: 0, failed: 0, failedUnderStable: 0 };
  const source = trafficOf(world, seed, outcomes);
  const results: RunResult[] = [];
  for (let index = 1; index <= runs; index++) {
    results.push(run(source, world, seed * 1_000_003 + index));
    onProgress(index);
  }
  const { name, about, release, wanted, users } = world;
  const { missed: _, rate: __, ...figures } = figuresOf({ name, rate: 0, users, bounds: [] }, results);
  const requests = Math.max(1, outcomes.requests);
  const failing = { stable: outcomes.failedUnderStable / requests, canary: outcomes.failed / requests };
  return { ...figures, about, release, wanted, missed: misses(wanted, figures.ends), failing };
};

/** The aims of each wish, as shares of rollouts. */
const misses = (wanted: World["wanted"], ends: Figures["ends"]): boolean => {
  if (wanted === "caught") return ends["rolled-back"] < 0.99 || ends.promoted > 0.005;
  if (wanted === "held") return ends.promoted > 0.005;
  return ends["rolled-back"] > 0.01 || (wanted === "finished" && ends.promoted < 0.9);
};

export const worldReport = (all: readonly WorldFigures[]): string =>
  [
    table(
      ["world", "release", "wanted", "rolled back", "promoted", "paused", "exposed users", "failing requests", ""],
      all.map(({ name, release, wanted, ends, users, medianShare, failing, missed }) => [
        name,
        release,
        wanted,
        percent(ends["rolled-back"]),
        percent(ends.promoted),
        percent(ends.paused),
        Math.round(medianShare * users).toLocaleString("en"),
        `${percent(failing.stable)} → ${percent(failing.canary)}`,
        missed ? "missed" : "",
      ]),
    ),
    ...all.map(({ name, about }) => `${name}: ${about}`),
  ].join("\n");

const percent = (share: number): string => `${Number((share * 100).toFixed(1))} %`;
