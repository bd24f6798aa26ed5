/** Counts requests by the version of the front that they came through, so that releases of the front are measured. */
import type { Context, Outcome } from "../core/types.ts";
import { type CellsAt, type ClusterCounts, clusterCounts } from "./cells.ts";
import { frontClusterOf } from "./clusters.ts";
import type { OutcomeMeasure } from "./outcome-of.ts";

/**
 * What became of a request, by number. `error` and `upstream-error` are answers 5xx, `refused` is any 4xx: the tail sees statuses
 * alone, and cannot tell a service's own. The others occur only in reports of fronts: `fault` is a failure of the front itself, and
 * `forwarded` and `forwarded-failed` (5xx) are for the latency of requests that a gate answered and counts.
 */
export const frontOutcomes = [
  "ok",
  "error",
  "refused",
  "abandoned",
  "upstream-error",
  "forwarded",
  "forwarded-failed",
  "fault",
] as const;

export type FrontOutcome = (typeof frontOutcomes)[number];

export const frontOutcomeNumber = Object.fromEntries(frontOutcomes.map((it, number) => [it, number])) as Readonly<
  Record<FrontOutcome, number>
>;

/** The measures that an outcome counts for besides `requests`. */
export const measuresOfFrontOutcome = (outcome: number): readonly OutcomeMeasure[] =>
  byOutcome[frontOutcomes[outcome] ?? "ok"];

const byOutcome: Readonly<Record<FrontOutcome, readonly OutcomeMeasure[]>> = {
  ok: [],
  error: ["errors"],
  refused: ["refusals"],
  abandoned: ["abandoned"],
  "upstream-error": ["errors"],
  forwarded: [],
  "forwarded-failed": [],
  fault: ["errors", "faults"],
};

/** Requests of one cluster with the same outcome: a number of `frontOutcomes`. */
export type FrontCell = readonly [outcome: number, cluster: number, count: number];

/** Requests that came through one version of the front. Their latency is the front's to report. */
export interface FrontCounts {
  readonly version: string;
  /** Empty. Control of an earlier release requires it. */
  readonly groups: Readonly<Record<string, never>>;
  readonly cells: readonly CellsAt<FrontCell>[];
  /** Of the clusters that `cells` counts: see `isCounted`. */
  readonly every: number;
}

/** By version of the front. */
export type FrontTallies = Map<string, ClusterCounts>;

/** Versions of the front at a time: two, and while one replaces the other, a third. */
const maxFronts = 3;

/**
 * Counts a request if the platform chose the front's version.
 * @param started milliseconds since the epoch
 * @param cluster for the version of the gate
 */
export const countFront = (
  fronts: FrontTallies,
  started: number,
  cluster: number,
  status: number,
  context: Pick<Context, "caller" | "facts" | "outcome">,
): void => {
  const version = context.caller.frontVersion;
  if (version === undefined) return;
  let counts = fronts.get(version);
  if (!counts) {
    if (fronts.size >= maxFronts) return;
    counts = clusterCounts(frontOutcomes.length);
    fronts.set(version, counts);
  }
  const outcome = frontOutcomeNumber[frontOutcomeOf(status, context.outcome)];
  counts.add(started, frontClusterOf(context, cluster), outcome);
};

const frontOutcomeOf = (
  status: number,
  { verdict, upstreamMs }: Pick<Outcome, "verdict" | "upstreamMs">,
): FrontOutcome => {
  if (verdict === "left") return "abandoned";
  if (status >= 500) return upstreamMs === undefined ? "error" : "upstream-error";
  return status >= 400 ? "refused" : "ok";
};

export const frontCounts = (fronts: FrontTallies): FrontCounts[] =>
  [...fronts].map(([version, counts]) => ({
    version,
    groups: {},
    cells: counts.cells((outcome, cluster, count): FrontCell => [outcome, cluster, count]),
    every: counts.every(),
  }));
