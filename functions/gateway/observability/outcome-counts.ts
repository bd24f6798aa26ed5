/** Counts outcomes by group of users, also for each version of the front that requests came through. */
import type { Outcome } from "../core/types.ts";
import type { Group } from "./samples.ts";

/** Requests that came through one version of the front. Their latency is the front's to report. */
export interface FrontCounts {
  readonly version: string;
  readonly groups: Readonly<Record<string, OutcomeCounts>>;
}

type OutcomeCounts = Omit<Group, "latency">;
type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** By version of the front, then by group of users. */
export type FrontTallies = Map<string, Map<number, Mutable<OutcomeCounts>>>;

/** Versions of the front at a time: two, and while one replaces the other, a third. */
const maxFronts = 3;

/** Requests of one group of users, with their latency by bin. */
export type CountingGroup = Mutable<OutcomeCounts> & { readonly latency: Map<number, number> };

export const groupOf = (all: Map<number, CountingGroup>, key: number): CountingGroup => {
  const known = all.get(key);
  if (known) return known;
  const group = { ...noRequests(), latency: new Map() };
  all.set(key, group);
  return group;
};

const noRequests = (): Mutable<OutcomeCounts> => ({
  requests: 0,
  errors: 0,
  refusals: 0,
  upstreamErrors: 0,
  abandoned: 0,
});

export const countOutcome = (
  group: Mutable<OutcomeCounts>,
  status: number,
  { verdict, upstreamMs }: Pick<Outcome, "verdict" | "upstreamMs">,
): void => {
  const failed = status >= 500;
  group.requests++;
  if (failed) group.errors++;
  if (failed && upstreamMs !== undefined) group.upstreamErrors++;
  if (verdict === "refused") group.refusals++;
  if (verdict === "left") group.abandoned++;
};

export const countFront = (
  fronts: FrontTallies,
  version: string,
  groupNumber: number,
  status: number,
  outcome: Outcome,
): void => {
  let all = fronts.get(version);
  if (!all) {
    if (fronts.size >= maxFronts) return;
    all = new Map();
    fronts.set(version, all);
  }
  let group = all.get(groupNumber);
  if (!group) {
    group = noRequests();
    all.set(groupNumber, group);
  }
  // The tail knows statuses alone, so every 4xx is a refusal, whoever answered it.
  const isRefused = status >= 400 && status < 500 && outcome.verdict !== "left";
  countOutcome(group, status, isRefused ? { ...outcome, verdict: "refused" } : outcome);
};

export const frontCounts = (fronts: FrontTallies): FrontCounts[] =>
  [...fronts].map(([version, all]) => ({ version, groups: Object.fromEntries(all) }));
