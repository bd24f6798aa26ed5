/** Where a route leads when all its filters have let a request pass. */

import { known, learn, Target } from "../core/facts.ts";
import { position, userOf } from "../core/pipeline.ts";
import type { Destination, RoutePlan, Weighted } from "../core/plan.ts";
import { template } from "../core/references.ts";
import type { Deps, Handler } from "../core/types.ts";
import { filled, redirecting, responding } from "./direct-response.ts";

/** @param upstreams those of the tier, linked, by name */
export const destination = (
  route: RoutePlan,
  upstreams: Readonly<Record<string, Handler>>,
  deps: Pick<Deps, "random">,
): Handler => {
  const { goes } = route;
  if ("respond" in goes) return responding(goes.respond);
  if ("redirect" in goes) return redirecting(goes.redirect);
  return aimed(route.target, chosen(goes, upstreams, deps));
};

const chosen = (
  { to }: Extract<Destination, { to: unknown }>,
  upstreams: Readonly<Record<string, Handler>>,
  deps: Pick<Deps, "random">,
): Handler => {
  if (typeof to === "string") return upstreams[to] as Handler;
  const pick = weighing(to);
  return (request, context) => {
    // A user stays with one upstream.
    const key = userOf(context);
    const at = key === null ? deps.random() : position(`${context.route.name}\n${key}`);
    return (upstreams[pick(at)] as Handler)(request, context);
  };
};

/** Cuts [0, 1) into shares in the order of the list, so that raising the first one's moves nobody away from it. */
const weighing = (weights: readonly Weighted[]): ((at: number) => string) => {
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

/** Sets what the upstream is asked for. */
const aimed = (text: string | undefined, upstream: Handler): Handler => {
  if (text === undefined) return upstream;
  const target = template(text, "path");
  return (request, context) => {
    learn(context, Target, { ...known(context, Target), path: filled(target(request, context)) });
    return upstream(request, context);
  };
};
