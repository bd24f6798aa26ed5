/**
 * The harness of tests of parts: a gate between a client and a fake service. Tests send requests and see what the service
 * and the client receive. It needs no test framework.
 */
import type { FilterPlan, Plan, RoutePlan } from "../gateway/core/plan.ts";
import { stateClient } from "../gateway/core/ports/state.ts";
import type { Caller, Deps, FilterInstance, Guard, Layer } from "../gateway/core/types.ts";
import { limiter } from "../gateway/limits/store-counter.ts";
import type { MakeUpstream, Parts } from "../gateway/part.ts";
import { parseMatch } from "../gateway/routing/match.ts";
import type { Matcher } from "../gateway/routing/matchers.ts";
import { buildRouteTable } from "../gateway/routing/route-table.ts";
import { link } from "../gateway/server.ts";
import { cutover } from "../gateway/service/cutover.ts";
import { streamAge } from "../gateway/streaming/max-age.ts";
import { watchBodies } from "../gateway/streaming/watched-body.ts";
import { webSocketAge } from "../gateway/streaming/websocket-age.ts";
import { make as http } from "../upstreams/http.ts";
import { memoryState } from "./memory-state.ts";

/** A fake of one location's cache. Gates that share it are isolates of that location. */
export const locationCache = (): Deps["cache"] => {
  const all = new Map<string, { readonly body: string; readonly headers: Headers }>();
  return {
    match: async (key) => {
      const known = all.get(String(key));
      return known && new Response(known.body, { headers: known.headers });
    },
    put: async (key, response) => void all.set(String(key), { body: await response.text(), headers: response.headers }),
  };
};

/** The cache secret that `postern deploy` generates for a gate. */
export const cacheKey = (of = "a"): Record<string, string> => ({ POSTERN_CACHE_KEY: of.repeat(43) });

/** Fake dependencies whose clock advances only when a test says so. */
export interface FakeDeps extends Deps {
  readonly advance: (ms: number) => Promise<void>;
  readonly lines: object[];
}

export const fakeDeps = (over: Partial<Deps> = {}): FakeDeps => {
  let now = Date.UTC(2026, 10, 1);
  let ids = 0;
  const sleepers = new Set<{ readonly at: number; readonly wake: () => void }>();
  const lines: object[] = [];
  return {
    env: cacheKey(),
    version: "v1",
    fetch: () => Promise.reject(new Error("tests have no network")),
    now: () => now,
    random: () => 0.5,
    uuid: () => `00000000-0000-4000-8000-${String(++ids).padStart(12, "0")}`,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const sleeper = { at: now + ms, wake: resolve };
        sleepers.add(sleeper);
        signal?.addEventListener("abort", () => {
          sleepers.delete(sleeper);
          reject(signal.reason);
        });
      }),
    after: (ms, work) => {
      const sleeper = { at: now + ms, wake: work };
      sleepers.add(sleeper);
      return () => void sleepers.delete(sleeper);
    },
    defer: (work) => void work(),
    log: (line) => void lines.push(line),
    state: stateClient(memoryState(() => now)),
    limiter,
    cache: locationCache(),
    lines,
    advance: async (ms) => {
      now += ms;
      for (const sleeper of [...sleepers]) if (sleeper.at <= now) sleeper.wake();
      await new Promise((turn) => setTimeout(turn, 0));
    },
    ...over,
  };
};

/** The instance of a filter that a test creates itself. */
export const filterInstance: FilterInstance = { tier: "tier", id: "it" };

export const caller: Caller = {
  requestId: "00000000-0000-4000-8000-00000000cafe",
  traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  ip: "203.0.113.7",
  grayKey: "device-1",
};

/** A request as the upstream received it. */
export interface UpstreamRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

export interface ClientResponse {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly text: string;
  /** The problem code, if any. */
  readonly code: string | undefined;
  readonly upstream: readonly UpstreamRequest[];
  readonly line: Record<string, unknown> | undefined;
}

export interface GateOptions {
  readonly fakeDeps?: FakeDeps;
  readonly caller?: Partial<Caller>;
  /** Answers requests to the service; by default 200 and "ok". */
  readonly replies?: (request: Request) => Response | Promise<Response>;
  /** Replaces the upstream over HTTP at https://service.example. */
  readonly upstream?: MakeUpstream;
  readonly filters?: Readonly<Record<string, Partial<FilterPlan>>>;
  readonly routes?: Readonly<Record<string, RouteOptions>>;
  readonly timeout?: string;
  readonly hosts?: readonly string[];
  readonly limits?: Partial<Plan["limits"]>;
  readonly sample?: string;
}

/** A route with its match; by default without filters, to the service. */
export interface RouteOptions extends Partial<RoutePlan> {
  readonly "encoded-slashes"?: "keep";
  readonly match: string;
  readonly when?: readonly Matcher[];
}

type Make = (deps: Deps) => Guard | Layer;

/** A gate with these filters in order, in front of a service at https://service.example. */
export const gateHarness = (filters: Readonly<Record<string, Make>>, options: GateOptions = {}) => {
  const upstreamRequests: UpstreamRequest[] = [];
  const baseDeps = options.fakeDeps ?? fakeDeps();
  const deps: Deps = { ...baseDeps, fetch: network(upstreamRequests, options, baseDeps) };
  const serve = link(planOf(Object.keys(filters), options), partsOf(filters, options), deps);

  /** @param line `GET /path`, or with a whole URL */
  const send = async (line: string, init: RequestInit = {}): Promise<ClientResponse> => {
    const [method = "", target = ""] = line.split(" ");
    const url = target.startsWith("/") ? `https://gate.example${target}` : target;
    const from = upstreamRequests.length;
    const response = await serve(new Request(url, { ...init, method }), { ...caller, ...options.caller });
    const text = await response.clone().text();
    const isProblem = response.headers.get("content-type") === "application/problem+json";
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      text,
      code: isProblem ? JSON.parse(text).code : undefined,
      upstream: upstreamRequests.slice(from),
      line: baseDeps.lines.at(-1) as Record<string, unknown> | undefined,
    };
  };
  return { send, fakeDeps: baseDeps };
};

/** The plan and parts that a gate is linked from. */
export const planAndParts = (filters: Readonly<Record<string, Make>>, options: GateOptions) => ({
  plan: planOf(Object.keys(filters), options),
  parts: partsOf(filters, options),
});

const service = "https://service.example";

/** The fake service: records requests, and aborts with their signal like a real fetch. */
const network =
  (upstreamRequests: UpstreamRequest[], options: GateOptions, { fetch }: FakeDeps): Deps["fetch"] =>
  async (input, init) => {
    if (new URL(typeof input === "string" ? input : input.url).hostname !== "service.example")
      return fetch(input, init);
    const request = new Request(input, init);
    const aborted = new Promise<never>((_, reject) => {
      request.signal.addEventListener("abort", () => reject(request.signal.reason));
    });
    const replied = async () => {
      const body = await request.clone().text();
      upstreamRequests.push({
        method: request.method,
        url: request.url,
        headers: Object.fromEntries(request.headers),
        body,
      });
      return (await options.replies?.(request)) ?? new Response("ok");
    };
    return Promise.race([replied(), aborted]);
  };

const planOf = (ids: readonly string[], options: GateOptions): Plan => {
  const routes: Readonly<Record<string, RouteOptions>> = options.routes ?? {
    all: { match: "ANY /{rest*}", filters: ids },
  };
  const withSlashes = Object.entries(routes).filter(([, it]) => it["encoded-slashes"] === "keep");
  return {
    api: "postern/v1",
    tier: "tier",
    environment: "test",
    level: "standard",
    hosts: options.hosts ?? ["gate.example"],
    limits: { body: "1MiB", concurrency: 1000, "client-share": "100%", "body-idle": "10s", ...options.limits },
    log: { sample: options.sample ?? "100%" },
    filters: Object.fromEntries(
      ids.map((id) => [
        id,
        { use: id, kind: "guard", mode: "enforce", percent: "100%", with: {}, ...options.filters?.[id] },
      ]),
    ),
    upstreams: Object.fromEntries(
      ["service", "other"].map((name) => [name, { use: name, timeout: options.timeout ?? "30s", with: {} }]),
    ),
    routes: Object.fromEntries(
      Object.entries(routes).map(([name, { match: _, when: __, "encoded-slashes": ___, ...route }]) => [
        name,
        { filters: [], goes: { to: "service" }, ...route },
      ]),
    ),
    table: tableFor(Object.entries(routes)),
    ...(withSlashes.length > 0 && { slashes: tableFor(withSlashes) }),
  };
};

const tableFor = (routes: readonly (readonly [string, RouteOptions])[]) =>
  buildRouteTable(routes.map(([route, { match, when }]) => ({ route, ...parseMatch(match), ...(when && { when }) })));

const partsOf = (filters: Readonly<Record<string, Make>>, options: GateOptions): Parts => ({
  filters: Object.fromEntries(
    Object.entries(filters).map(([id, make]) => [id, (_: unknown, deps: Deps) => make(deps)]),
  ),
  upstreams: {
    service: options.upstream ?? ((_, deps) => http({ url: service }, deps)),
    other: (_, deps) => http({ url: `${service}/other` }, deps),
  },
  cutover,
  streamAge,
  webSocketAge,
  watchBodies,
  limiter,
});
