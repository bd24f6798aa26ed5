/** Compares what a case expects with what came of it. */

import { isDeepStrictEqual } from "node:util";
import { parsed } from "../../functions/gateway/core/json.ts";
import { redacted } from "../diagnostics/secret-literals.ts";
import type { Answer, Heard, Seen, Send, Told } from "./input/batch.ts";
import type { Comparison, Expected, Services } from "./input/language.ts";
import type { Case, CaseStep } from "./input/read.ts";

/** One thing that is not as it should be. */
export interface Difference {
  /** Where in the conversation: `status`, `accounts saw x-customer`. */
  readonly of: string;
  readonly expected: string;
  readonly got: string;
}

export interface Failure {
  readonly case: string;
  readonly line: number;
  /** Of the step, from 1, and how many there are. */
  readonly step: number;
  readonly steps: number;
  readonly request: string;
  readonly send: Send | undefined;
  readonly differences: readonly Difference[];
  readonly heard: Heard | undefined;
}

/** What a conversation was before, where it is compared with that. */
export type Recall = (name: string, step: CaseStep, heard: readonly Heard[]) => readonly Difference[];

export const judge = (
  it: Case,
  told: Told | { readonly failed: string },
  sends: readonly (readonly Send[])[],
  recall: Recall,
): Failure[] => {
  const failure = (index: number, differences: readonly Difference[], send?: Send, heard?: Heard): Failure => ({
    case: it.it,
    line: it.steps[index]?.line ?? it.line,
    step: index + 1,
    steps: it.steps.length,
    request: send ? redacted(requestOf(send)) : "",
    send,
    differences: differences.map(({ of, expected, got }) => ({
      of,
      expected: redacted(expected),
      got: redacted(got),
    })),
    heard,
  });
  if ("failed" in told)
    return [failure(0, [{ of: "the case", expected: "to be tried", got: told.failed.replace(/^Error: /, "") }])];
  return it.steps.flatMap((step, index) => {
    const heard = told[index] ?? [];
    const own = heard.flatMap((one, turn) => {
      const send = sends[index]?.[turn];
      const differences = [...answersDiffer(step, one), ...servicesDiffer(step.upstream, one)];
      return differences.length > 0 && send ? [failure(index, differences, send, one)] : [];
    });
    if (!asksSnapshot(step)) return own;
    const changed = recall(index === 0 ? it.it : `${it.it} (${index + 1})`, step, heard);
    return changed.length > 0 ? [...own, failure(index, changed, sends[index]?.[0])] : own;
  });
};

const asksSnapshot = ({ expect }: CaseStep): boolean => expect === "snapshot" || expect.snapshot === true;

const requestOf = ({ method, url, repeat, everyMs, burst }: Send): string => {
  const { pathname, search } = new URL(url);
  const often = repeat > 1 ? `, ${repeat} times${everyMs > 0 ? `, ${burst} each ${everyMs}ms` : ""}` : "";
  return `${method} ${pathname}${search}${often}`;
};

const answersDiffer = ({ expect }: CaseStep, { answers }: Heard): Difference[] => {
  if (expect === "snapshot") return [];
  const counted = expect.count ? countsDiffer(expect.count, answers) : [];
  return [...counted, ...answers.flatMap((answer) => answerDiffers(expect, answer))];
};

const countsDiffer = (wanted: Readonly<Record<string, number>>, answers: readonly Answer[]): Difference[] => {
  const got: Record<string, number> = {};
  for (const { status, times } of answers) got[status] = (got[status] ?? 0) + times;
  const named = Object.fromEntries(Object.entries(wanted).filter(([, many]) => many > 0));
  return isDeepStrictEqual(named, got) ? [] : [{ of: "count", expected: tally(named), got: tally(got) }];
};

const tally = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([status, many]) => `${many} × ${status}`)
    .join(", ");

const answerDiffers = (expect: Expected, answer: Answer): Difference[] => {
  const { status, code, by, route, filters, headers } = expect;
  return [
    ...plainly("status", status, answer.status, answer.code ?? undefined),
    ...plainly("code", code, answer.code ?? "none"),
    ...plainly("by", by, answer.by ?? "nobody"),
    ...plainly("route", route, answer.route || "none"),
    ...Object.entries(filters).flatMap(([id, verdict]) => plainly(id, verdict, verdictOf(id, verdict, answer))),
    ...headersDiffer("", headers, answer.headers),
    ...bodyDiffers("", expect, answer.body),
  ];
};

const plainly = (
  of: string,
  expected: string | number | undefined,
  got: string | number,
  beside?: string,
): Difference[] =>
  expected === undefined || expected === got
    ? []
    : [{ of, expected: String(expected), got: beside === undefined ? String(got) : `${got} ${beside}` }];

/** As much of the verdict as was written: `refused`, or `refused token-missing`. A layer that was entered has passed. */
const verdictOf = (id: string, wanted: string, { decisions, code, by }: Answer): string => {
  const decision = decisions.find((it) => it.id === id);
  if (!decision) return "not reached";
  if (decision.verdict === "entered") return by === id && code !== null ? shown("failed", code, wanted) : "passed";
  return shown(decision.verdict, decision.code, wanted);
};

const shown = (verdict: string, code: string | undefined, wanted: string): string =>
  code !== undefined && wanted.includes(" ") ? `${verdict} ${code}` : verdict;

const headersDiffer = (
  whose: string,
  wanted: Readonly<Record<string, Comparison>>,
  got: Readonly<Record<string, string>>,
): Difference[] =>
  Object.entries(wanted).flatMap(([name, comparison]) =>
    fits(comparison, got[name])
      ? []
      : [{ of: `${whose}${name}`, expected: written(comparison), got: got[name] ?? "absent" }],
  );

const fits = (comparison: Comparison, value: string | undefined): boolean => {
  if (comparison === "absent") return value === undefined;
  if (value === undefined) return false;
  if (comparison === "present") return true;
  if (typeof comparison === "string") return value === comparison;
  if ("exact" in comparison) return value === comparison.exact;
  if ("prefix" in comparison) return value.startsWith(comparison.prefix);
  return new RegExp(`^(?:${comparison.matches})$`).test(value);
};

const written = (comparison: Comparison): string =>
  typeof comparison === "string"
    ? comparison
    : Object.entries(comparison)
        .map(([how, value]) => `${how} ${value}`)
        .join();

const bodyDiffers = (whose: string, { json, text }: Pick<Expected, "json" | "text">, body: string): Difference[] => {
  if (text !== undefined) return text === body ? [] : [{ of: `${whose}body`, expected: text, got: body }];
  if (json === undefined) return [];
  const got = parsed(body);
  if (contains(got, json)) return [];
  return [{ of: `${whose}body`, expected: JSON.stringify(json), got: brief(body) }];
};

/** A map may have more keys than are named; a list is as long as it is written. */
const contains = (got: unknown, wanted: unknown): boolean => {
  if (Array.isArray(wanted))
    return Array.isArray(got) && got.length === wanted.length && wanted.every((it, index) => contains(got[index], it));
  if (typeof wanted !== "object" || wanted === null) return isDeepStrictEqual(got, wanted);
  if (typeof got !== "object" || got === null || Array.isArray(got)) return false;
  return Object.entries(wanted).every(([key, it]) => contains((got as Record<string, unknown>)[key], it));
};

const brief = (text: string): string => (text.length > 200 ? `${text.slice(0, 199)}…` : text) || "nothing";

const servicesDiffer = (wanted: Services | undefined, { seen, calls }: Heard): Difference[] => {
  if (!wanted) return [];
  const unasked = Object.keys(calls).filter((name) => !Object.hasOwn(wanted, name));
  return [
    ...unasked.map((name) => ({ of: `${name} saw`, expected: "nothing", got: requestSeen(seen, name) })),
    ...Object.entries(wanted).flatMap(([name, it]) => serviceDiffers(name, it, seen, calls[name] ?? 0)),
  ];
};

const serviceDiffers = (
  name: string,
  { sees, calls }: Services[string],
  seen: readonly Seen[],
  asked: number,
): Difference[] => {
  const of = `${name} saw`;
  if (sees === "nothing") return asked === 0 ? [] : [{ of, expected: "nothing", got: requestSeen(seen, name) }];
  const request = typeof sees === "string" ? sees : sees?.request;
  if (asked === 0) return [{ of, expected: request ?? "a request", got: "nothing" }];
  const each = seen.filter(({ upstream }) => upstream === name);
  const first = each.flatMap((it) => {
    const differences = [
      ...plainly(of, request, `${it.method} ${it.target}`),
      ...(typeof sees === "object" ? headersDiffer(`${of} `, sees.headers, it.headers) : []),
      ...(typeof sees === "object" ? bodyDiffers(`${of} `, sees, it.body) : []),
    ];
    return differences.length > 0 ? [differences] : [];
  })[0];
  return [...plainly(`${of}, calls`, calls, asked), ...(first ?? [])];
};

const requestSeen = (seen: readonly Seen[], name: string): string => {
  const it = seen.find(({ upstream }) => upstream === name);
  return it ? `${it.method} ${it.target}` : "nothing";
};
