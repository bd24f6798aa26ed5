/** Links the routes of a plan: their filters, their destination and their upstreams. */
import { setFact, Target } from "./core/facts.ts";
import { pipeline } from "./core/pipeline.ts";
import type { Plan, RouteClosure, RoutePlan } from "./core/plan.ts";
import { Fault, gatewayCodes, refuse, upstreamCodes } from "./core/problems.ts";
import { bytes, milliseconds } from "./core/quantities.ts";
import type { Deps, Handler, HeaderEdit } from "./core/types.ts";
import { countByConsumer } from "./limits/consumer-share.ts";
import { localReplies } from "./local-reply.ts";
import { maxEntryMs } from "./overlay/overlay.ts";
import type { Parts } from "./part.ts";
import { deprecation } from "./proxy/deprecation.ts";
import { attributeUpstream } from "./service/attribution.ts";
import { destinationHandler } from "./service/destination.ts";
import { deadline } from "./service/timeout.ts";
import { requirePart, stepsOf } from "./steps.ts";

/** A linked route: the filters with the destination at the end, and without it for preflights. */
interface LinkedRoute {
  readonly run: Handler;
  readonly preflight: Handler;
  readonly upgrade: boolean;
  /** Header edits for every response of the route. */
  readonly responseEdits: readonly HeaderEdit[];
}

export interface LinkedRoutes {
  readonly routes: ReadonlyMap<string, LinkedRoute>;
  readonly localReply: ReturnType<typeof localReplies>;
}

export const linkRoutes = (plan: Plan, parts: Parts, deps: Deps): LinkedRoutes => {
  const filters = mapValues(plan.filters, (filter, id) =>
    stepsOf({ tier: plan.tier, id, limits: filter.limits }, filter, parts, deps),
  );
  const boundStream = streamLimits(plan, parts, deps);
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
    const closedHandler = route.closed && closureHandler(route.closed, deps);
    const withCutover = (ownHandler: Handler): Handler => parts.cutover?.(route, upstreams, ownHandler) ?? ownHandler;
    return {
      // A closed route is closed for both gateways.
      run: closedHandler ?? withCutover(withoutBase(plan.strip, pipeline(steps, last.run))),
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

/**
 * Takes the base from the path of the upstream request, ahead of all filters, so that they change the path that services
 * know. The old gateway of a cutover receives the request unmodified.
 */
const withoutBase = (base: string | undefined, next: Handler): Handler =>
  base === undefined
    ? next
    : (request, context) => {
        setFact(context, Target, { path: context.url.pathname.slice(base.length) || "/" });
        return next(request, context);
      };

/** Answers with the wait that the closure names, else with the time until it ends. */
const closureHandler =
  ({ "retry-after": wait, detail, until }: RouteClosure, { now }: Pick<Deps, "now">): Handler =>
  async (_, context) => {
    const waitMs = wait !== undefined ? milliseconds(wait) : until && Math.min(until - now(), maxEntryMs);
    return refuse(context, gatewayCodes, "route-closed", {
      ...(detail !== undefined && { detail }),
      // With 0 clients would retry at once.
      ...(waitMs !== undefined && { headers: { "retry-after": String(Math.max(1, Math.ceil(waitMs / 1000))) } }),
    });
  };

const mapValues = <A, B>(all: Readonly<Record<string, A>>, map: (value: A, key: string) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(all).map(([key, value]) => [key, map(value, key)]));

/** Only gates that limit streams bundle the code for it. */
const streamLimits = (
  { limits }: Plan,
  { streamAge, webSocketAge, watchBodies }: Parts,
  deps: Deps,
): ((next: Handler) => Handler) => {
  const idle = limits["response-idle"];
  const watch =
    idle === undefined
      ? (deps.measuresBodies && watchBodies?.(undefined, deps)) || unbounded
      : linked(watchBodies)(milliseconds(idle), deps);
  const { "stream-age": age, "websocket-age": webSocket, "websocket-bytes": carried } = limits;
  const boundBody = age === undefined ? unbounded : linked(streamAge)(milliseconds(age), deps);
  const boundWebSocket =
    webSocket === undefined || carried === undefined
      ? unbounded
      : linked(webSocketAge)({ ageMs: milliseconds(webSocket), maxCarried: bytes(carried) }, deps);
  // Beneath the age of streams, so that an end by age is no failure of the service.
  return (next) => boundWebSocket(boundBody(watch(next)));
};

const unbounded = (next: Handler): Handler => next;

const linked = <T>(limit: T | undefined): T => {
  if (limit === undefined) throw new Error("this gate was linked without its limit of streams; rebuild it");
  return limit;
};
