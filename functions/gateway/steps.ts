/** Builds the steps of a filter chain: wraps each part with the settings of the plan. */

import { guardWhen, layerWhen, localReplyWhen, percentGuard, type Step, shadowGuard } from "./core/pipeline.ts";
import type { FilterPlan } from "./core/plan.ts";
import { share } from "./core/quantities.ts";
import type { Deps, FilterInstance, Guard, Handler, Layer } from "./core/types.ts";
import type { Parts } from "./part.ts";
import { compileMatchers } from "./routing/matchers.ts";
import { attributeErrors } from "./service/attribution.ts";

export const stepsOf = (instance: FilterInstance, filter: FilterPlan, parts: Parts, deps: Deps): Step[] => {
  if (filter.mode === "off") return [];
  const { id } = instance;
  const part = requirePart(parts.filters, filter.use)(filter.with, deps, instance);
  const matches = filter.when?.length ? compileMatchers(filter.when) : undefined;
  if (filter.kind === "layer") {
    const layer = attributedLayer(id, part as Layer);
    return [{ kind: "layer", id, layer: matches ? layerWhen(matches, layer) : layer }];
  }
  const guard = filter.mode === "shadow" ? shadowGuard(id, part as Guard) : (part as Guard);
  const fraction = share(filter.percent);
  const sampledGuard = fraction < 1 ? percentGuard(id, fraction, guard) : guard;
  // A rule that is not enforced for everyone does not complete local replies.
  const enforcedReply = filter.mode === "enforce" && fraction >= 1 ? (part as Guard).localReply : undefined;
  const localReply = enforcedReply && matches ? localReplyWhen(matches, enforcedReply) : enforcedReply;
  return [{ kind: "guard", id, guard: matches ? guardWhen(matches, sampledGuard) : sampledGuard, localReply }];
};

const attributedLayer =
  (id: string, layer: Layer): Layer =>
  (next) =>
    attributeErrors(id, traceEntry(id, layer(next)));

const traceEntry =
  (id: string, handler: Handler): Handler =>
  (request, context) => {
    context.caller.trace?.decisions.push({ id, verdict: "entered", ms: 0 });
    return handler(request, context);
  };

export const requirePart = <T>(parts: Readonly<Record<string, T>>, name: string): T => {
  const part = parts[name];
  if (part === undefined) throw new Error(`this gate was linked without the part "${name}"; rebuild it`);
  return part;
};
