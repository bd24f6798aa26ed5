/** Makes the steps of a chain: what a plan says of a filter, around the part that does it. */

import { guardWhen, layerWhen, localReplyWhen, type Step, sampled, shadowed } from "./core/pipeline.ts";
import type { FilterPlan } from "./core/plan.ts";
import { share } from "./core/quantities.ts";
import type { Deps, FilterPlace, Guard, Handler, Layer } from "./core/types.ts";
import type { Parts } from "./part.ts";
import { holdsAll } from "./routing/matchers.ts";
import { attributed } from "./service/attribution.ts";

export const stepsOf = (place: FilterPlace, filter: FilterPlan, parts: Parts, deps: Deps): Step[] => {
  if (filter.mode === "off") return [];
  const { id } = place;
  const made = partOf(parts.filters, filter.use)(filter.with, deps, place);
  const holds = filter.when?.length ? holdsAll(filter.when) : undefined;
  if (filter.kind === "layer") {
    const layer = attributedLayer(id, made as Layer);
    return [{ kind: "layer", id, layer: holds ? layerWhen(holds, layer) : layer }];
  }
  const guard = filter.mode === "shadow" ? shadowed(id, made as Guard) : (made as Guard);
  const part = share(filter.percent);
  const some = part < 1 ? sampled(id, part, guard) : guard;
  // A rule that is not enforced for everybody is told to nobody.
  const whole = filter.mode === "enforce" && part >= 1 ? (made as Guard).localReply : undefined;
  const localReply = whole && holds ? localReplyWhen(holds, whole) : whole;
  return [{ kind: "guard", id, guard: holds ? guardWhen(holds, some) : some, localReply }];
};

const attributedLayer =
  (id: string, layer: Layer): Layer =>
  (next) =>
    attributed(id, entered(id, layer(next)));

const entered =
  (id: string, handler: Handler): Handler =>
  (request, context) => {
    context.caller.trace?.decisions.push({ id, verdict: "entered", ms: 0 });
    return handler(request, context);
  };

export const partOf = <T>(parts: Readonly<Record<string, T>>, name: string): T => {
  const part = parts[name];
  if (part === undefined) throw new Error(`this gate was linked without the part "${name}"; build it anew`);
  return part;
};
