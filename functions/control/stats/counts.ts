/** Counts of both versions by stage, as bets need them: divided by the design effect of clusters. */
import { type Group, groups, type Sample } from "../../gateway/observability/samples.ts";
import { designEffect, guard } from "./clusters.ts";

export type Count = "errors" | "refusals" | "upstreamErrors" | "abandoned";

/** Hits and requests of each group. */
export interface GroupCounts {
  readonly hits: Float64Array;
  readonly of: Float64Array;
}

/**
 * A request fails once. A body that breaks off is reported when it does, so a period may have the failure without its request,
 * and more failures than requests would be a rate beyond all bounds.
 */
export const groupCounts = (sample: Sample, count: Count): GroupCounts => {
  const hits = new Float64Array(groups);
  const of = new Float64Array(groups);
  forEachGroup(sample, (group, it) => {
    hits[group] = Math.min(it[count], it.requests);
    of[group] = it.requests;
  });
  return { hits, of };
};

export const requestsOf = (sample: Sample): Float64Array => {
  const requests = new Float64Array(groups);
  forEachGroup(sample, (group, it) => {
    requests[group] = it.requests;
  });
  return requests;
};

/** Ignores keys that name no group. */
export const forEachGroup = (sample: Sample, visit: (group: number, it: Group) => void): void => {
  for (let group = 0; group < groups; group++) {
    const it = sample.groups[group];
    if (it) visit(group, it);
  }
};

export const sum = (numbers: ArrayLike<number>): number => {
  let all = 0;
  for (let index = 0; index < numbers.length; index++) all += numbers[index] ?? 0;
  return all;
};

/**
 * One design effect for all stages: a user who fails in two stages is still one cluster.
 */
export const effectOf = (stages: readonly GroupCounts[]): number => {
  const expected = new Float64Array(groups);
  const hits = new Float64Array(groups);
  const of = new Float64Array(groups);
  let variance = 0;
  for (const stage of stages) {
    const all = sum(stage.of);
    if (all === 0) continue;
    const rate = sum(stage.hits) / all;
    variance += all * rate * (1 - rate);
    for (let group = 0; group < groups; group++) {
      const size = stage.of[group] ?? 0;
      hits[group] = (hits[group] ?? 0) + (stage.hits[group] ?? 0);
      expected[group] = (expected[group] ?? 0) + size * rate;
      of[group] = (of[group] ?? 0) + size;
    }
  }
  return designEffect({ hits, expected, of, variance });
};

/**
 * The design effect for the question which version a request went to. All requests of a user go to one version, so it is
 * the mean number of requests per user, weighted by itself; it is estimated from how unevenly groups are loaded.
 */
export const userEffect = (requests: Float64Array): number => {
  const all = sum(requests);
  if (all === 0) return 1;
  let squares = 0;
  for (let group = 0; group < groups; group++) squares += ((requests[group] ?? 0) - all / groups) ** 2;
  return Math.max(1, (squares / all) * guard(groups));
};

/**
 * Weights stable's counts so that each stage has the same part in them as in the canary's. Without this, a slow night at 1 %
 * would be compared with a fast morning at 50 %. No weight exceeds one, so weighted counts have no more variance than whole ones.
 */
export const weightsOf = (stages: readonly { readonly stable: number; readonly canary: number }[]): number[] => {
  const ratios = stages.map(({ stable, canary }) => (stable > 0 ? canary / stable : 0));
  const max = Math.max(...ratios, 0);
  return ratios.map((ratio) => (max > 0 ? ratio / max : 0));
};
