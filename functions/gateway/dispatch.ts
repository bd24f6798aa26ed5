/** Finds the route of a request and runs it, or answers why there is none. */
import type { Plan } from "./core/plan.ts";
import { Fault, gatewayCodes, refuse } from "./core/problems.ts";
import type { Context } from "./core/types.ts";
import { hostFinder, hostOf } from "./http/hosts.ts";
import { preflightMethod } from "./http/preflight.ts";
import { invalidUrl, parseRequestUrl, type RequestUrl } from "./http/request-url.ts";
import type { LinkedRoutes } from "./linked-routes.ts";
import { isWebSocketRequest } from "./proxy/forwarding.ts";
import type { RouteFinder } from "./routing/finder.ts";
import type { Match } from "./routing/router.ts";

/** A request's URL with its path in canonical form, and its route. */
interface Located {
  readonly url: RequestUrl;
  /** The method that a preflight asks about; null for any other request. */
  readonly preflightFor: string | null;
  /** Undefined when the path is ambiguous. */
  readonly found: Match | undefined;
}

export const locator =
  ({ canonical, find }: RouteFinder): ((request: Request) => Located) =>
  (request) => {
    const url = parseRequestUrl(request.url) ?? invalidUrl;
    const path = canonical(url.pathname);
    if (path !== undefined && path !== url.pathname) url.pathname = path;
    const { method } = request;
    const preflightFor = preflightMethod(request, method);
    const found = path === undefined ? undefined : find(preflightFor ?? method, path, request, url);
    return { url, preflightFor, found };
  };

type Dispatch = (
  request: Request,
  context: Context,
  found: Match | undefined,
  isPreflight: boolean,
) => Promise<Response> | Response;

export const dispatcher = ({ hosts }: Pick<Plan, "hosts">, { routes, localReply }: LinkedRoutes): Dispatch => {
  const isServedHost = hostFinder(hosts.map((host) => [host, true]));
  return (request, context, found, isPreflight) => {
    if (!isServedHost(hostOf(context.url)))
      return refuse(context, gatewayCodes, context.url === invalidUrl ? "host-malformed" : "host-unknown");
    if (found === undefined) return refuse(context, gatewayCodes, "path-ambiguous");
    if (found.kind === "none" || found.kind === "condition") {
      // If the preflight were refused, the browser would not send the request, and the page could not read the problem.
      if (isPreflight && localReply("")?.grantsPreflight(request, context)) return new Response(null, { status: 204 });
      return refuse(context, gatewayCodes, found.kind === "none" ? "route-unknown" : "condition-unmet");
    }
    if (found.kind === "method") return methodNotAllowed(request, context, found.allow);
    const linked = routes.get(found.route);
    // An older front does not know that the route has its own gate.
    if (!linked) throw new Fault(gatewayCodes, "gate-unavailable", { headers: { "retry-after": "5" } });
    const { run, preflight, upgrade, responseEdits } = linked;
    if (request.headers.has("upgrade")) {
      if (!isWebSocketRequest(request)) context.outbound.push(["delete", "upgrade"]);
      else if (!upgrade) return refuse(context, gatewayCodes, "upgrade-not-allowed");
    }
    context.inbound.push(...responseEdits);
    return isPreflight ? preflight(request, context) : run(request, context);
  };
};

const methodNotAllowed = (request: Request, context: Context, allow: readonly string[]): Response => {
  const headers = { allow: allow.join(", ") };
  return request.method === "OPTIONS"
    ? new Response(null, { status: 204, headers })
    : refuse(context, gatewayCodes, "method-not-allowed", { headers });
};
