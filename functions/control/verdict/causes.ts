/** What a criterion's requests failed of. */
import type { FindingCause } from "../model/finding.ts";
import type { Side } from "../stats/measures.ts";
import type { Cause } from "../telemetry/counts/causes.ts";
import type { RateCount } from "./context.ts";
import type { Stage } from "./evidence.ts";

const maxCauses = 10;

/** The causes with the largest excess over stable first. */
export const causesIn = (
  stages: readonly Stage[],
  count: RateCount,
  { stable, canary }: Readonly<Record<Side, { readonly requests: number }>>,
): readonly FindingCause[] => {
  const all = new Map<string, FindingCause>();
  for (const stage of stages)
    for (const side of ["stable", "canary"] as const)
      for (const it of stage[side].causes ?? []) if (isOf(it, count)) add(all, it, side);
  const ratio = stable.requests > 0 ? canary.requests / stable.requests : 0;
  const excess = ({ canary, stable }: FindingCause) => canary - ratio * stable;
  return [...all.values()]
    .filter(({ canary }) => canary > 0)
    .toSorted((a, b) => excess(b) - excess(a))
    .slice(0, maxCauses);
};

const isOf = ({ kind }: Cause, count: RateCount): boolean => kind === count;

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
