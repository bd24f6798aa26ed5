/** What a request tried of the plan, as marks that coverage is counted by. */
import type { Plan } from "../../../functions/gateway/core/plan.ts";
import type { Decision, Outcome } from "../../../functions/gateway/core/types.ts";
import { mark } from "../input/batch.ts";

/** What went on with one request. */
export interface Passage {
  readonly plan: Plan;
  readonly route: string;
  readonly decisions: readonly Decision[];
  readonly outcome: Outcome;
}

export const triedBy = ({ plan, route, decisions, outcome }: Passage): string[] => {
  const known = plan.routes[route];
  if (!known) return [];
  const arrived = outcome.verdict === "passed" || outcome.verdict === "answered";
  const { upstream, side, by, code } = outcome;
  const weighed = upstream !== undefined && "to" in known.goes && typeof known.goes.to !== "string";
  const missed = known.filters.filter(
    (id) =>
      arrived && plan.filters[id]?.kind === "layer" && plan.filters[id]?.when && !decisions.some((it) => it.id === id),
  );
  return [
    ...(arrived || known.closed ? [mark("route", route)] : []),
    ...(weighed ? [mark("weight", route, upstream)] : []),
    ...(side ? [mark("side", route, side)] : []),
    ...decisions.flatMap((it) => triedOf(it, route)),
    ...missed.map((id) => mark("unless", id)),
    // A layer that fails says so in the outcome alone.
    ...(by !== undefined && code !== undefined ? [mark("refusal", by, code)] : []),
  ];
};

const triedOf = ({ id, verdict, code }: Decision, route: string): string[] => {
  switch (verdict) {
    case "skipped":
      return [code === "when" ? mark("unless", id) : mark("others", id)];
    case "refused":
    case "failed":
      return [mark("refusal", id, code ?? "")];
    case "shadowed":
      return code === "pass" ? [mark("filter", route, id)] : [mark("refusal", id, code ?? "")];
    // Of an upstream, which is no filter.
    case "asked":
      return [];
    default:
      return [mark("filter", route, id)];
  }
};
