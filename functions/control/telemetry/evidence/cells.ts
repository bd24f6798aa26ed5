/** What clusters met, as control counts it: cells of requests that started in one interval, whoever reported them. */
import { type Bins, type Group, maxBin, type Sample } from "../../../gateway/observability/samples.ts";
import { noRequests } from "../counts/samples.ts";

/** Requests that count alike. */
export interface CellKind {
  /** The route whose latencies they are measured by; null if their latency is not measured. */
  readonly route: string | null;
  /** A sum of `bits`. */
  readonly counts: number;
}

/** What a request counts for. They are stored, so a bit keeps its meaning. */
export const bits = {
  requests: 1,
  errors: 2,
  refusals: 4,
  clientErrors: 8,
  abandoned: 16,
  faults: 32,
  /** An error of an upstream, for display alone. */
  upstreamErrors: 64,
  /** Slower than any threshold: it failed, or nobody waited for its answer. */
  failed: 128,
} as const;

/** A kind is an index. The bin is -1 where the isolate was cold. */
export type StartedCell = readonly [kind: number, cluster: number, bin: number, count: number];

/** Requests that started in one interval. */
export interface StartedCells {
  /** Milliseconds since the epoch; null if the reporter does not know. */
  readonly at: number | null;
  /** Of so many clusters one is counted: see `isCounted`. */
  readonly every: number;
  /** The clusters are groups of users, as gates of an earlier release number them. */
  readonly groups?: true;
  readonly kinds: readonly CellKind[];
  readonly cells: readonly StartedCell[];
}

export const hasBit = (counts: number, bit: keyof typeof bits): boolean => (counts & bits[bit]) !== 0;

/** The totals of cells, for display: as one group, since nobody compares users by it. Clusters that were left out are estimated. */
export const sampleOfCells = ({ kinds, cells, every }: Pick<StartedCells, "kinds" | "cells" | "every">): Sample => {
  const group: { -readonly [K in keyof typeof noRequests]: number } = { ...noRequests };
  const latency = new Map<number, number>();
  let cold = 0;
  for (const [index, , bin, counted] of cells) {
    const count = counted * every;
    const { counts } = kinds[index] ?? noKind;
    for (const key of totals) if (hasBit(counts, key)) group[key] += count;
    if (bin < 0 && hasBit(counts, "requests")) cold += count;
    if (bin >= 0 && (counts & ~bits.requests) === 0) {
      const within = Math.min(bin, maxBin);
      latency.set(within, (latency.get(within) ?? 0) + count);
    }
  }
  const bins: Bins = [...latency].toSorted(([a], [b]) => a - b);
  return sampleOfTotals({ ...group, latency: bins }, cold);
};

export const sampleOfTotals = (it: Group, cold = 0): Sample => ({ groups: { "0": it }, cold });

const noKind: CellKind = { route: null, counts: 0 };
const totals = Object.keys(noRequests) as (keyof typeof noRequests)[];
