/** Links a plan with the parts it names into one handler, and answers whatever happens inside with a problem. */
import { accessLog } from "./access-log.ts";
import { deadline } from "./deadline.ts";
import { BodyLimit, learn, Target } from "./facts.ts";
import { answer, type Codes, Fault, gatewayCodes, refuse, upstreamCodes } from "./faults.ts";
import { hostOf } from "./hop.ts";
import { apply } from "./outbound.ts";
import type { Parts } from "./part.ts";
import { pipeline, type Step, sampled, shadowed } from "./pipeline.ts";
import type { FilterPlan, Plan, RoutePlan } from "./plan.ts";
import { bytes, milliseconds, share } from "./quantities.ts";
import { template } from "./references.ts";
import { type Match, router } from "./router.ts";
import type { Caller, Context, Deps, Guard, Handler, Layer } from "./types.ts";

export type Gateway = (request: Request, caller: Caller) => Promise<Response>;

/** A route, ready to run: with its upstream at the end, and for a preflight with nothing behind its filters. */
interface Linked {
  readonly name: string;
  readonly run: Handler;
  readonly preflight: Handler;
  readonly upgrade: boolean;
}

/**
 * Prepares everything once, so that a request only works.
 * @throws where a part refuses its configuration: the platform then refuses the version
 */
export const link = (plan: Plan, parts: Parts, deps: Deps): Gateway => {
  const filters = mapValues(plan.filters, (filter, id) => stepsOf(id, filter, parts, deps));
  const upstreams = mapValues(plan.upstreams, (upstream, name): Handler => {
    const call = partOf(parts.upstreams, upstream.use)(upstream.with, deps);
    const late = () => new Fault(upstreamCodes, "upstream-timeout", { detail: `No answer within ${upstream.timeout}` });
    return attributed(name, deadline(milliseconds(upstream.timeout), late, deps)(timed(call, deps)));
  });
  const match = router(
    Object.entries(plan.routes).map(([name, route]) => {
      const steps = route.filters.flatMap((id) => filters[id] ?? []);
      const upstream = aimed(route, upstreams[route.to] as Handler);
      const linked: Linked = {
        name,
        run: pipeline(steps, upstream),
        preflight: pipeline(steps, async () => new Response(null, { status: 204 })),
        upgrade: route.upgrade === "websocket",
      };
      return { methods: route.methods, path: route.path, value: linked };
    }),
  );
  const hosts = new Set(plan.hosts);
  const bodyLimit = bytes(plan.limits.body);
  const record = accessLog(share(plan.log.sample), deps);

  const dispatch = (request: Request, context: Context, found: Match<Linked>): Promise<Response> | Response => {
    if (!hosts.has(hostOf(context.url))) return refuse(context, gatewayCodes, "host-unknown");
    if (ambiguous.test(context.url.pathname)) return refuse(context, gatewayCodes, "path-ambiguous");
    if (found.kind === "none") return refuse(context, gatewayCodes, "route-unknown");
    if (found.kind === "method") return otherMethod(request, context, found.allow);
    const { run, preflight, upgrade } = found.value;
    if (request.headers.has("upgrade") && !upgrade) return refuse(context, gatewayCodes, "upgrade-not-allowed");
    return preflightMethod(request) === null ? run(request, context) : preflight(request, context);
  };

  return async (request, caller) => {
    const started = deps.now();
    const url = new URL(request.url);
    const found = match(preflightMethod(request) ?? request.method, url.pathname);
    const context = contextOf(caller, url, plan.tier, found);
    learn(context, BodyLimit, bodyLimit);
    // Where the client leaves, the runtime cancels all that follows, so its line is written then or never.
    const left = () => {
      context.outcome.verdict = "left";
      record(request, clientClosedRequest, context, started);
    };
    request.signal.addEventListener("abort", left);
    let response: Response;
    try {
      response = await dispatch(request, context, found);
      if (context.outcome.code !== undefined) context.outcome.verdict = "refused";
    } catch (error) {
      response = rescue(error, context, deps);
    } finally {
      request.signal.removeEventListener("abort", left);
    }
    record(request, response.status, context, started);
    return finish(response, context);
  };
};

/** What a line says of a request whose client left, after the habit of other gateways. It is never sent. */
const clientClosedRequest = 499;

/** An encoded slash, backslash or null means one thing to a router and another to many a service behind it. */
const ambiguous = /%(?:2f|5c|00)/i;

const mapValues = <A, B>(all: Readonly<Record<string, A>>, map: (value: A, key: string) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(all).map(([key, value]) => [key, map(value, key)]));

const partOf = <T>(parts: Readonly<Record<string, T>>, name: string): T => {
  const part = parts[name];
  if (part === undefined) throw new Error(`this gate was linked without the part "${name}"; build it anew`);
  return part;
};

const stepsOf = (id: string, filter: FilterPlan, parts: Parts, deps: Deps): Step[] => {
  if (filter.mode === "off") return [];
  const made = partOf(parts.filters, filter.use)(filter.with, deps);
  if (filter.kind === "layer") return [{ kind: "layer", id, layer: attributedLayer(id, made as Layer) }];
  const guard = filter.mode === "shadow" ? shadowed(id, made as Guard) : (made as Guard);
  const part = share(filter.percent);
  return [{ kind: "guard", id, guard: part < 1 ? sampled(id, part, guard) : guard }];
};

/** Notes who failed, unless someone further in has been noted. A refusal is the request's doing, not the part's. */
const attributed =
  (name: string, handler: Handler): Handler =>
  async (request, context) => {
    try {
      return await handler(request, context);
    } catch (error) {
      if (!(error instanceof Fault && error.meaning.status < 500)) context.outcome.by ??= name;
      throw error;
    }
  };

const attributedLayer =
  (id: string, layer: Layer): Layer =>
  (next) =>
    attributed(id, layer(next));

const timed =
  (handler: Handler, deps: Deps): Handler =>
  async (request, context) => {
    const started = deps.now();
    try {
      return await handler(request, context);
    } finally {
      context.outcome.upstreamMs = deps.now() - started;
    }
  };

/** Sets what the upstream is asked for, when all filters have had their say. */
const aimed = (route: RoutePlan, upstream: Handler): Handler => {
  if (route.target === undefined) return upstream;
  const target = template(route.target, "path");
  return (request, context) => {
    const path = target(request, context);
    if (path === undefined) throw new Fault(gatewayCodes, "reference-malformed");
    learn(context, Target, path);
    return upstream(request, context);
  };
};

/** A CORS preflight walks the filters of the method that it asks about, and ends at the gate (Fetch, CORS-preflight request). */
const preflightMethod = ({ method, headers }: Request): string | null =>
  method === "OPTIONS" && headers.has("origin") ? headers.get("access-control-request-method") : null;

const otherMethod = (request: Request, context: Context, allow: readonly string[]): Response => {
  const headers = { allow: allow.join(", ") };
  return request.method === "OPTIONS"
    ? new Response(null, { status: 204, headers })
    : refuse(context, gatewayCodes, "method-not-allowed", { headers });
};

const contextOf = (caller: Caller, url: URL, tier: string, found: Match<Linked>): Context => ({
  caller,
  url,
  route: { tier, name: found.kind === "found" ? found.value.name : "" },
  captures: found.kind === "found" ? found.captures : {},
  signal: undefined,
  facts: new Map(),
  outbound: [],
  inbound: [],
  outcome: { verdict: "passed" },
});

/** Faults keep their code; anything else is `internal`, told to the log and to nobody outside. */
const rescue = (error: unknown, context: Context, deps: Deps): Response => {
  const fault =
    error instanceof Fault ? (error as Fault<Codes>) : new Fault<Codes>(gatewayCodes, "internal", { cause: error });
  const { code, meaning, options, cause } = fault;
  const { tier, name } = context.route;
  context.outcome.verdict = meaning.status < 500 ? "refused" : "failed";
  context.outcome.code = code;
  if (meaning.status >= 500 && cause !== undefined)
    deps.log({
      type: "fault",
      tier,
      route: name || null,
      code,
      cause: describe(cause),
      request: context.caller.requestId,
    });
  return answer(code, meaning, context.caller.requestId, options);
};

const describe = (cause: unknown): string =>
  (cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause)).slice(0, 500);

/** The response's one copy, with the edits that filters recorded. */
const finish = (response: Response, context: Context): Response => {
  const copy = new Response(response.body, response);
  apply(copy.headers, context.inbound);
  copy.headers.set("x-request-id", context.caller.requestId);
  return copy;
};
