/** Causes of refused, failed and abandoned requests of one version: route, filter or upstream, and code. Bounded, so that a sample stays small. */
import { outcomeOf } from "../../../gateway/observability/outcome-of.ts";
import type { Series } from "../../../gateway/observability/report.ts";
import type { Tally } from "./tally.ts";

/** Requests that were refused, failed or were abandoned for the same cause. */
export interface Cause {
  readonly kind: "errors" | "refusals" | "clientErrors" | "abandoned";
  /** Empty if no route matched; `other` in the sum of what exceeds the bound. */
  readonly route: string;
  /** The filter, or the upstream that failed; empty for an answer of the service itself. */
  readonly by: string;
  /** The problem's code; empty for an answer of the service itself. */
  readonly code: string;
  readonly status: string;
  /** The upstream that was called last; empty if there was none. */
  readonly upstream: string;
  readonly count: number;
}

/** The code of requests that died without a report, as the tail or the front observed. */
export const diedCode = "died";

/** The code of failures of the front that the tail alone saw: it knows their statuses, and nothing of their users. */
export const unreportedCode = "unreported";

/** Whether nobody knows the users of such a failure. */
export const hasUnknownUsers = ({ code }: Pick<Cause, "code">): boolean => code === diedCode || code === unreportedCode;

const maxCauses = 40;
const kinds = 4;
const maxTextChars = 100;
const other = { route: "other", by: "", code: "", status: "", upstream: "" } as const;

/** What a gate's report contains of it. */
export const causesOf = (series: readonly Series[]): readonly Cause[] =>
  sumOfCauses(
    [],
    series.flatMap((it) => kindsOf(it).map((kind): Cause => ({ ...namesOf(it), kind, count: it.count }))),
  );

/** A fault is an error too. */
const kindsOf = (it: Series): readonly Cause["kind"][] => outcomeOf(it).filter((measure) => measure !== "faults");

const namesOf = ({
  route,
  by,
  code,
  status,
  upstream,
}: Omit<Cause, "kind" | "count">): Omit<Cause, "kind" | "count"> => ({
  route: route.slice(0, maxTextChars),
  by: by.slice(0, maxTextChars),
  code: code.slice(0, maxTextChars),
  status,
  upstream: upstream.slice(0, maxTextChars),
});

export const deathsAsCause = (count: number): readonly Cause[] =>
  count > 0 ? [{ ...other, route: "", kind: "errors", code: diedCode, count }] : [];

export const unreportedAsCauses = (counts: Readonly<Record<"errors" | "refusals", number>>): readonly Cause[] =>
  (["errors", "refusals"] as const)
    .filter((kind) => counts[kind] > 0)
    .map((kind) => ({ ...other, route: "", kind, code: unreportedCode, count: counts[kind] }));

/** Responses whose body failed after the headers: their series says nothing of it. */
export const bodiesAsCauses = (tallies: readonly Tally[]): readonly Cause[] =>
  tallies
    .filter(({ name, by }) => name === "bodies" && by > 0)
    .map(({ labels: { route = "", upstream = "", how = "" }, by }) => ({
      ...namesOf({ route, by: upstream, code: `body-${how}`, status: "", upstream }),
      kind: "errors",
      count: by,
    }));

/** The most frequent causes of both; the rest is one cause of the route `other`. */
export const sumOfCauses = (a: readonly Cause[] = [], b: readonly Cause[] = []): readonly Cause[] => {
  const all = new Map<string, Cause>();
  for (const it of [...a, ...b]) add(all, it);
  if (all.size <= maxCauses) return [...all.values()];
  const sorted = [...all.values()].toSorted((one, another) => another.count - one.count);
  // Each kind may need a cause for the rest.
  const kept = new Map(sorted.slice(0, maxCauses - kinds).map((it) => [keyOf(it), it]));
  for (const { kind, count } of sorted.slice(maxCauses - kinds)) add(kept, { ...other, kind, count });
  return [...kept.values()];
};

const add = (all: Map<string, Cause>, it: Cause): void => {
  const key = keyOf(it);
  const known = all.get(key);
  all.set(key, known ? { ...known, count: known.count + it.count } : it);
};

const keyOf = ({ kind, route, by, code, status, upstream }: Cause): string =>
  [kind, route, by, code, status, upstream].join("\n");
