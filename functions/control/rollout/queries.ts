/** Own criteria: what a Prometheus says of the new version, against a bound. One look proves nothing, so it takes three in a row. */
import { milliseconds } from "../../gateway/core/quantities.ts";
import type { Query } from "../model/criteria.ts";
import type { Finding } from "../model/finding.ts";
import type { Rollout } from "../model/rollout.ts";
import type { QueryResult } from "../telemetry/prometheus-query.ts";

/** Out of bounds so often in a row is a failure. What gives no figure neither adds to that nor takes from it. */
const maxInRow = 3;

/**
 * @param runQuery never throws
 * @returns one finding for each query; those asked a moment ago, of the last verdict
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
      // What was told before the last step says nothing about this one.
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
  const bound = under ? `${min} is the least` : max === undefined ? `${min} is the least` : `${max} is the most`;
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
    why: `query ${name}: ${"none" in result ? result.none : `${result.value} where ${bound}`}${inRow > 0 ? `; out of bounds ${inRow} of ${maxInRow} times in a row` : ""}`,
  };
};
