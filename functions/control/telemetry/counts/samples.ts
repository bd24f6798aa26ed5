/** Adds samples of requests, and makes samples of requests that died. */
import type { Bins, Group, Sample } from "../../../gateway/observability/samples.ts";
import { type Cause, sumOfCauses } from "./causes.ts";

/** A sample as stored: with the causes of what was refused, failed or abandoned. */
export interface StoredSample extends Sample {
  /** Absent if there are none, and in samples of an earlier release. */
  readonly causes?: readonly Cause[];
}

export const emptySample: StoredSample = { groups: {}, cold: 0 };

export const sumOfSamples = (a: StoredSample, b: StoredSample): StoredSample => {
  const groups: Record<string, Group> = { ...a.groups };
  for (const [key, group] of Object.entries(b.groups)) {
    const known = groups[key];
    groups[key] = known ? sumOfGroups(known, group) : group;
  }
  const causes = sumOfCauses(a.causes, b.causes);
  return { groups, cold: a.cold + b.cold, ...(causes.length > 0 && { causes }) };
};

const sumOfGroups = (a: Group, b: Group): Group => ({
  requests: a.requests + b.requests,
  errors: a.errors + b.errors,
  refusals: a.refusals + b.refusals,
  upstreamErrors: a.upstreamErrors + b.upstreamErrors,
  abandoned: a.abandoned + b.abandoned,
  latency: sumOfBins(a.latency, b.latency),
});

export const sumOfBins = (a: Bins, b: Bins): Bins => {
  const counts = new Map<number, number>(a);
  for (const [bin, count] of b) counts.set(bin, (counts.get(bin) ?? 0) + count);
  return [...counts].toSorted(([one], [other]) => one - other);
};

/** A sample of requests that died, spread evenly over groups, because their users are unknown. */
export const spreadDeaths = (count: number, first: number, groups: number): Sample =>
  spreadCounts({ ...noRequests, requests: count, errors: count }, first, groups);

/** A sample of requests whose users are unknown, spread evenly over groups. Kinds of failures meet in the same ones. */
export const spreadCounts = (counts: Omit<Group, "latency">, first: number, groups: number): Sample => {
  const shareOf = (count: number, index: number): number =>
    Math.floor(count / groups) + (index < count % groups ? 1 : 0);
  return {
    groups: Object.fromEntries(
      Array.from({ length: Math.min(counts.requests, groups) }, (_, index) => [
        (first + index) % groups,
        {
          requests: shareOf(counts.requests, index),
          errors: shareOf(counts.errors, index),
          refusals: shareOf(counts.refusals, index),
          upstreamErrors: shareOf(counts.upstreamErrors, index),
          abandoned: shareOf(counts.abandoned, index),
          latency: [],
        },
      ]),
    ),
    cold: 0,
  };
};

export const noRequests = { requests: 0, errors: 0, refusals: 0, upstreamErrors: 0, abandoned: 0 } as const;

/** @param groups the group of each request that died */
export const deathsIn = (groups: readonly number[]): Sample => ({
  groups: Object.fromEntries(
    [...Map.groupBy(groups, (it) => it)].map(([group, some]) => [group, deathGroup(some.length)]),
  ),
  cold: 0,
});

const deathGroup = (count: number): Group => ({
  requests: count,
  errors: count,
  refusals: 0,
  upstreamErrors: 0,
  abandoned: 0,
  latency: [],
});
