/** The figures of many rollouts of one world, and whether they are what is wanted. */
import type { ChunkResult } from "./chunk.ts";
import { type RolloutEnd, type RunResult, rolloutEnds } from "./rollout.ts";
import type { Scenario } from "./worlds/scenarios.ts";
import type { World } from "./worlds/world.ts";

export interface Figures extends Pick<World, "name" | "about" | "harm" | "wanted"> {
  readonly runs: number;
  /** Requests a second. */
  readonly rate: number;
  readonly clients: number;
  /** Shares of rollouts. */
  readonly ends: Readonly<Record<RolloutEnd, number>>;
  /** By the largest share of users that the canary had. */
  readonly shares: readonly { readonly share: number; readonly rollouts: number }[];
  readonly medianShare: number;
  readonly medianSeconds: number;
  /** Nineteen in twenty took no longer. */
  readonly mostSeconds: number;
  readonly medianRequests: number;
  /** How often a criterion failed, or was what a paused rollout waited for. */
  readonly criteria: Readonly<Record<string, number>>;
  /** Shares of the new version's requests that failed, attackers' left out, and that would have failed under stable. */
  readonly failing: { readonly stable: number; readonly canary: number };
  /** What was wanted and missed, as sentences. */
  readonly missed: readonly string[];
}

export const figuresOf = (world: World | Scenario, chunks: readonly ChunkResult[]): Figures => {
  const results = chunks.flatMap((it) => it.results);
  const { name, about, harm, wanted, clients, parts } = world;
  const part = (end: RolloutEnd) => results.filter((it) => it.end === end).length / results.length;
  const ends = Object.fromEntries(rolloutEnds.map((it) => [it, part(it)])) as Figures["ends"];
  const seconds = sorted(results.map(({ took }) => took));
  const shares = sorted([...new Set(results.map(({ share }) => share))]);
  const sum = (read: (it: ChunkResult["harm"]) => number) => chunks.reduce((all, it) => all + read(it.harm), 0);
  const requests = Math.max(
    1,
    sum((it) => it.requests),
  );
  return {
    ...{ name, about, harm, wanted, ends },
    runs: results.length,
    rate: parts.reduce((all, it) => all + it.rate, 0),
    clients: clients.clients,
    shares: shares.map((share) => ({ share, rollouts: results.filter((it) => it.share === share).length })),
    medianShare: at(sorted(results.map(({ share }) => share)), 0.5),
    medianSeconds: at(seconds, 0.5),
    mostSeconds: at(seconds, 0.95),
    medianRequests: at(sorted(results.map(({ exposed }) => exposed)), 0.5),
    criteria: criteriaOf(results),
    failing: {
      stable: sum((it) => it.failedUnderStable) / requests,
      canary: sum((it) => it.failed) / requests,
    },
    missed: missedOf(world, ends, results),
  };
};

const criteriaOf = (results: readonly RunResult[]): Figures["criteria"] => {
  const counts: Record<string, number> = {};
  for (const { end, criteria } of results)
    if (end !== "promoted") for (const it of criteria) counts[it] = (counts[it] ?? 0) + 1;
  return counts;
};

/** The aims of each wish, as shares of rollouts. A scenario has bounds of its own. */
const missedOf = (world: World | Scenario, ends: Figures["ends"], results: readonly RunResult[]): string[] => {
  const bounds = "bounds" in world ? world.bounds : boundsOf(world);
  const missed = bounds.flatMap(({ end, least = 0, most = 1 }) =>
    ends[end] < least || ends[end] > most
      ? [`${world.name}: ${percent(ends[end])} ${end}, where ${percent(least)} to ${percent(most)} is wanted`]
      : [],
  );
  const { withinMinutes } = world;
  const inTime = results.filter(({ end, took }) => end === "promoted" && took <= 60 * (withinMinutes ?? 0)).length;
  const share = inTime / results.length;
  return withinMinutes !== undefined && share < leastFinished
    ? [...missed, `${world.name}: ${percent(share)} promoted within ${withinMinutes} min, where 90 % is wanted`]
    : missed;
};

const leastFinished = 0.9;

const boundsOf = ({ wanted }: World): Scenario["bounds"] =>
  ({
    kept: [{ end: "rolled-back", most: 0.01 }] as const,
    finished: [
      { end: "rolled-back", most: 0.01 },
      { end: "promoted", least: leastFinished },
    ] as const,
    caught: [
      { end: "rolled-back", least: 0.99 },
      { end: "promoted", most: 0.005 },
    ] as const,
    held: [{ end: "promoted", most: 0.005 }] as const,
    open: [],
  })[wanted];

const percent = (share: number): string => `${Number((share * 100).toFixed(2))} %`;
const sorted = (numbers: readonly number[]): number[] => numbers.toSorted((a, b) => a - b);
const at = (numbers: readonly number[], quantile: number): number =>
  numbers[Math.min(numbers.length - 1, Math.floor(numbers.length * quantile))] ?? 0;
