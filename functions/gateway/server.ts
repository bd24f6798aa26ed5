/** Links a plan with its parts into one handler, and turns every failure into a problem. */

import { contextOf } from "./context.ts";
import { acquireSlot, concurrencyLimit, releaseSlot } from "./core/concurrency.ts";
import { BodyLimit, setFact } from "./core/facts.ts";
import { pipeline } from "./core/pipeline.ts";
import type { Plan, RouteClosure, RoutePlan } from "./core/plan.ts";
import { stateBinding, stateClient } from "./core/ports/state.ts";
import { busyFault, Fault, gatewayCodes, refuse, upstreamCodes } from "./core/problems.ts";
import { bytes, milliseconds, share } from "./core/quantities.ts";
import type { Caller, Context, Deps, GateSettings, Handler, HeaderEdit, RecordRequest } from "./core/types.ts";
import { finishResponse } from "./finish.ts";
import { networkOf } from "./http/client-network.ts";
import { splitCookieField } from "./http/cookies.ts";
import { hostFinder, hostOf } from "./http/hosts.ts";
import { preflightMethod } from "./http/preflight.ts";
import { parseRequestUrl, type RequestUrl } from "./http/request-url.ts";
import { countByConsumer } from "./limits/consumer-share.ts";
import { isLocalReply, localReplies, otherMethodRoute } from "./local-reply.ts";
import { accessLog } from "./observability/access-log.ts";
import type { Parts } from "./part.ts";
import { deprecation } from "./proxy/deprecation.ts";
import { isWebSocketRequest } from "./proxy/forwarding.ts";
import { hasBody } from "./proxy/send.ts";
import { rescue } from "./rescue.ts";
import { createRouteFinder } from "./routing/finder.ts";
import type { Match } from "./routing/router.ts";
import { attributeUpstream } from "./service/attribution.ts";
import { destinationHandler } from "./service/destination.ts";
import { deadline } from "./service/timeout.ts";
import { requirePart, stepsOf } from "./steps.ts";
import type { StreamAge } from "./streaming/max-age.ts";

export type Gateway = (request: Request, caller: Caller) => Promise<Response>;

export interface LinkedGateway extends Gateway {
  /**
   * Records a request whose client disconnected before the gate handled it.
   * @param started milliseconds since the epoch
   */
  readonly recordAbandoned: (request: Request, caller: Caller, started: number) => void;
}

/** A linked route: the filters with the destination at the end, and without it for preflights. */
interface LinkedRoute {
  readonly run: Handler;
  readonly preflight: Handler;
  readonly upgrade: boolean;
  /** Header edits for every response of the route. */
  readonly responseEdits: readonly HeaderEdit[];
}

/**
 * Links a gate. All preparation happens here, none per request.
 * @throws when a part rejects its configuration; the platform then refuses the version
 */
export const link = (plan: Plan, parts: Parts, deps: Deps): LinkedGateway => {
  const { routes, localReply } = linkRoutes(
    plan,
    parts,
    withState(plan.tier, { ...deps, ...depsFromParts(parts, plan.tier) }),
  );
  const { canonical, find } = createRouteFinder(plan);
  const isServedHost = hostFinder(plan.hosts.map((host) => [host, true]));
  const { limits } = plan;
  const concurrency = concurrencyLimit(limits.concurrency, share(limits["client-share"]), deps);
  const countsBodies = limits["concurrency-from"] === "body";
  const settings: GateSettings = {
    now: deps.now,
    bodyIdleMs: milliseconds(limits["body-idle"]),
    accepted: new Set(plan.accepts),
  };
  const bodyLimit = bytes(limits.body);
  const log = accessLog(share(plan.log.sample), deps);
  const record: RecordRequest = (request, response, status, context, started) => {
    log(request, status, context, started);
    deps.recordRequest?.(request, response, status, context, started);
  };

  const dispatch = (
    request: Request,
    context: Context,
    found: Match | undefined,
    isPreflight: boolean,
  ): Promise<Response> | Response => {
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

  const locate = (request: Request) => {
    const url = parseRequestUrl(request.url) ?? invalidUrl;
    const path = canonical(url.pathname);
    if (path !== undefined && path !== url.pathname) url.pathname = path;
    const { method } = request;
    const preflightFor = preflightMethod(request, method);
    const found = path === undefined ? undefined : find(preflightFor ?? method, path, request, url);
    return { url, wanted: preflightFor, found };
  };

  const recordClientClosed = (request: Request, context: Context, started: number): void => {
    context.outcome.verdict = "left";
    record(request, undefined, clientClosedRequest, context, started);
  };

  const serve: Gateway = async (request, caller) => {
    const started = deps.now();
    const { url, wanted: preflightFor, found } = locate(request);
    const acquired = acquireSlot(concurrency, networkOf(caller.ip), countsBodies && hasBody(request), started);
    const slot = typeof acquired === "string" ? undefined : acquired;
    const context = contextOf({ caller, url, tier: plan.tier, settings, slot, found });
    if (caller.trace) caller.trace.route = context.route.name;
    setFact(context, BodyLimit, bodyLimit);
    // The front has repaired the Cookie field.
    const cookies = caller.gateOnlyHeaders ? undefined : splitCookieField(request.headers);
    if (cookies !== undefined) context.outbound.push(["set", "cookie", cookies]);
    let answered = false;
    // When the client disconnects, the runtime cancels what follows, so the request is recorded here.
    request.signal.onabort = () => {
      if (answered) return;
      if (slot) releaseSlot(slot);
      recordClientClosed(request, context, started);
    };
    let response: Response;
    try {
      if (typeof acquired === "string") throw busyFault(acquired);
      response = finishResponse(await dispatch(request, context, found, preflightFor !== null), context);
      if (context.outcome.code !== undefined) context.outcome.verdict = "refused";
    } catch (error) {
      response = finishResponse(rescue(error, context, deps), context);
    } finally {
      if (slot) releaseSlot(slot);
      answered = true;
    }
    if (isLocalReply(context))
      localReply(context.route.name || otherMethodRoute(find, request, url, found))?.complete(
        request,
        context,
        response.headers,
      );
    record(request, response, response.status, context, started);
    return response;
  };
  const recordAbandoned: LinkedGateway["recordAbandoned"] = (request, caller, started) => {
    const { url, found } = locate(request);
    recordClientClosed(request, contextOf({ caller, url, tier: plan.tier, settings, slot: undefined, found }), started);
  };
  return Object.assign(serve, { recordAbandoned });
};

interface LinkedRoutes {
  readonly routes: ReadonlyMap<string, LinkedRoute>;
  readonly localReply: ReturnType<typeof localReplies>;
}

const linkRoutes = (plan: Plan, parts: Parts, deps: Deps): LinkedRoutes => {
  const filters = mapValues(plan.filters, (filter, id) =>
    stepsOf({ tier: plan.tier, id, limits: filter.limits }, filter, parts, deps),
  );
  const age = plan.limits["stream-age"];
  // Only gates that limit streams bundle the code for it.
  const boundStream = age === undefined ? (next: Handler) => next : streamAgeOf(parts)(milliseconds(age), deps);
  const upstreams = mapValues(plan.upstreams, (upstream, name): Handler => {
    const call = requirePart(parts.upstreams, upstream.use)(upstream.with, deps);
    const timeoutFault = () =>
      new Fault(upstreamCodes, "upstream-timeout", { detail: `No response within ${upstream.timeout}` });
    const withDeadline = deadline(milliseconds(upstream.timeout), timeoutFault, deps)(boundStream(call));
    return countByConsumer(attributeUpstream(name, withDeadline, deps));
  });
  const linkRoute = (route: RoutePlan): LinkedRoute => {
    const steps = route.filters.flatMap((id) => filters[id] ?? []);
    const last = {
      run: destinationHandler(route, upstreams, deps),
      preflight: async () => new Response(null, { status: 204 }),
    };
    const closedHandler = route.closed && closureHandler(route.closed);
    const withCutover = (ownHandler: Handler): Handler => parts.cutover?.(route, upstreams, ownHandler) ?? ownHandler;
    return {
      // A closed route is closed for both gateways.
      run: closedHandler ?? withCutover(pipeline(steps, last.run)),
      preflight: closedHandler ?? withCutover(pipeline(steps, last.preflight)),
      upgrade: route.upgrade === "websocket",
      responseEdits: route.deprecated ? deprecation(route.deprecated) : [],
    };
  };
  return {
    routes: new Map(Object.entries(plan.routes).map(([name, route]) => [name, linkRoute(route)])),
    localReply: localReplies(plan.routes, filters),
  };
};

const closureHandler =
  ({ "retry-after": after, detail }: RouteClosure): Handler =>
  async (_, context) =>
    refuse(context, gatewayCodes, "route-closed", {
      ...(detail !== undefined && { detail }),
      ...(after !== undefined && { headers: { "retry-after": String(Math.ceil(milliseconds(after) / 1000)) } }),
    });

const depsFromParts = ({ validators, limiter }: Parts, tier: string): Pick<Deps, "validators" | "limiter"> => ({
  ...(validators?.[tier] && { validators: validators[tier] }),
  ...(limiter && { limiter }),
});

/** Each tier has its own binding to state, which selects its objects. */
const withState = (tier: string, deps: Deps): Deps => {
  const binding = deps.env[stateBinding(tier)] as Fetcher | undefined;
  return binding ? { ...deps, state: stateClient(binding) } : deps;
};

/** The URL of a request with an invalid host. */
const invalidUrl: RequestUrl = { protocol: "", host: "", hostname: "", origin: "", pathname: "/", search: "" };

/** The status in the log when the client disconnected, as in other gateways. Never sent. */
export const clientClosedRequest = 499;

const mapValues = <A, B>(all: Readonly<Record<string, A>>, map: (value: A, key: string) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(all).map(([key, value]) => [key, map(value, key)]));

const streamAgeOf = ({ streamAge }: Parts): StreamAge => {
  if (streamAge === undefined) throw new Error("this gate was linked without the limit of streams; rebuild it");
  return streamAge;
};

const methodNotAllowed = (request: Request, context: Context, allow: readonly string[]): Response => {
  const headers = { allow: allow.join(", ") };
  return request.method === "OPTIONS"
    ? new Response(null, { status: 204, headers })
    : refuse(context, gatewayCodes, "method-not-allowed", { headers });
};
