/** Cutover: moves users of a route from the previous gateway to this one, in stable shares. */
import { clientKeyOf, hashPosition } from "../core/pipeline.ts";
import type { RoutePlan } from "../core/plan.ts";
import { share } from "../core/quantities.ts";
import type { Caller, CutoverSide, Handler } from "../core/types.ts";

/**
 * The previous gateway receives requests unmodified, without the route's filters, since it has its own.
 *
 * @param upstreams of the tier, linked, by name
 * @param ownHandler serves the route in this gate
 * @returns undefined for a route without a cutover
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
    // Testers get the new gateway.
    const side = context.caller.tester ? "gate" : cutoverSide(context.route.tier, context.caller, movedShare);
    context.outcome.side = side;
    return (side === "gate" ? ownHandler : legacy)(request, context);
  };
};

/**
 * A user is served by the same gateway on all routes of a tier with the same share, and stays with this gateway while
 * the share does not shrink. No filter has run yet, so the consumer is unknown. Users without a key move last.
 */
export const cutoverSide = (tier: string, caller: Pick<Caller, "grayKey" | "ip">, movedShare: number): CutoverSide => {
  const key = clientKeyOf(caller);
  const at = key === null ? maxPosition : hashPosition(`cutover\n${tier}\n${key}`);
  return at < movedShare ? "gate" : "legacy";
};

const maxPosition = 1 - Number.EPSILON;

/** The key in place of a version under which requests of one gateway are counted. */
export const sideKey = (route: string, side: CutoverSide): string => `cutover:${route}:${side}`;
