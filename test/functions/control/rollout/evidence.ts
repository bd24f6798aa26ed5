/** Makes samples of requests, spread evenly over groups. */
import { binOf, type Group, groups, type Sample } from "../../../../functions/gateway/observability/samples.ts";

export interface SampleSpec {
  readonly requests: number;
  readonly errors?: number;
  readonly refusals?: number;
  readonly upstreamErrors?: number;
  readonly abandoned?: number;
  /** Factors of stable's latency: of all requests, of the faster nine tenths, and of the slowest twentieth. */
  readonly slower?: number;
  readonly head?: number;
  readonly tail?: number;
}

export const sample = ({ requests, slower = 1, head = 1, tail = 1, ...counts }: SampleSpec): Sample => ({
  cold: 0,
  groups: Object.fromEntries(
    Array.from({ length: groups }, (_, group): [string, Group] => [
      String(group),
      {
        requests: part(requests, group),
        errors: part(counts.errors ?? 0, group),
        refusals: part(counts.refusals ?? 0, group),
        upstreamErrors: part(counts.upstreamErrors ?? 0, group),
        abandoned: part(counts.abandoned ?? 0, group),
        latency: bins(
          part(requests, group),
          (quantile) => slower * (quantile < 0.9 ? head : quantile > 0.95 ? tail : 1),
        ),
      },
    ]),
  ),
});

/** Whole numbers by group with the right sum; 13 spreads small counts over all groups. */
const part = (count: number, group: number): number =>
  Math.floor(count / groups) + ((group * 13) % groups < count % groups ? 1 : 0);

/** Exponential above 20 ms: 99 % are below 158 ms. */
const bins = (requests: number, times: (quantile: number) => number): [number, number][] => {
  const counts = new Map<number, number>();
  for (let index = 0; index < requests; index++) {
    const quantile = (index + 0.5) / requests;
    const ms = (20 - 30 * Math.log(1 - quantile)) * times(quantile);
    counts.set(binOf(ms), (counts.get(binOf(ms)) ?? 0) + 1);
  }
  return [...counts].toSorted(([a], [b]) => a - b);
};
