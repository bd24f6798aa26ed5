/** Selects the filters that complete the gate's own responses, by route and for requests without a route. */

import type { Step } from "./core/pipeline.ts";
import type { RoutePlan } from "./core/plan.ts";
import type { Context, LocalReply } from "./core/types.ts";
import type { RequestUrl } from "./http/request-url.ts";
import type { RouteFinder } from "./routing/finder.ts";
import type { Match } from "./routing/router.ts";

/**
 * @param filters the steps of each filter of the plan, by id
 * @returns a function that gives the completion for a route, or for the tier when the name is no route's
 */
export const localReplies = (
  routes: Readonly<Record<string, RoutePlan>>,
  filters: Readonly<Record<string, readonly Step[]>>,
): ((route: string) => LocalReply | undefined) => {
  const replyOf = (ids: Iterable<string>): LocalReply | undefined =>
    combined(
      [...ids].flatMap((id) => (filters[id] ?? []).flatMap((it) => (it.kind === "guard" && it.localReply) || [])),
    );
  const all = Object.values(routes).flatMap((route) => route.filters);
  // Ids of filters that a route adds start with the route's name.
  const ofTier = replyOf(new Set(all.filter((id) => !id.includes("/"))));
  const byRoute = new Map(Object.entries(routes).map(([name, route]) => [name, replyOf(route.filters)]));
  return (route) => (byRoute.has(route) ? byRoute.get(route) : ofTier);
};

/** Applies all in order, so that the last one wins, as among guards. */
const combined = (all: readonly LocalReply[]): LocalReply | undefined =>
  all.length < 2
    ? all[0]
    : {
        complete: (request, context, headers) => {
          for (const it of all) it.complete(request, context, headers);
        },
        grantsPreflight: (request, context) => all.some((it) => it.grantsPreflight(request, context)),
      };

/** Whether the gate itself produced the response. */
export const isLocalReply = ({ outcome, route }: Context): boolean =>
  outcome.verdict !== "passed" || outcome.code !== undefined || route.name === "";

/** A route of the path for another method; empty when there is none. */
export const otherMethodRoute = (
  find: RouteFinder["find"],
  request: Request,
  url: RequestUrl,
  found: Match | undefined,
): string => {
  if (found?.kind !== "method") return "";
  const [method = ""] = found.allow.filter((it) => it !== "OPTIONS" && it !== "HEAD");
  const other = find(method, url.pathname, request, url);
  return other?.kind === "found" ? other.route : "";
};
