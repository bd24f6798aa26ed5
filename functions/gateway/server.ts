/** Links a plan with the parts it names into one handler, and answers whatever happens inside with a problem. */

import { contextOf } from "./context.ts";
import { enter, leave, placesOf } from "./core/concurrency.ts";
import { BodyLimit, learn } from "./core/facts.ts";
import { pipeline } from "./core/pipeline.ts";
import type { Closed, Plan, RoutePlan } from "./core/plan.ts";
import { stateBinding, stateOf } from "./core/ports/state.ts";
import { busy, Fault, gatewayCodes, refuse, upstreamCodes } from "./core/problems.ts";
import { bytes, milliseconds, share } from "./core/quantities.ts";
import type { Caller, Context, Count, Deps, Handler, HeaderEdit, Settings } from "./core/types.ts";
import { finish } from "./finish.ts";
import { network } from "./http/client-network.ts";
import { joinedCookies } from "./http/cookies.ts";
import { hostFinder, hostOf } from "./http/hosts.ts";
import { preflightMethod } from "./http/preflight.ts";
import { type Address, addressOf } from "./http/request-url.ts";
import { countedByConsumer } from "./limits/consumer-share.ts";
import { besides, isLocal, localReplies } from "./local-reply.ts";
import { accessLog } from "./observability/access-log.ts";
import type { Parts } from "./part.ts";
import { deprecation } from "./proxy/deprecation.ts";
import { asksForWebSocket } from "./proxy/forwarding.ts";
import { hasBody } from "./proxy/send.ts";
import { rescue } from "./rescue.ts";
import { finder } from "./routing/finder.ts";
import type { Match } from "./routing/router.ts";
import { asked } from "./service/attribution.ts";
import { destination } from "./service/destination.ts";
import { deadline } from "./service/timeout.ts";
import { partOf, stepsOf } from "./steps.ts";
import type { StreamAge } from "./streaming/max-age.ts";

export type Gateway = (request: Request, caller: Caller) => Promise<Response>;

export interface LinkedGateway extends Gateway {
  /** Records a request whose client left before the gate began with it. @param started milliseconds since the epoch */
  readonly left: (request: Request, caller: Caller, started: number) => void;
}

/** A route, ready to run: with its destination at the end, and for a preflight with nothing behind its filters. */
interface Linked {
  readonly run: Handler;
  readonly preflight: Handler;
  readonly upgrade: boolean;
  /** Edits of every response of the route. */
  readonly notices: readonly HeaderEdit[];
}

/**
 * Prepares everything once, so that a request only works.
 * @throws where a part refuses its configuration: the platform then refuses the version
 */
export const link = (plan: Plan, parts: Parts, deps: Deps): LinkedGateway => {
  const { routes, localReply } = linkRoutes(
    plan,
    parts,
    withState(plan.tier, { ...deps, ...broughtBy(parts, plan.tier) }),
  );
  const { canonical, find } = finder(plan);
  const served = hostFinder(plan.hosts.map((host) => [host, true]));
  const { limits } = plan;
  const places = placesOf(limits.concurrency, share(limits["client-share"]), deps);
  const countsBodies = limits["concurrency-from"] === "body";
  const settings: Settings = {
    now: deps.now,
    bodyIdleMs: milliseconds(limits["body-idle"]),
    accepted: new Set(plan.accepts),
  };
  const bodyLimit = bytes(limits.body);
  const log = accessLog(share(plan.log.sample), deps);
  const record: Count = (request, response, status, context, started) => {
    log(request, status, context, started);
    deps.count?.(request, response, status, context, started);
  };

  const dispatch = (
    request: Request,
    context: Context,
    found: Match | undefined,
    isPreflight: boolean,
  ): Promise<Response> | Response => {
    if (!served(hostOf(context.url)))
      return refuse(context, gatewayCodes, context.url === nowhere ? "host-malformed" : "host-unknown");
    if (found === undefined) return refuse(context, gatewayCodes, "path-ambiguous");
    if (found.kind === "none" || found.kind === "condition") {
      // Where its preflight is refused, a browser sends no request and shows its page no problem.
      if (isPreflight && localReply("")?.grants(request, context)) return new Response(null, { status: 204 });
      return refuse(context, gatewayCodes, found.kind === "none" ? "route-unknown" : "condition-unmet");
    }
    if (found.kind === "method") return otherMethod(request, context, found.allow);
    const linked = routes.get(found.route);
    // A front that is older than this gate does not know yet that the route has a gate of its own.
    if (!linked) throw new Fault(gatewayCodes, "gate-unavailable", { headers: { "retry-after": "5" } });
    const { run, preflight, upgrade, notices } = linked;
    if (request.headers.has("upgrade")) {
      if (!asksForWebSocket(request)) context.outbound.push(["delete", "upgrade"]);
      else if (!upgrade) return refuse(context, gatewayCodes, "upgrade-not-allowed");
    }
    context.inbound.push(...notices);
    return isPreflight ? preflight(request, context) : run(request, context);
  };

  const located = (request: Request) => {
    const url = addressOf(request.url) ?? nowhere;
    const path = canonical(url.pathname);
    if (path !== undefined && path !== url.pathname) url.pathname = path;
    const { method } = request;
    const wanted = preflightMethod(request, method);
    const found = path === undefined ? undefined : find(wanted ?? method, path, request, url);
    return { url, wanted, found };
  };

  const abandoned = (request: Request, context: Context, started: number): void => {
    context.outcome.verdict = "left";
    record(request, undefined, clientClosedRequest, context, started);
  };

  const serve: Gateway = async (request, caller) => {
    const started = deps.now();
    const { url, wanted, found } = located(request);
    const entered = enter(places, network(caller.ip), countsBodies && hasBody(request), started);
    const place = typeof entered === "string" ? undefined : entered;
    const context = contextOf({ caller, url, tier: plan.tier, settings, place, found });
    if (caller.trace) caller.trace.route = context.route.name;
    learn(context, BodyLimit, bodyLimit);
    // A front has joined them already.
    const cookies = caller.further ? undefined : joinedCookies(request.headers);
    if (cookies !== undefined) context.outbound.push(["set", "cookie", cookies]);
    let answered = false;
    // Where the client leaves, the runtime cancels all that follows, so its line is written then or never.
    request.signal.onabort = () => {
      if (answered) return;
      if (place) leave(place);
      abandoned(request, context, started);
    };
    let response: Response;
    try {
      if (typeof entered === "string") throw busy(entered);
      response = finish(await dispatch(request, context, found, wanted !== null), context);
      if (context.outcome.code !== undefined) context.outcome.verdict = "refused";
    } catch (error) {
      response = finish(rescue(error, context, deps), context);
    } finally {
      if (place) leave(place);
      answered = true;
    }
    if (isLocal(context))
      localReply(context.route.name || besides(find, request, url, found))?.complete(
        request,
        context,
        response.headers,
      );
    record(request, response, response.status, context, started);
    return response;
  };
  const left: LinkedGateway["left"] = (request, caller, started) => {
    const { url, found } = located(request);
    abandoned(request, contextOf({ caller, url, tier: plan.tier, settings, place: undefined, found }), started);
  };
  return Object.assign(serve, { left });
};

interface LinkedRoutes {
  readonly routes: ReadonlyMap<string, Linked>;
  readonly localReply: ReturnType<typeof localReplies>;
}

const linkRoutes = (plan: Plan, parts: Parts, deps: Deps): LinkedRoutes => {
  const filters = mapValues(plan.filters, (filter, id) =>
    stepsOf({ tier: plan.tier, id, limits: filter.limits }, filter, parts, deps),
  );
  const age = plan.limits["stream-age"];
  // A gate that bounds no streams carries nothing to bound them with.
  const bounded = age === undefined ? (next: Handler) => next : bounding(parts)(milliseconds(age), deps);
  const upstreams = mapValues(plan.upstreams, (upstream, name): Handler => {
    const call = partOf(parts.upstreams, upstream.use)(upstream.with, deps);
    const late = () => new Fault(upstreamCodes, "upstream-timeout", { detail: `No answer within ${upstream.timeout}` });
    const inTime = deadline(milliseconds(upstream.timeout), late, deps)(bounded(call));
    return countedByConsumer(asked(name, inTime, deps));
  });
  const linked = (route: RoutePlan): Linked => {
    const steps = route.filters.flatMap((id) => filters[id] ?? []);
    const last = {
      run: destination(route, upstreams, deps),
      preflight: async () => new Response(null, { status: 204 }),
    };
    const shut = route.closed && closing(route.closed);
    const split = (here: Handler): Handler => parts.cutover?.(route, upstreams, here) ?? here;
    return {
      // What is closed is closed on both sides.
      run: shut ?? split(pipeline(steps, last.run)),
      preflight: shut ?? split(pipeline(steps, last.preflight)),
      upgrade: route.upgrade === "websocket",
      notices: route.deprecated ? deprecation(route.deprecated) : [],
    };
  };
  return {
    routes: new Map(Object.entries(plan.routes).map(([name, route]) => [name, linked(route)])),
    localReply: localReplies(plan.routes, filters),
  };
};

const closing =
  ({ "retry-after": after, detail }: Closed): Handler =>
  async (_, context) =>
    refuse(context, gatewayCodes, "route-closed", {
      ...(detail !== undefined && { detail }),
      ...(after !== undefined && { headers: { "retry-after": String(Math.ceil(milliseconds(after) / 1000)) } }),
    });

const broughtBy = ({ validators, limiter }: Parts, tier: string): Pick<Deps, "validators" | "limiter"> => ({
  ...(validators?.[tier] && { validators: validators[tier] }),
  ...(limiter && { limiter }),
});

/** Each tier has a binding of its own to state, which says whose objects it opens. */
const withState = (tier: string, deps: Deps): Deps => {
  const binding = deps.env[stateBinding(tier)] as Fetcher | undefined;
  return binding ? { ...deps, state: stateOf(binding) } : deps;
};

/** Where a request is for whose host is none. */
const nowhere: Address = { protocol: "", host: "", hostname: "", origin: "", pathname: "/", search: "" };

/** What a line says of a request whose client left, after the habit of other gateways. It is never sent. */
export const clientClosedRequest = 499;

const mapValues = <A, B>(all: Readonly<Record<string, A>>, map: (value: A, key: string) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(all).map(([key, value]) => [key, map(value, key)]));

const bounding = ({ streamAge }: Parts): StreamAge => {
  if (streamAge === undefined) throw new Error("this gate was linked without what bounds its streams; build it anew");
  return streamAge;
};

const otherMethod = (request: Request, context: Context, allow: readonly string[]): Response => {
  const headers = { allow: allow.join(", ") };
  return request.method === "OPTIONS"
    ? new Response(null, { status: 204, headers })
    : refuse(context, gatewayCodes, "method-not-allowed", { headers });
};
