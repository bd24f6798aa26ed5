/** Moves users of a route from the gateway that served it before to this one, a share at a time and always the same ones. */
import { clientOf, position } from "../core/pipeline.ts";
import type { RoutePlan } from "../core/plan.ts";
import { share } from "../core/quantities.ts";
import type { Caller, Handler, Side } from "../core/types.ts";

/**
 * The old gateway is sent each request as it came, past the route's filters: it has its own.
 *
 * @param upstreams those of the tier, linked, by name
 * @param here the route as this gate serves it
 * @returns undefined for a route that is not cut over
 */
export type CutOver = (
  route: RoutePlan,
  upstreams: Readonly<Record<string, Handler>>,
  here: Handler,
) => Handler | undefined;

export const cutover: CutOver = ({ cutover: it }, upstreams, here) => {
  if (!it) return undefined;
  const legacy = upstreams[it.legacy] as Handler;
  const moved = share(it.percent);
  return (request, context) => {
    // A tester asks for what is new.
    const side = context.caller.tester ? "gate" : sideOf(context.route.tier, context.caller, moved);
    context.outcome.side = side;
    return (side === "gate" ? here : legacy)(request, context);
  };
};

/**
 * A user is on one side with all routes of a tier that have the same share, and one who has been moved stays moved while it
 * does not shrink. No filter has run yet, so no consumer is known here. Who cannot be told apart from others stays where they were until the end.
 */
export const sideOf = (tier: string, caller: Pick<Caller, "grayKey" | "ip">, moved: number): Side => {
  const key = clientOf(caller);
  const at = key === null ? lastOfAll : position(`cutover\n${tier}\n${key}`);
  return at < moved ? "gate" : "legacy";
};

const lastOfAll = 1 - Number.EPSILON;

/** What the requests of one side are counted under, in place of a version. */
export const sideKey = (route: string, side: Side): string => `cutover:${route}:${side}`;
