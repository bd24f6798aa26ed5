/** What a criterion's requests failed of, and how many clients sent them. */
import type { FindingCause } from "../model/finding.ts";
import { type Count, groupCounts } from "../stats/counts.ts";
import { type Cause, hasUnknownUsers } from "../telemetry/causes.ts";
import type { Stage } from "./evidence.ts";

const maxCauses = 10;

/** The causes with the largest excess over stable first. */
export const causesIn = (
  stages: readonly Stage[],
  count: Count,
  requests: { readonly stable: number; readonly canary: number },
): readonly FindingCause[] => {
  const all = new Map<string, FindingCause>();
  for (const stage of stages)
    for (const side of ["stable", "canary"] as const)
      for (const it of stage[side].causes ?? []) if (isOf(it, count)) add(all, it, side);
  const ratio = requests.stable > 0 ? requests.canary / requests.stable : 0;
  const excess = ({ canary, stable }: FindingCause) => canary - ratio * stable;
  return [...all.values()]
    .filter(({ canary }) => canary > 0)
    .toSorted((a, b) => excess(b) - excess(a))
    .slice(0, maxCauses);
};

const isOf = ({ kind, upstream }: Cause, count: Count): boolean =>
  count === "upstreamErrors" ? kind === "errors" && upstream !== "" : kind === count;

/** A service's own answer has no code: then the status is the code, and the upstream answered it. */
const add = (
  all: Map<string, FindingCause>,
  { route, by, code, status, upstream, count }: Cause,
  side: "stable" | "canary",
): void => {
  const names = code === "" ? { route, by: by || upstream, code: status } : { route, by, code };
  const key = Object.values(names).join("\n");
  const known = all.get(key) ?? { ...names, canary: 0, stable: 0 };
  all.set(key, { ...known, [side]: known[side] + count });
};

/**
 * The least number of clients that the new version's hits come from: users fall into groups, so each group with a hit has
 * one client at least.
 *
 * @returns null if the clients of some are unknown, because their requests died without a report, or the tail alone saw them
 */
export const clientsIn = (stages: readonly Stage[], count: Count): number | null => {
  const isUnknown = (it: Cause) => it.kind === count && hasUnknownUsers(it);
  if (stages.some(({ canary }) => canary.causes?.some(isUnknown))) return null;
  const groups = new Set<number>();
  for (const { canary } of stages)
    groupCounts(canary, count).hits.forEach((hits, group) => {
      if (hits > 0) groups.add(group);
    });
  return groups.size;
};
