/** Sums of samples. */
import type { Bins, Group, Sample } from "../../gateway/telemetry-samples.ts";

export const none: Sample = { groups: {}, cold: 0 };

export const sum = (a: Sample, b: Sample): Sample => {
  const groups: Record<string, Group> = { ...a.groups };
  for (const [key, group] of Object.entries(b.groups)) {
    const known = groups[key];
    groups[key] = known ? both(known, group) : group;
  }
  return { groups, cold: a.cold + b.cold };
};

const both = (a: Group, b: Group): Group => ({
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

/** What died without a word, put to groups one after the other, since nobody knows whose requests they were. */
export const deaths = (count: number, first: number, groups: number): Sample => {
  const all: Record<string, Group> = {};
  for (let index = 0; index < Math.min(count, groups); index++) {
    const share = Math.floor(count / groups) + (index < count % groups ? 1 : 0);
    all[(first + index) % groups] = {
      requests: share,
      errors: share,
      refusals: 0,
      upstreamErrors: 0,
      abandoned: 0,
      latency: [],
    };
  }
  return { groups: all, cold: 0 };
};
