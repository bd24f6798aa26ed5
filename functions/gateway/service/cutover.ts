/** Moves users of a route from the gateway that served it before to this one, a share at a time and always the same ones. */
import { clientKeyOf, hashPosition } from "../core/pipeline.ts";
import type { RoutePlan } from "../core/plan.ts";
import { share } from "../core/quantities.ts";
import type { Caller, CutoverSide, Handler } from "../core/types.ts";

/**
 * The old gateway is sent each request as it came, past the route's filters: it has its own.
 *
 * @param upstreams those of the tier, linked, by name
 * @param here the route as this gate serves it
 * @returns undefined for a route that is not cut over
 */
export type CutoverHandler = (
  route: RoutePlan,
  upstreams: Readonly<Record<string, Handler>>,
  ownHandler: Handler,
) => Handler | undefined;

export const cutover: CutoverHandler = ({ cutover: it }, upstreams, ownHandler) => {
  if (!it) return undefined;
  const legacy = upstreams[it.legacy] as Handler;
  const movedShare = share(it.percent);
  return (request, context) => {
    // A tester asks for what is new.
    const side = context.caller.tester ? "gate" : cutoverSide(context.route.tier, context.caller, movedShare);
    context.outcome.side = side;
    return (side === "gate" ? ownHandler : legacy)(request, context);
  };
};

/**
 * A user is on one side with all routes of a tier that have the same share, and one who has been moved stays moved while it
 * does not shrink. No filter has run yet, so no consumer is known here. Who cannot be told apart from others stays where they were until the end.
 */
export const cutoverSide = (tier: string, caller: Pick<Caller, "grayKey" | "ip">, movedShare: number): CutoverSide => {
  const key = clientKeyOf(caller);
  const at = key === null ? maxPosition : hashPosition(`cutover\n${tier}\n${key}`);
  return at < movedShare ? "gate" : "legacy";
};

const maxPosition = 1 - Number.EPSILON;

/** What the requests of one side are counted under, in place of a version. */
export const sideKey = (route: string, side: CutoverSide): string => `cutover:${route}:${side}`;
