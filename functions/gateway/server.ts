/** Links a plan with its parts into one handler, and turns every failure into a problem. */

import { contextOf } from "./context.ts";
import { acquireSlot, concurrencyLimit, releaseSlot } from "./core/concurrency.ts";
import { BodyLimit, setFact } from "./core/facts.ts";
import type { Plan } from "./core/plan.ts";
import { stateBinding, stateClient } from "./core/ports/state.ts";
import { busyFault } from "./core/problems.ts";
import { bytes, milliseconds, share } from "./core/quantities.ts";
import type { Caller, Context, Deps, GateSettings, RecordRequest } from "./core/types.ts";
import { dispatcher, locator } from "./dispatch.ts";
import { finishResponse } from "./finish.ts";
import { networkOf } from "./http/client-network.ts";
import { splitCookieField } from "./http/cookies.ts";
import { linkRoutes } from "./linked-routes.ts";
import { isLocalReply, otherMethodRoute } from "./local-reply.ts";
import { accessLog } from "./observability/access-log.ts";
import type { Parts } from "./part.ts";
import { hasBody } from "./proxy/send.ts";
import { rescue } from "./rescue.ts";
import { createRouteFinder } from "./routing/finder.ts";

export type Gateway = (request: Request, caller: Caller) => Promise<Response>;

export interface LinkedGateway extends Gateway {
  /**
   * Records a request whose client disconnected before the gate handled it.
   * @param started milliseconds since the epoch
   */
  readonly recordAbandoned: (request: Request, caller: Caller, started: number) => void;
}

/**
 * Links a gate. All preparation happens here, none per request.
 * @throws when a part rejects its configuration; the platform then refuses the version
 */
export const link = (plan: Plan, parts: Parts, deps: Deps): LinkedGateway => {
  const { tier, limits } = plan;
  const linked = linkRoutes(plan, parts, withState(tier, { ...deps, ...depsFromParts(parts, tier) }));
  const routeFinder = createRouteFinder(plan);
  const locate = locator(routeFinder);
  const dispatch = dispatcher(plan, linked);
  const concurrency = concurrencyLimit(limits.concurrency, share(limits["client-share"]), deps);
  const countsBodies = limits["concurrency-from"] === "body";
  const settings = settingsOf(plan, deps);
  const bodyLimit = bytes(limits.body);
  const { record, recordClientClosed } = recorder(plan, deps);

  const serve: Gateway = async (request, caller) => {
    const started = deps.now();
    const { url, preflightFor, found } = locate(request);
    const acquired = acquireSlot(concurrency, networkOf(caller.ip), countsBodies && hasBody(request), started);
    const slot = typeof acquired === "string" ? undefined : acquired;
    const context = contextOf({ caller, started, url, tier, settings, slot, found });
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
    if (isLocalReply(context)) {
      const route = context.route.name || otherMethodRoute(routeFinder.find, request, url, found);
      linked.localReply(route)?.complete(request, context, response.headers);
    }
    record(request, response, response.status, context, started);
    return response;
  };
  const recordAbandoned: LinkedGateway["recordAbandoned"] = (request, caller, started) => {
    const { url, found } = locate(request);
    recordClientClosed(request, contextOf({ caller, started, url, tier, settings, slot: undefined, found }), started);
  };
  return Object.assign(serve, { recordAbandoned });
};

const settingsOf = ({ limits, accepts }: Plan, { now }: Deps): GateSettings => ({
  now,
  bodyIdleMs: milliseconds(limits["body-idle"]),
  accepted: new Set(accepts),
});

/** Records requests in the access log and, with a control plane, in the telemetry. */
const recorder = (plan: Plan, deps: Deps) => {
  const log = accessLog(share(plan.log.sample), deps);
  const record: RecordRequest = (request, response, status, context, started) => {
    log(request, status, context, started);
    deps.recordRequest?.(request, response, status, context, started);
  };
  const recordClientClosed = (request: Request, context: Context, started: number): void => {
    context.outcome.verdict = "left";
    record(request, undefined, clientClosedRequest, context, started);
  };
  return { record, recordClientClosed };
};

const depsFromParts = ({ validators, limiter }: Parts, tier: string): Pick<Deps, "validators" | "limiter"> => ({
  ...(validators?.[tier] && { validators: validators[tier] }),
  ...(limiter && { limiter }),
});

/** Each tier has its own binding to state, which selects its objects. */
const withState = (tier: string, deps: Deps): Deps => {
  const binding = deps.env[stateBinding(tier)] as Fetcher | undefined;
  return binding ? { ...deps, state: stateClient(binding) } : deps;
};

/** The status in the log when the client disconnected, as in other gateways. Never sent. */
export const clientClosedRequest = 499;
