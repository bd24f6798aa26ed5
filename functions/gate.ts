/**
 * The gate: the Worker of one tier. Links the tier's plan with its parts, behind two entrypoints of different trust.
 */
import { env, WorkerEntrypoint, waitUntil } from "cloudflare:workers";
import { contextOf } from "./gateway/context.ts";
import type { Plan } from "./gateway/core/plan.ts";
import { feedBinding } from "./gateway/core/ports/state.ts";
import { gatewayCodes, problemResponse } from "./gateway/core/problems.ts";
import type { Caller, Deps } from "./gateway/core/types.ts";
import type { Explain } from "./gateway/explain.ts";
import { invalidUrl } from "./gateway/http/request-url.ts";
import { uncachedIfCacheable } from "./gateway/http/uncached.ts";
import type { FeedSource, LinkLive } from "./gateway/live.ts";
import { clusterName, clusterOf } from "./gateway/observability/clusters.ts";
import type { ReportSink, Telemetry } from "./gateway/observability/metrics.ts";
import type { Parts } from "./gateway/part.ts";
import { callerFromFront, untrustedCaller, versionHeader } from "./gateway/proxy/forwarding.ts";
import { type Gateway, link } from "./gateway/server.ts";

const workerDeps = (): Deps => ({
  env: env as unknown as Record<string, unknown>,
  version: (env as { readonly VERSION?: WorkerVersionMetadata }).VERSION?.id || "unversioned",
  fetch: (request, init) => {
    const cacheOptions = uncachedIfCacheable(typeof request === "string" ? request : request.url);
    return fetch(request, cacheOptions ? { ...init, ...cacheOptions } : init);
  },
  now: () => Date.now(),
  random: () => Math.random(),
  uuid: () => crypto.randomUUID(),
  sleep,
  after: (ms, work) => {
    const timer = setTimeout(work, ms);
    return () => clearTimeout(timer);
  },
  defer: (work) => waitUntil(work()),
  // Lazy: the cache must not be accessed while the Worker starts.
  cache: { match: (key) => caches.default.match(key), put: (key, value) => caches.default.put(key, value) },
  log: (line) => console.log(JSON.stringify(line)),
});

const sleep: Deps["sleep"] = (ms, signal) =>
  new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const timer = setTimeout(resolve, ms);
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    signal?.addEventListener("abort", stop, { once: true });
    return undefined;
  });

/**
 * The two entrypoints of a gate. `zone` serves a public route and trusts no internal header. `Behind` is reached only
 * by a service binding that names it, so only there the front's headers are trusted.
 */
export const gate = (plan: Plan, parts: Parts, extras: Extras = {}): Entrypoints => {
  const deps = workerDeps();
  const gateway = linkGate(plan, parts, withTelemetry(plan.tier, deps, extras.telemetry), extras);
  const serve = (extras.explain ?? withoutExplain)(plan.tier, gateway, deps);
  return {
    zone: { fetch: (request) => serve(request, untrustedCaller(request.headers, deps.uuid)) },
    Behind: class extends WorkerEntrypoint {
      override fetch(request: Request): Promise<Response> {
        return withVersionHeader(serve, request, callerFromFront(request.headers, deps.uuid), deps);
      }
    },
  };
};

/**
 * One gate for several small tiers. The `props` of the front's binding name the tier, and no request can change them.
 * A tier that cannot be linked fails alone.
 */
export const sharedGate = (
  plans: readonly Plan[],
  parts: Parts,
  extras: Extras = {},
): { readonly Behind: Behind<SharedProps> } => {
  const deps = workerDeps();
  const gateways = new Map(
    plans.map((plan) => {
      const gateway = linkOrUnavailable(plan, parts, deps, extras);
      return [plan.tier, (extras.explain ?? withoutExplain)(plan.tier, gateway, deps)];
    }),
  );
  return {
    Behind: class extends WorkerEntrypoint<Cloudflare.Env, SharedProps> {
      override fetch(request: Request): Promise<Response> {
        const caller = callerFromFront(request.headers, deps.uuid);
        const { tier = null } = this.ctx.props;
        const serve = gateways.get(tier ?? "") ?? unavailable(tier, "the binding names no tier of this gate", deps);
        return withVersionHeader(serve, request, caller, deps);
      }
    },
  };
};

/** Optional parts of a gate, by environment. */
export interface Extras {
  readonly explain?: Explain;
  readonly telemetry?: Telemetry;
  readonly live?: LinkLive;
}

const linkGate = (plan: Plan, parts: Parts, deps: Deps, { live }: Extras): Gateway => {
  const feed = deps.env[feedBinding(plan.tier)] as Fetcher | undefined;
  return live && feed ? live(plan, parts, deps, feedSource(plan.tier, feed, deps)) : link(plan, parts, deps);
};

const feedSource = (tier: string, feed: Fetcher, { env }: Deps): FeedSource => ({
  read: async () => {
    const response = await feed.fetch("https://feed/", { signal: AbortSignal.timeout(feedTimeoutMs) });
    if (!response.ok) throw new Error(`the feed answered ${response.status}`);
    return response.json();
  },
  copy: async () => (await (env.COPY as KVNamespace | undefined)?.get(`feed/${tier}`, "stream")) ?? null,
  defer: waitUntil,
});

/** Short, since a request may be waiting. */
const feedTimeoutMs = 1000;

const withTelemetry = (tier: string, deps: Deps, telemetry: Telemetry | undefined): Deps => {
  const control = deps.env.TELEMETRY as Fetcher | undefined;
  return telemetry && control ? { ...deps, ...telemetry(tier, deps, reportSink(control)) } : deps;
};

/** No request waits for it. */
const telemetryTimeoutMs = 5000;

const reportSink = (control: Fetcher): ReportSink => ({
  send: async (report) => {
    const body = JSON.stringify(report);
    const signal = AbortSignal.timeout(telemetryTimeoutMs);
    const { ok, status } = await control.fetch("https://control/v1/report", { method: "POST", body, signal });
    if (!ok) throw new Error(`control answered ${status}`);
  },
  defer: waitUntil,
});

/** Adds the version to responses for testers. The front lets nobody else request it. */
const withVersionHeader = (serve: Gateway, request: Request, caller: Caller, { version }: Deps): Promise<Response> => {
  const response = serve(request, caller);
  if (!caller.tester) return response;
  return response.then((it) => {
    it.headers.set(versionHeader, version);
    return it;
  });
};

/** Used by gates without explain keys, so that they do not bundle the code. */
const withoutExplain: Explain = (_, serve) => serve;

interface SharedProps {
  readonly tier?: string;
}

const linkOrUnavailable = (plan: Plan, parts: Parts, deps: Deps, extras: Extras): Gateway => {
  const gateDeps = withTelemetry(plan.tier, deps, extras.telemetry);
  try {
    return linkGate(plan, parts, gateDeps, extras);
  } catch (error) {
    return unavailable(plan.tier, error instanceof Error ? error.message : String(error), gateDeps);
  }
};

/** Responds in place of a tier's gateway, writes its log lines, and counts the failure of its version. */
const unavailable =
  (tier: string | null, cause: string, { log, now, version, recordRequest }: Deps): Gateway =>
  async (incoming, caller) => {
    const code = "gate-unavailable";
    const { status } = gatewayCodes[code];
    const { method } = incoming;
    const { requestId: request } = caller;
    const started = now();
    const time = new Date(started).toISOString();
    const context = contextOf({ caller, started, url: invalidUrl, tier: tier ?? "" });
    Object.assign(context.outcome, { verdict: "failed", code });
    const cluster = clusterName(clusterOf(context));
    log({ type: "fault", tier, route: null, code, cause, request });
    log({
      type: "access",
      time,
      tier,
      route: null,
      version,
      method,
      status,
      verdict: "failed",
      code,
      cluster,
      request,
    });
    recordRequest?.(incoming, undefined, status, context, started);
    return problemResponse(code, gatewayCodes[code], request, {
      headers: { "retry-after": "5", "x-request-id": request },
    });
  };

interface Entrypoints {
  readonly zone: { readonly fetch: (request: Request) => Promise<Response> };
  readonly Behind: Behind<object>;
}

type Behind<Props> = new (
  context: ExecutionContext<Props>,
  env: Cloudflare.Env,
) => WorkerEntrypoint<Cloudflare.Env, Props>;
