/** The sentences of findings: what was measured, of what, against what, and what is missing. Clauses are separated by semicolons. */
import { clusterName } from "../../gateway/observability/clusters.ts";
import type { EvidenceNeeds, Finding, FindingCause, HitCluster, HitCount } from "../model/finding.ts";
import { diedCode, unreportedCode } from "../telemetry/counts/causes.ts";
import type { QueryResult } from "../telemetry/prometheus-query.ts";
import { minUnits, type RateCount } from "./context.ts";
import { counted, duration, milliseconds, number, percent, points } from "./format.ts";

type FindingVerdict = Finding["verdict"];

const predicates = {
  errors: "failed",
  refusals: "were refused",
  clientErrors: "were answered with 4xx by the service",
  abandoned: "were abandoned by their clients",
  faults: "died, or failed in the gate itself",
} as const satisfies Record<RateCount | "faults", string>;

const isOrAre = (count: number, predicate: string): string =>
  count === 1 ? predicate.replace(/^were /, "was ").replace("their clients", "its client") : predicate;

/** What a rate's finding knows of it. */
export interface RateFacts {
  readonly verdict: FindingVerdict;
  readonly count: RateCount | "faults";
  readonly canary: HitCount;
  readonly stable: HitCount;
  /** Bounds of the canary's rate minus stable's, and the tolerated difference; null if none is tolerated. */
  readonly low: number;
  readonly high: number;
  readonly tolerate: number | null;
  readonly causes: readonly FindingCause[];
  readonly clients: number | null;
  /** Those with most hits. */
  readonly clusters: readonly HitCluster[];
  /** Clusters of clients with the new version, and requests that were dealt for themselves. */
  readonly units: number;
  /** Null if it does not pass at its present rates. */
  readonly needs: EvidenceNeeds | null | undefined;
}

export const rateText = ({ count, canary, stable, causes, clients, clusters, tolerate, ...it }: RateFacts): string => {
  if (canary.requests === 0) return noRequest;
  return clauses(
    hitsText(count, canary) + causesText(causes, canary.hits) + clientsText(clients, canary.hits),
    stable.requests === 0 ? "stable had no request" : `stable ${percent(rateOf(stable))} of ${number(stable.requests)}`,
    tolerate === null ? "" : differenceText({ ...it, tolerate }, rateOf(canary) - rateOf(stable)),
    it.verdict === "hold" ? causedByClients(clusters) : "",
  );
};

/** Why harm is no reason to roll back. */
const causedByClients = (clusters: readonly HitCluster[]): string =>
  `clients that nobody authenticated can cause this, so a person decides${namedText(clusters)}`;

const namedText = (clusters: readonly HitCluster[]): string =>
  clusters.length === 0
    ? ""
    : ` (most from ${clusters.map(({ cluster }) => `\`${clusterName(cluster)}\``).join(", ")}: \`cluster\` in the access log)`;

const noRequest = "the new version has had no request";

const hitsText = (count: RateCount | "faults", { hits, requests }: HitCount): string =>
  hits === 0
    ? `none of ${counted(requests, "request")} ${isOrAre(1, predicates[count])}`
    : `${number(hits)} of ${counted(requests, "request")} ${isOrAre(hits, predicates[count])} (${percent(hits / requests)})`;

const maxNamed = 3;

const causesText = (all: readonly FindingCause[], hits: number): string => {
  const causes = all.slice(0, maxNamed);
  const [first] = causes;
  if (!first) return "";
  if (first.canary >= hits) return hits === 1 ? `: ${causeText(first)}` : `: all ${causeText(first)}`;
  const rest = hits - causes.reduce((sum, { canary }) => sum + canary, 0);
  const named = causes.map((it) => `${number(it.canary)} ${causeText(it)}`);
  return `: ${[...named, ...(rest > 0 ? [`${number(rest)} ${rest === 1 ? "other" : "others"}`] : [])].join(", ")}`;
};

/** @returns such as `rate-limited` on `open/rates` by `limit` */
const causeText = ({ route, by, code }: FindingCause): string => {
  const where = route.includes("/") ? `on \`${route}\`` : `in \`${route}\`, where no route matched`;
  if (route.endsWith("/other") && code === "") return "of other causes";
  if (code === diedCode) return "died without an answer";
  if (code === unreportedCode) return "seen by the tail alone";
  if (code === "499") return `${where}${by ? ` (\`${by}\`)` : ""}`;
  if (/^\d+$/.test(code)) return `${code} ${by ? `from \`${by}\` ` : ""}${where}`;
  return `\`${code}\` ${where}${by ? ` by \`${by}\`` : ""}`;
};

const clientsText = (clients: number | null, hits: number): string => {
  if (clients === null || hits < 2) return "";
  return clients === 1 ? ", perhaps all from one client" : `, from at least ${counted(clients, "client")}`;
};

const differenceText = (
  {
    verdict,
    low,
    high,
    tolerate,
    needs,
    units,
  }: Pick<RateFacts, "verdict" | "low" | "high" | "needs" | "units"> & { readonly tolerate: number },
  difference: number,
): string => {
  const tolerated = `${points(tolerate).split(" ")[0]} is tolerated`;
  if (verdict === "pass") return high <= 0 ? "not more than stable" : `at most ${points(high)} more, ${tolerated}`;
  if (verdict === "fail" || verdict === "hold") {
    const more = low < 0.0001 ? "more than by chance" : `at least ${points(low)} more`;
    return low < tolerate ? `${more}, and ${points(tolerate)} cannot be excluded` : `${more}, ${tolerated}`;
  }
  if (units > 0 && units < minUnits)
    return `${number(units)} of the ${minUnits} clients that a pass needs (or requests without a key)`;
  if (needs === null) return `${points(Math.max(0, difference))} more, ${tolerated}: it does not pass at these rates`;
  return `up to ${points(high)} more is possible, ${tolerated}`;
};

/** @returns what a pass needs; empty if nothing is missing, or nobody knows */
export const neededText = (needs: EvidenceNeeds | null | undefined): string => {
  if (!needs) return "";
  const more = `a pass needs about ${number(needs.requests)} more requests`;
  return needs.ms === null ? `${more}, and none arrive` : `${more}, ${duration(needs.ms)} at the present rate`;
};

/** A finding in full, while the rollout goes on: also how much evidence is missing. */
export const findingText = ({ why, verdict, needs }: Finding): string =>
  verdict === "not-enough" ? clauses(why, neededText(needs)) : why;

export interface RatioFacts {
  readonly verdict: FindingVerdict;
  readonly reported: number;
  readonly expected: number;
  readonly all: number;
  /** The new version's requests as a part of those expected, without the excess of the busiest clients. */
  readonly part: number | undefined;
  /** The tail saw them, so the reports are missing and not the requests. */
  readonly witnessed: boolean;
  /** Whether any split is old enough to be counted. */
  readonly settled: boolean;
  readonly settleMs: number;
}

export const ratioText = (it: RatioFacts): string => {
  const { verdict, reported, expected, all, part = 1, witnessed, settled, settleMs } = it;
  if (!settled) return `not judged in the first ${duration(settleMs)} after a new share`;
  if (all === 0) return "neither version has had a request";
  const summary = `the new version reported ${number(reported)} of ${counted(all, "request")}, ${number(expected)} are expected by its share`;
  if (verdict === "fail") return `${summary}: it crashes, hangs or cannot report`;
  if (verdict !== "hold") return summary;
  if (part > 1) return `${summary}: it gets requests that are not its users'`;
  return witnessed
    ? `${summary}: its reports are missing, and the tail saw its requests`
    : `${summary}: requests are missing, or its clients send fewer`;
};

export interface LatencyFacts {
  readonly verdict: FindingVerdict;
  /** 99th percentiles, in milliseconds. */
  readonly stable: number | null;
  readonly canary: number | null;
  /** Measured requests of the new version. */
  readonly requests: number;
  /** Shares of them that are slower than the 99th percentile of stable's past, for the new version after what is tolerated. */
  readonly shares: { readonly stable: number; readonly canary: number } | undefined;
  /** Bounds of their difference. */
  readonly low: number;
  readonly high: number;
  readonly tolerate: number;
  readonly clusters: readonly HitCluster[];
  readonly needs: EvidenceNeeds | null | undefined;
}

export const latencyText = (it: LatencyFacts): string => {
  const { canary, stable, requests, verdict, clusters } = it;
  if (requests === 0) return "no request yet whose latency can be compared";
  return clauses(
    canary === null ? "no successful request in a warm isolate" : `99th percentile ${milliseconds(canary)}`,
    stable === null ? "stable has none" : `stable ${milliseconds(stable)}`,
    slownessText(it),
    verdict === "hold" ? causedByClients(clusters) : "",
  );
};

const slownessText = ({ verdict, requests, shares, high, tolerate, needs }: LatencyFacts): string => {
  const compared = shares
    ? `${percent(shares.canary)} of ${counted(requests, "request")} take ${percent(tolerate)} longer than 99 % did before on their route; of stable's, ${percent(shares.stable)} take longer`
    : `of ${counted(requests, "request")}`;
  if (verdict === "pass") return compared;
  if (verdict === "fail" || verdict === "hold") return `${compared}: slower, and not by chance`;
  if (needs === null && shares && shares.canary >= shares.stable)
    return `${compared}: it does not pass at these latencies`;
  return `${compared}; up to ${points(Math.max(0, high))} more is possible`;
};

export interface LimitFacts {
  readonly verdict: FindingVerdict;
  readonly count: RateCount | "faults" | "p99";
  /** Hits of a count; for `p99` the percentile in milliseconds, if known. */
  readonly value: number | null;
  readonly requests: number;
  readonly limit: number;
  readonly clusters: readonly HitCluster[];
}

export const limitText = ({ verdict, count, value, requests, limit, clusters }: LimitFacts): string => {
  const open =
    verdict === "hold" ? [causedByClients(clusters)] : verdict === "not-enough" ? ["too few to exclude more"] : [];
  if (count === "p99") {
    const measured =
      value === null
        ? "no successful request in a warm isolate"
        : `99th percentile ${milliseconds(value)} of ${counted(requests, "warm request")}`;
    return clauses(measured, `the limit is ${milliseconds(limit)}`, ...open);
  }
  const measured = requests === 0 ? noRequest : hitsText(count, { hits: value ?? 0, requests });
  const bound = count === "faults" ? `${percent(limit)} is tolerated` : `the limit is ${percent(limit)}`;
  return clauses(measured, bound, ...open);
};

export interface QueryFacts {
  readonly name: string;
  readonly result: QueryResult;
  /** The bound that counts: the minimum, if it is given. */
  readonly min: number | undefined;
  readonly max: number | undefined;
  /** How often in a row it was out of bounds, and how often is a failure. */
  readonly inRow: number;
  readonly maxInRow: number;
}

export const queryText = ({ name, result, min, max, inRow, maxInRow }: QueryFacts): string => {
  const bound = min === undefined ? `${max} is the maximum` : `${min} is the minimum`;
  return clauses(
    `query ${name}: ${"none" in result ? result.none : `${result.value} where ${bound}`}`,
    inRow > 0 ? `out of bounds ${inRow} of ${maxInRow} times in a row` : "",
  );
};

export const clauses = (...all: readonly string[]): string => all.filter(Boolean).join("; ");

const rateOf = ({ hits, requests }: HitCount): number => (requests > 0 ? hits / requests : 0);
