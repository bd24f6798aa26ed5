/** The traffic of a tier, as control has counted it: what a release is planned by. It knows no version's result. */
import { type OutcomeMeasure, outcomeOf } from "../../gateway/observability/outcome-of.ts";
import type { Series } from "../../gateway/observability/report.ts";
import type { Bins } from "../../gateway/observability/samples.ts";
import { indexOf } from "../stats/measures.ts";
import type { StageSummary } from "../stats/stage-summary.ts";
import { sumOfBins } from "../telemetry/counts/samples.ts";
import type { StoredSeries } from "../telemetry/store-tables.ts";

export interface TrafficEstimate {
  /** When counting began and ended, in milliseconds since the epoch. */
  readonly since: number;
  readonly until: number;
  readonly requestsPerSecond: number;
  /** Stable's hits per request. */
  readonly rates: TrafficRates;
  /** Of stable's successful requests. */
  readonly latency: Bins;
  /** Null if no rollout has counted them yet. */
  readonly clients: Clients | null;
}

export interface TrafficRates {
  readonly errors: number;
  readonly refusals: number;
  readonly clientErrors: number;
  readonly abandoned: number;
}

/** Who sends the requests. */
export interface Clients {
  /** Consumers, and networks of anonymous clients. */
  readonly clusters: number;
  /** The part of them that is authenticated. */
  readonly authenticated: number;
  /** The part of the requests that came without a key, and are dealt a version one by one. */
  readonly dealt: number;
}

/** Less says nothing about a week. */
const minimum = { ms: 10 * 60_000, requests: 100 };

/**
 * @param series of all versions, each with its sums since its first report; versions without a report for a day are gone
 * @param unproven versions that no rollout has promoted: their requests are traffic, and their results are not stable's
 * @returns null if too little was counted
 */
export const trafficOf = (
  series: readonly StoredSeries[],
  clients: Clients | null,
  unproven: ReadonlySet<string> = new Set(),
): TrafficEstimate | null => {
  if (series.length === 0) return null;
  const since = Math.min(...series.map((it) => it.since));
  const until = Math.max(...series.map((it) => it.heard));
  const all = totalOf(series, () => true);
  if (until - since < minimum.ms || all < minimum.requests) return null;
  const stable = series.filter(({ version }) => !unproven.has(version));
  const requests = totalOf(stable, () => true);
  const rate = (measure: OutcomeMeasure) =>
    requests > 0 ? totalOf(stable, (it) => outcomeOf(it).includes(measure)) / requests : 0;
  return {
    ...{ since, until, clients },
    requestsPerSecond: (all * 1000) / (until - since),
    rates: {
      errors: rate("errors"),
      refusals: rate("refusals"),
      clientErrors: rate("clientErrors"),
      abandoned: rate("abandoned"),
    },
    latency: stable
      .filter((it) => !outcomeOf(it).some((measure) => measure === "errors" || measure === "abandoned"))
      .map((it) => it.latency)
      .reduce(sumOfBins, []),
  };
};

const totalOf = (series: readonly Series[], isHit: (it: Series) => boolean): number =>
  series.reduce((sum, it) => sum + (isHit(it) ? it.count : 0), 0);

/**
 * The clients that a stage of an earlier rollout counted. Each had its first request once.
 * @returns null if it counted none
 */
export const clientsIn = (units: readonly StageSummary[]): Clients | null => {
  const sum = { clusters: 0, anonymous: 0, trusted: 0, requests: 0 };
  for (const { stable, canary, crossings } of units) {
    sum.clusters += stable.clusters + canary.clusters;
    sum.requests += (stable.totals[indexOf.requests] ?? 0) + (canary.totals[indexOf.requests] ?? 0);
    const first = crossings.find(
      ({ measure, level, window }) => measure === "requests" && level === 0 && window.from === 0,
    );
    sum.anonymous += first?.anonymous.all ?? 0;
    sum.trusted += first?.trusted.all ?? 0;
  }
  if (sum.requests === 0) return null;
  const authenticated = Math.max(0, sum.clusters - sum.anonymous);
  return {
    clusters: sum.clusters,
    authenticated: sum.clusters > 0 ? authenticated / sum.clusters : 0,
    dealt: Math.min(1, Math.max(0, sum.trusted - authenticated) / sum.requests),
  };
};
