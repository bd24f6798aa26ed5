/** All sentences of a verdict: what was measured, of what, against what, and what is missing. Clauses are separated by semicolons. */
import type { EvidenceNeeds, Finding, FindingCause, HitCount, Verdict } from "../model/finding.ts";
import type { Count } from "../stats/counts.ts";
import { diedCode, unreportedCode } from "../telemetry/causes.ts";
import type { QueryResult } from "../telemetry/prometheus-query.ts";
import { counted, duration, milliseconds, number, percent, points } from "./format.ts";

type FindingVerdict = Finding["verdict"];

const predicates = {
  errors: "failed",
  refusals: "were refused",
  upstreamErrors: "failed at an upstream",
  abandoned: "were abandoned by their clients",
  deaths: "died without an answer",
} as const satisfies Record<Count | "deaths", string>;

const isOrAre = (count: number, predicate: string): string =>
  count === 1 ? predicate.replace(/^were /, "was ").replace("their clients", "its client") : predicate;

/** What a rate's finding knows of it. */
export interface RateFacts {
  readonly verdict: FindingVerdict;
  readonly count: Count;
  readonly canary: HitCount;
  readonly stable: HitCount & { readonly rate: number };
  /** Bounds of the canary's rate minus stable's, and the tolerated difference. */
  readonly low: number;
  readonly high: number;
  readonly tolerate: number;
  readonly causes: readonly FindingCause[];
  readonly clients: number | null;
  /** Null if it does not pass at its present rates. */
  readonly needs: EvidenceNeeds | null | undefined;
}

export const rateText = ({ count, canary, stable, causes, clients, ...it }: RateFacts): string => {
  if (canary.requests === 0) return noRequest;
  return clauses(
    hitsText(count, canary) + causesText(causes, canary.hits) + clientsText(clients, canary.hits),
    stable.requests === 0 ? "stable had no request" : `stable ${percent(stable.rate)} of ${number(stable.requests)}`,
    differenceText(it, rateOf(canary) - stable.rate),
  );
};

const noRequest = "the new version has had no request";

const hitsText = (count: Count | "deaths", { hits, requests }: HitCount): string =>
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
  { verdict, low, high, tolerate, needs }: Pick<RateFacts, "verdict" | "low" | "high" | "tolerate" | "needs">,
  difference: number,
): string => {
  const tolerated = `${points(tolerate).split(" ")[0]} is tolerated`;
  if (verdict === "pass") return high <= 0 ? "not more than stable" : `at most ${points(high)} more, ${tolerated}`;
  if (verdict === "fail") {
    const more = low < 0.0001 ? "more than by chance" : `at least ${points(low)} more`;
    return low < tolerate ? `${more}, and ${points(tolerate)} cannot be excluded` : `${more}, ${tolerated}`;
  }
  if (needs === null) return `${points(Math.max(0, difference))} more, ${tolerated}: it does not pass at these rates`;
  return `up to ${points(high)} more is possible, ${tolerated}`;
};

/** @returns what a pass needs; empty if nothing is missing, or nobody knows */
const neededText = (needs: EvidenceNeeds | null | undefined): string => {
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
  /** Whether any split is old enough to be counted. */
  readonly settled: boolean;
  readonly settleMs: number;
}

export const ratioText = ({ verdict, reported, expected, all, settled, settleMs }: RatioFacts): string => {
  if (!settled) return `not judged in the first ${duration(settleMs)} after a new share`;
  if (all === 0) return "neither version has had a request";
  const summary = `the new version reported ${number(reported)} of ${counted(all, "request")}, ${number(expected)} are expected by its share`;
  return verdict === "fail" ? `${summary}: it crashes, hangs or cannot report` : summary;
};

export interface LatencyFacts {
  readonly verdict: FindingVerdict;
  readonly stable: number | null;
  readonly canary: number | null;
  readonly requests: number;
  /** Bounds of the ratio of the 99th percentiles. */
  readonly low: number | null;
  readonly high: number | null;
  /** Slower than tolerated elsewhere in the distribution. */
  readonly slower: boolean;
  readonly tolerate: number;
  readonly needs: EvidenceNeeds | null | undefined;
}

export const latencyText = (it: LatencyFacts): string => {
  const { canary, stable, requests } = it;
  if (canary === null) return "no successful request in a warm isolate, so no latency";
  return clauses(
    `99th percentile ${milliseconds(canary)} of ${counted(requests, "warm request")}`,
    stable === null ? "stable has none" : `stable ${milliseconds(stable)}`,
    slownessText(it),
  );
};

const slownessText = ({ verdict, low, high, slower, tolerate, needs, canary, stable }: LatencyFacts): string => {
  const tolerated = `${percent(tolerate)} is tolerated`;
  if (verdict === "pass" && high !== null)
    return high < 1 ? `at least ${percent(1 - high)} faster` : `at most ${percent(high - 1)} slower, ${tolerated}`;
  if (verdict === "fail" && low !== null && low > 1) return `at least ${percent(low - 1)} slower, ${tolerated}`;
  if (verdict === "fail")
    return slower ? `elsewhere in the distribution more than ${percent(tolerate)} slower` : "slower, and not by chance";
  if (needs === null && canary !== null && stable !== null && canary >= stable * (1 + tolerate))
    return `${percent(canary / stable - 1)} slower, ${tolerated}: it does not pass at these latencies`;
  const possible = high === null ? "too few for a bound" : `up to ${percent(Math.max(0, high - 1))} slower is possible`;
  return `${possible}, ${tolerated}`;
};

export interface LimitFacts {
  readonly verdict: FindingVerdict;
  readonly count: Count | "p99" | "deaths";
  /** Hits of a count; for `p99` the percentile in milliseconds, if known. */
  readonly value: number | null;
  readonly requests: number;
  readonly limit: number;
}

export const limitText = ({ verdict, count, value, requests, limit }: LimitFacts): string => {
  const open = verdict === "not-enough" ? ["too few to exclude more"] : [];
  if (count === "p99") {
    const measured =
      value === null
        ? "no successful request in a warm isolate"
        : `99th percentile ${milliseconds(value)} of ${counted(requests, "warm request")}`;
    return clauses(measured, `the limit is ${milliseconds(limit)}`, ...open);
  }
  const measured = requests === 0 ? noRequest : hitsText(count, { hits: value ?? 0, requests });
  const bound = count === "deaths" ? `${percent(limit)} is tolerated` : `the limit is ${percent(limit)}`;
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

const clauses = (...all: readonly string[]): string => all.filter(Boolean).join("; ");

const rateOf = ({ hits, requests }: HitCount): number => (requests > 0 ? hits / requests : 0);

/** The criterion's name for people. */
export const criterionName = ({ criterion, query }: Pick<Finding, "criterion" | "query">): string =>
  query ? `query ${query.name}` : criterion.replaceAll("-", " ");

/** Why the new version failed: the first failing criterion in full, the others by name. */
export const failureText = ({ findings }: Verdict): string => {
  const [first, ...others] = findings.filter(({ verdict }) => verdict === "fail");
  if (!first) return "the verdict is a failure";
  return clauses(first.why, others.length === 0 ? "" : `also failing: ${namesOf(others)}`);
};

/** What keeps the rollout from the next step. It changes only with the criteria, not with their figures. */
export const waitingText = (verdict: Verdict | null): string => {
  const names = openNames(verdict);
  return `the bake is over, but there is not enough evidence yet${names ? ` about ${names}` : ""}`;
};

/** Why there is no verdict. @param ms how long the step has lasted */
export const timeoutText = (verdict: Verdict | null, ms: number, share: number): string => {
  const begin = `not enough evidence after ${duration(ms)} at ${share} %`;
  const never = openOf(verdict).find(({ needs }) => needs === null);
  if (never) return `${begin}: ${never.why}`;
  const names = openNames(verdict);
  return clauses(begin, neededText(mostNeeded(verdict)), names && `open: ${names}`);
};

const openNames = (verdict: Verdict | null): string => {
  const open = openOf(verdict);
  return open.length > 1 && open.length === verdict?.findings.length ? "every criterion" : namesOf(open);
};

/** The criterion that needs most decides when a verdict can pass. Null if one does not pass at its present rates. */
export const mostNeeded = (verdict: Verdict | null): EvidenceNeeds | null | undefined => {
  const all = openOf(verdict).map(({ needs }) => needs);
  if (all.includes(null)) return null;
  return all.toSorted((a, b) => (b?.requests ?? -1) - (a?.requests ?? -1))[0];
};

const openOf = (verdict: Verdict | null): readonly Finding[] =>
  (verdict?.findings ?? []).filter((it) => it.verdict === "not-enough");

const namesOf = (findings: readonly Finding[]): string => [...new Set(findings.map(criterionName))].join(", ");
