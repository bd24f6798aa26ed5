/** Compares the results of a case with its expectations. */

import { isDeepStrictEqual } from "node:util";
import { parsed } from "../../functions/gateway/core/json.ts";
import { redact } from "../diagnostics/secret-literals.ts";
import type { CaseResults, ObservedResponse, Send, SendResult, UpstreamCall } from "./input/batch.ts";
import type { Comparison, ExpectedResponse, ExpectedServices } from "./input/language.ts";
import type { Case, CaseStep } from "./input/read.ts";

/** One mismatch between expectation and result. */
export interface Difference {
  /** What differs: `status`, `accounts saw x-customer`. */
  readonly of: string;
  readonly expected: string;
  readonly got: string;
}

export interface Failure {
  readonly case: string;
  readonly line: number;
  /** Number of the step, from 1, and the total. */
  readonly step: number;
  readonly steps: number;
  readonly request: string;
  readonly send: Send | undefined;
  readonly differences: readonly Difference[];
  readonly result: SendResult | undefined;
}

/** Compares the results of a step with the stored snapshot. */
export type CompareSnapshot = (name: string, step: CaseStep, result: readonly SendResult[]) => readonly Difference[];

export const evaluateCase = (
  it: Case,
  results: CaseResults | { readonly failed: string },
  sends: readonly (readonly Send[])[],
  compareSnapshot: CompareSnapshot,
): Failure[] => {
  const failure = (index: number, differences: readonly Difference[], send?: Send, result?: SendResult): Failure => ({
    case: it.it,
    line: it.steps[index]?.line ?? it.line,
    step: index + 1,
    steps: it.steps.length,
    request: send ? redact(describeRequest(send)) : "",
    send,
    differences: differences.map(({ of, expected, got }) => ({
      of,
      expected: redact(expected),
      got: redact(got),
    })),
    result,
  });
  if ("failed" in results)
    return [failure(0, [{ of: "the case", expected: "to be tried", got: results.failed.replace(/^Error: /, "") }])];
  return it.steps.flatMap((step, index) => {
    const result = results[index] ?? [];
    const own = result.flatMap((one, turn) => {
      const send = sends[index]?.[turn];
      const differences = [...responseDifferences(step, one), ...serviceDifferences(step.upstream, one)];
      return differences.length > 0 && send ? [failure(index, differences, send, one)] : [];
    });
    if (!wantsSnapshot(step)) return own;
    const changed = compareSnapshot(index === 0 ? it.it : `${it.it} (${index + 1})`, step, result);
    return changed.length > 0 ? [...own, failure(index, changed, sends[index]?.[0])] : own;
  });
};

const wantsSnapshot = ({ expect }: CaseStep): boolean => expect === "snapshot" || expect.snapshot === true;

const describeRequest = ({ method, url, repeat, everyMs, burst }: Send): string => {
  const { pathname, search } = new URL(url);
  const often = repeat > 1 ? `, ${repeat} times${everyMs > 0 ? `, ${burst} each ${everyMs}ms` : ""}` : "";
  return `${method} ${pathname}${search}${often}`;
};

const responseDifferences = ({ expect }: CaseStep, { answers }: SendResult): Difference[] => {
  if (expect === "snapshot") return [];
  const counted = expect.count ? countDifferences(expect.count, answers) : [];
  return [...counted, ...answers.flatMap((answer) => responseDifference(expect, answer))];
};

const countDifferences = (
  expected: Readonly<Record<string, number>>,
  answers: readonly ObservedResponse[],
): Difference[] => {
  const got: Record<string, number> = {};
  for (const { status, times } of answers) got[status] = (got[status] ?? 0) + times;
  const named = Object.fromEntries(Object.entries(expected).filter(([, count]) => count > 0));
  return isDeepStrictEqual(named, got) ? [] : [{ of: "count", expected: tally(named), got: tally(got) }];
};

const tally = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([status, count]) => `${count} × ${status}`)
    .join(", ");

const responseDifference = (expect: ExpectedResponse, answer: ObservedResponse): Difference[] => {
  const { status, code, by, route, filters, headers } = expect;
  return [
    ...compareValue("status", status, answer.status, answer.code ?? undefined),
    ...compareValue("code", code, answer.code ?? "none"),
    ...compareValue("by", by, answer.by ?? "nobody"),
    ...compareValue("route", route, answer.route || "none"),
    ...Object.entries(filters).flatMap(([id, verdict]) =>
      compareValue(id, verdict, formatDecision(id, verdict, answer)),
    ),
    ...headerDifferences("", headers, answer.headers),
    ...bodyDifferences("", expect, answer.body),
  ];
};

const compareValue = (
  of: string,
  expected: string | number | undefined,
  got: string | number,
  suffix?: string,
): Difference[] =>
  expected === undefined || expected === got
    ? []
    : [{ of, expected: String(expected), got: suffix === undefined ? String(got) : `${got} ${suffix}` }];

/** The verdict in the detail of the expectation: `refused`, or `refused token-missing`. A layer that was entered has passed. */
const formatDecision = (id: string, expected: string, { decisions, code, by }: ObservedResponse): string => {
  const decision = decisions.find((it) => it.id === id);
  if (!decision) return "not reached";
  if (decision.verdict === "entered")
    return by === id && code !== null ? formatVerdict("failed", code, expected) : "passed";
  return formatVerdict(decision.verdict, decision.code, expected);
};

const formatVerdict = (verdict: string, code: string | undefined, expected: string): string =>
  code !== undefined && expected.includes(" ") ? `${verdict} ${code}` : verdict;

const headerDifferences = (
  prefix: string,
  expected: Readonly<Record<string, Comparison>>,
  got: Readonly<Record<string, string>>,
): Difference[] =>
  Object.entries(expected).flatMap(([name, comparison]) =>
    matches(comparison, got[name])
      ? []
      : [{ of: `${prefix}${name}`, expected: formatComparison(comparison), got: got[name] ?? "absent" }],
  );

const matches = (comparison: Comparison, value: string | undefined): boolean => {
  if (comparison === "absent") return value === undefined;
  if (value === undefined) return false;
  if (comparison === "present") return true;
  if (typeof comparison === "string") return value === comparison;
  if ("exact" in comparison) return value === comparison.exact;
  if ("prefix" in comparison) return value.startsWith(comparison.prefix);
  return new RegExp(`^(?:${comparison.matches})$`).test(value);
};

const formatComparison = (comparison: Comparison): string =>
  typeof comparison === "string"
    ? comparison
    : Object.entries(comparison)
        .map(([how, value]) => `${how} ${value}`)
        .join();

const bodyDifferences = (
  prefix: string,
  { json, text }: Pick<ExpectedResponse, "json" | "text">,
  body: string,
): Difference[] => {
  if (text !== undefined) return text === body ? [] : [{ of: `${prefix}body`, expected: text, got: body }];
  if (json === undefined) return [];
  const got = parsed(body);
  if (contains(got, json)) return [];
  return [{ of: `${prefix}body`, expected: JSON.stringify(json), got: truncate(body) }];
};

/** Maps may have additional keys; lists have to have the same length. */
const contains = (got: unknown, expected: unknown): boolean => {
  if (Array.isArray(expected))
    return (
      Array.isArray(got) && got.length === expected.length && expected.every((it, index) => contains(got[index], it))
    );
  if (typeof expected !== "object" || expected === null) return isDeepStrictEqual(got, expected);
  if (typeof got !== "object" || got === null || Array.isArray(got)) return false;
  return Object.entries(expected).every(([key, it]) => contains((got as Record<string, unknown>)[key], it));
};

const truncate = (text: string): string => (text.length > 200 ? `${text.slice(0, 199)}…` : text) || "nothing";

const serviceDifferences = (expected: ExpectedServices | undefined, { seen, calls }: SendResult): Difference[] => {
  if (!expected) return [];
  const unexpected = Object.keys(calls).filter((name) => !Object.hasOwn(expected, name));
  return [
    ...unexpected.map((name) => ({ of: `${name} saw`, expected: "nothing", got: firstRequest(seen, name) })),
    ...Object.entries(expected).flatMap(([name, it]) => callDifferences(name, it, seen, calls[name] ?? 0)),
  ];
};

const callDifferences = (
  name: string,
  { sees, calls }: ExpectedServices[string],
  seen: readonly UpstreamCall[],
  callCount: number,
): Difference[] => {
  const of = `${name} saw`;
  if (sees === "nothing") return callCount === 0 ? [] : [{ of, expected: "nothing", got: firstRequest(seen, name) }];
  const request = typeof sees === "string" ? sees : sees?.request;
  if (callCount === 0) return [{ of, expected: request ?? "a request", got: "nothing" }];
  const each = seen.filter(({ upstream }) => upstream === name);
  const first = each.flatMap((it) => {
    const differences = [
      ...compareValue(of, request, `${it.method} ${it.target}`),
      ...(typeof sees === "object" ? headerDifferences(`${of} `, sees.headers, it.headers) : []),
      ...(typeof sees === "object" ? bodyDifferences(`${of} `, sees, it.body) : []),
    ];
    return differences.length > 0 ? [differences] : [];
  })[0];
  return [...compareValue(`${of}, calls`, calls, callCount), ...(first ?? [])];
};

const firstRequest = (seen: readonly UpstreamCall[], name: string): string => {
  const it = seen.find(({ upstream }) => upstream === name);
  return it ? `${it.method} ${it.target}` : "nothing";
};
