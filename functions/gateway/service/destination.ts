/** The destination of a route, called when all filters have passed. */

import { getFact, setFact, Target } from "../core/facts.ts";
import { hashPosition, userKeyOf } from "../core/pipeline.ts";
import type { Destination, RoutePlan, WeightedUpstream } from "../core/plan.ts";
import { compileTemplate } from "../core/references.ts";
import type { Deps, Handler } from "../core/types.ts";
import { redirectHandler, requirePath, respondHandler } from "./direct-response.ts";

/** @param upstreams of the tier, linked, by name */
export const destinationHandler = (
  route: RoutePlan,
  upstreams: Readonly<Record<string, Handler>>,
  deps: Pick<Deps, "random">,
): Handler => {
  const { goes } = route;
  if ("respond" in goes) return respondHandler(goes.respond);
  if ("redirect" in goes) return redirectHandler(goes.redirect);
  return withTarget(route.target, upstreamHandler(goes, upstreams, deps));
};

const upstreamHandler = (
  { to }: Extract<Destination, { to: unknown }>,
  upstreams: Readonly<Record<string, Handler>>,
  deps: Pick<Deps, "random">,
): Handler => {
  if (typeof to === "string") return upstreams[to] as Handler;
  const pick = weightedPicker(to);
  return (request, context) => {
    // A user stays with one upstream.
    const key = userKeyOf(context);
    const at = key === null ? deps.random() : userPosition(context.route.name, key);
    return (upstreams[pick(at)] as Handler)(request, context);
  };
};

/** Where a user is among the weights of a route, in [0, 1). */
export const userPosition = (route: string, key: string): number => hashPosition(`${route}\n${key}`);

/** Divides [0, 1) into shares in list order, so that a larger first share takes users only from the others. */
export const weightedPicker = (weights: readonly WeightedUpstream[]): ((at: number) => string) => {
  const named = weights.filter(([, weight]) => weight > 0);
  const total = named.reduce((sum, [, weight]) => sum + weight, 0);
  let sum = 0;
  const bounds = named.map(([upstream, weight]) => {
    sum += weight;
    return { upstream, below: sum / total };
  });
  const last = bounds.at(-1)?.upstream as string;
  return (at) => bounds.find(({ below }) => at < below)?.upstream ?? last;
};

/** Sets the path of the upstream request. */
const withTarget = (text: string | undefined, upstream: Handler): Handler => {
  if (text === undefined) return upstream;
  const target = compileTemplate(text, "path");
  return (request, context) => {
    setFact(context, Target, { ...getFact(context, Target), path: requirePath(target(request, context)) });
    return upstream(request, context);
  };
};
