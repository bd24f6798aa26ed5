/** The coverage marks of one request: which routes, filters, refusals and shares of the plan it reached. */
import type { Plan } from "../../../functions/gateway/core/plan.ts";
import type { Decision, Outcome } from "../../../functions/gateway/core/types.ts";
import { coverageMark } from "../input/batch.ts";

/** The trace of one request. */
export interface RequestRecord {
  readonly plan: Plan;
  readonly route: string;
  readonly decisions: readonly Decision[];
  readonly outcome: Outcome;
}

export const coverageMarks = ({ plan, route, decisions, outcome }: RequestRecord): string[] => {
  const routePlan = plan.routes[route];
  if (!routePlan) return [];
  const isAnswered = outcome.verdict === "passed" || outcome.verdict === "answered";
  const { upstream, side, by, code } = outcome;
  const isWeighted = upstream !== undefined && "to" in routePlan.goes && typeof routePlan.goes.to !== "string";
  const skippedLayers = routePlan.filters.filter(
    (id) =>
      isAnswered &&
      plan.filters[id]?.kind === "layer" &&
      plan.filters[id]?.when &&
      !decisions.some((it) => it.id === id),
  );
  return [
    ...(isAnswered || routePlan.closed ? [coverageMark("route", route)] : []),
    ...(isWeighted ? [coverageMark("weight", route, upstream)] : []),
    ...(side ? [coverageMark("side", route, side)] : []),
    ...decisions.flatMap((it) => marksOfDecision(it, route)),
    ...skippedLayers.map((id) => coverageMark("unless", id)),
    // A failing layer shows only in the outcome.
    ...(by !== undefined && code !== undefined ? [coverageMark("refusal", by, code)] : []),
  ];
};

const marksOfDecision = ({ id, verdict, code }: Decision, route: string): string[] => {
  switch (verdict) {
    case "skipped":
      return [code === "when" ? coverageMark("unless", id) : coverageMark("others", id)];
    case "refused":
    case "failed":
      return [coverageMark("refusal", id, code ?? "")];
    case "shadowed":
      return code === "pass" ? [coverageMark("filter", route, id)] : [coverageMark("refusal", id, code ?? "")];
    // The verdict of an upstream.
    case "asked":
      return [];
    default:
      return [coverageMark("filter", route, id)];
  }
};
