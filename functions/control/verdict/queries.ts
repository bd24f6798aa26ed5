/** Findings of the release's own queries: a Prometheus value against a bound. One evaluation proves nothing, so a failure takes three in a row. */
import { milliseconds } from "../../gateway/core/quantities.ts";
import type { Query } from "../model/criteria.ts";
import type { Finding } from "../model/finding.ts";
import type { Rollout } from "../model/rollout.ts";
import type { QueryResult } from "../telemetry/prometheus-query.ts";
import { queryText } from "./verdict-text.ts";

/** Consecutive violations that make a failure. An evaluation without a value neither counts nor resets. */
const maxInRow = 3;

/**
 * @param runQuery never throws
 * @returns one finding for each query; a query evaluated recently keeps its last finding
 */
export const evaluateQueries = (
  it: Pick<Rollout, "queries" | "verdict" | "stretches" | "subjects" | "tier">,
  runQuery: (promql: string) => Promise<QueryResult>,
  now: number,
): Promise<Finding[]> =>
  Promise.all(
    Object.entries(it.queries ?? {}).map(async ([name, query]) => {
      const last = it.verdict?.findings.find((finding) => finding.query?.name === name);
      const { at = Number.NEGATIVE_INFINITY, inRow = 0 } = last?.query ?? {};
      // A value from before the last step says nothing about this one.
      const since = it.stretches.at(-1)?.since ?? 0;
      if (last && at >= since && now - at < milliseconds(query.every)) return last;
      return findingOf(name, query, await runQuery(fillTemplate(query.query, it)), inRow, now);
    }),
  );

const fillTemplate = (query: string, { tier, subjects }: Pick<Rollout, "tier" | "subjects">): string => {
  const versions = (which: "canary" | "stable") => subjects.map((subject) => subject[which]).join("|");
  return query
    .replaceAll("{{tier}}", () => tier)
    .replaceAll("{{canary}}", () => versions("canary"))
    .replaceAll("{{stable}}", () => versions("stable"));
};

const findingOf = (
  name: string,
  { max, min }: Query,
  result: QueryResult,
  inRowBefore: number,
  now: number,
): Finding => {
  const value = "value" in result ? result.value : null;
  const over = value !== null && max !== undefined && value > max;
  const under = value !== null && min !== undefined && value < min;
  const inRow = value === null ? inRowBefore : over || under ? inRowBefore + 1 : 0;
  const verdict = inRow >= maxInRow ? "fail" : inRow > 0 || value === null ? "not-enough" : "pass";
  return {
    criterion: "query",
    verdict,
    stable: null,
    canary: value,
    low: null,
    high: null,
    tolerate: (under ? min : max) ?? min ?? null,
    query: { name, at: now, inRow },
    why: queryText({ name, result, min: under || max === undefined ? min : undefined, max, inRow, maxInRow }),
  };
};
