/**
 * What "slow" means on each route: three quantiles of the stable version's latencies before the stage began. They are
 * fixed then, so nothing that happens in the stage moves them.
 */
import { outcomeOf } from "../../../gateway/observability/outcome-of.ts";
import type { Series } from "../../../gateway/observability/report.ts";
import type { Bins } from "../../../gateway/observability/samples.ts";
import { sumOfBins } from "../counts/samples.ts";

/** The last bins that are not slow. */
export type Thresholds = readonly [q50: number, q90: number, q99: number];

export interface RouteThresholds {
  /** Routes that stable does not know, or hardly, are absent: they are not measured. */
  readonly routes: Readonly<Record<string, Thresholds>>;
  /** For all other routes: set where a version is one route. */
  readonly others?: Thresholds;
}

/** A quantile of fewer requests says little. */
const minRequests = 200;
const quantiles = [0.5, 0.9, 0.99] as const;
/** What exceeds the bounds of a report or of the store is summed under it, so it is no route. */
const overflow = "other";

export const thresholdsByRoute = (series: readonly Series[]): RouteThresholds["routes"] => {
  const all = new Map<string, Bins>();
  for (const it of series) {
    if (it.route === overflow || hasFailed(it)) continue;
    all.set(it.route, sumOfBins(all.get(it.route) ?? [], it.latency));
  }
  return Object.fromEntries(
    [...all].flatMap(([route, bins]) => {
      const found = thresholdsOf(bins);
      return found ? [[route, found]] : [];
    }),
  );
};

/** @returns undefined if there are too few */
export const thresholdsOf = (bins: Bins): Thresholds | undefined => {
  const all = bins.reduce((sum, [, count]) => sum + count, 0);
  if (all < minRequests) return undefined;
  const [q50, q90, q99] = quantiles.map((part) => quantile(bins, part * all));
  return [q50 ?? 0, q90 ?? 0, q99 ?? 0];
};

const hasFailed = (it: Series): boolean =>
  outcomeOf(it).some((measure) => measure === "errors" || measure === "abandoned");

const quantile = (bins: Bins, least: number): number => {
  let below = 0;
  for (const [bin, count] of bins) {
    below += count;
    if (below >= least) return bin;
  }
  return bins.at(-1)?.[0] ?? 0;
};

export const hasThresholds = ({ routes, others }: RouteThresholds): boolean =>
  others !== undefined || Object.keys(routes).length > 0;

export const thresholdsFor = (all: RouteThresholds, route: string): Thresholds | undefined =>
  Object.hasOwn(all.routes, route) ? all.routes[route] : all.others;
