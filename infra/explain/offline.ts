/** Runs a request through its tier's pipeline in this process, without network: services and stores are fakes that record calls. */
import { tierFinder } from "../../functions/front/tier-finder.ts";
import { stateBinding } from "../../functions/gateway/core/ports/state.ts";
import { gatewayCodes } from "../../functions/gateway/core/problems.ts";
import { startTrace } from "../../functions/gateway/core/trace.ts";
import type { Decision, Deps } from "../../functions/gateway/core/types.ts";
import { hostOf } from "../../functions/gateway/http/hosts.ts";
import { limiter } from "../../functions/gateway/limits/store-counter.ts";
import type { Parts } from "../../functions/gateway/part.ts";
import { link } from "../../functions/gateway/server.ts";
import { streamAge } from "../../functions/gateway/streaming/max-age.ts";
import { watchBodies } from "../../functions/gateway/streaming/watched-body.ts";
import { webSocketAge } from "../../functions/gateway/streaming/websocket-age.ts";
import { memoryState } from "../../functions/testing/memory-state.ts";
import { tierPlans } from "../compiler/check/validations.ts";
import type { Compiled } from "../compiler/compile.ts";
import { requiredSecrets } from "../compiler/emit/wrangler.ts";
import { lower } from "../compiler/lower/lower.ts";
import { requiredBindings } from "../compiler/lower/platform.ts";
import type { CheckedTier } from "../compiler/model/checked.ts";
import { compileModule } from "../openapi/module.ts";
import { partModules, registry } from "../project/registry.ts";
import { type CopyRecorder, withCopies } from "./copies.ts";
import { maskTokens } from "./hidden.ts";
import { provideStreams } from "./streams.ts";

export interface ExplainRequest {
  readonly request: Request;
  readonly ip: string;
  readonly grayKey: string | null;
  /** Available secret values, by name. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Whether issuers' keys may be fetched. */
  readonly online: boolean;
}

/** A request to a service. */
export interface Call {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Copy extends Call {
  readonly filter: string;
}

export interface Explained {
  readonly tier: CheckedTier | undefined;
  readonly route: string;
  readonly decisions: readonly Decision[];
  readonly status: number;
  readonly code: string | undefined;
  /** Detail of the problem, such as the timeout. */
  readonly detail: string | undefined;
  /** The request to the service, with secrets masked. */
  readonly upstream: Call | undefined;
  /** The copies that mirrors would send, by filter id. */
  readonly copies: readonly Copy[];
  /** What could not be evaluated offline, and why. */
  readonly unknown: readonly string[];
}

export const explainOffline = async (compiled: Compiled, explainRequest: ExplainRequest): Promise<Explained> => {
  const url = new URL(explainRequest.request.url);
  const found = tierFinder(compiled.front.tiers)(hostOf(url), url.pathname);
  if (typeof found === "string") return unrouted(found);
  const tier = compiled.tiers.find(({ checked }) => checked.manifest.tier === found.tier)?.checked as CheckedTier;
  const fakes = fakeDeps(tier, compiled, explainRequest);
  const makersOf = <Part>(all: Readonly<Record<string, { readonly make: Part }>>) =>
    Object.fromEntries(Object.entries(all).map(([name, { make }]) => [name, make]));
  const plan = lower(tier, compiled.environment.name, tier.routes);
  const parts = {
    filters: withCopies(makersOf(partModules.filters), copyingFilters(), fakes.copyRecorder),
    upstreams: makersOf(partModules.upstreams),
    ...(await loadValidators(tier)),
    streamAge,
    webSocketAge,
    watchBodies,
    limiter,
  };
  const handle = link(plan, parts, fakes.deps);
  const trace = startTrace(() => performance.now());
  const { ip, grayKey, request } = explainRequest;
  const requestId = crypto.randomUUID();
  const traceparent = `00-${requestId.replaceAll("-", "")}-${requestId.slice(0, 16).replaceAll("-", "0")}-00`;
  const response = await handle(request, { requestId, traceparent, ip, grayKey, trace });
  return {
    tier,
    route: trace.route,
    decisions: trace.decisions,
    status: response.status,
    ...parseProblem(response.headers, await response.text()),
    upstream: fakes.seen(),
    copies: await fakes.copies(),
    unknown: fakes.unknown,
  };
};

/** Kinds of filters that send copies. */
const copyingFilters = (): string[] =>
  Object.entries(registry.filters).flatMap(([use, { sendsCopies }]) => (sendsCopies ? [use] : []));

/** The validation module of the tier. */
const loadValidators = async (tier: CheckedTier): Promise<Pick<Parts, "validators">> => {
  const plans = tierPlans(tier);
  if (plans.length === 0) return {};
  const text = await compileModule(plans);
  return { validators: (await import(`data:text/javascript;base64,${Buffer.from(text).toString("base64")}`)).default };
};

/** Code and detail of a problem response; a response to HEAD has no body. */
export const parseProblem = (headers: Headers, text: string): Pick<Explained, "code" | "detail"> => {
  const isProblem = headers.get("content-type") === "application/problem+json" && text !== "";
  const { code, detail }: Partial<Record<"code" | "detail", string>> = isProblem ? JSON.parse(text) : {};
  return { code, detail };
};

const unrouted = (code: keyof typeof gatewayCodes): Explained => ({
  tier: undefined,
  route: "",
  decisions: [],
  status: gatewayCodes[code].status,
  code,
  detail: undefined,
  upstream: undefined,
  copies: [],
  unknown: [],
});

const fakeDeps = (tier: CheckedTier, compiled: Compiled, { secrets, online }: ExplainRequest) => {
  provideStreams();
  const unknown: string[] = [];
  let seen: Explained["upstream"];
  for (const name of requiredSecrets([tier]))
    if (!Object.hasOwn(secrets, name))
      unknown.push(`the secret ${name} is not available here, so results that depend on it are a guess`);
  const maskSecrets = (text: string): string =>
    Object.values(secrets).reduce((shown, it) => (it === "" ? shown : shown.replaceAll(it, "•••")), maskTokens(text));

  const fakeService = async (input: Request | string, init?: RequestInit): Promise<Response> => {
    // The body is not read, so streaming is allowed.
    seen = toCall(new Request(input, { ...init, duplex: "half" } as RequestInit));
    return new Response(null, { status: 200 });
  };
  const toCall = (request: Request): Call => ({
    method: request.method,
    url: maskSecrets(request.url),
    headers: Object.fromEntries([...request.headers].map(([name, value]) => [name, maskSecrets(value)])),
  });
  const { copyRecorder, settledCopies } = recordCopies(toCall);
  const fetchOffline: Deps["fetch"] = async (input, init) => {
    // Requests to services carry the trace; the gate's own fetches do not.
    if (new Headers(init?.headers ?? (input as Request).headers).has("traceparent")) return fakeService(input, init);
    if (online) return fetch(input, init);
    unknown.push(`${new URL(input).origin} was not called; --online calls it`);
    throw new Error("offline");
  };
  const env = offlineEnv(tier, compiled, secrets, fakeService, unknown);
  const deps: Deps = {
    env,
    version: "offline",
    fetch: fetchOffline,
    now: () => Date.now(),
    random: () => Math.random(),
    uuid: () => crypto.randomUUID(),
    sleep: (ms, signal) => sleep(ms, signal),
    after: (ms, work) => {
      const timer = setTimeout(work, ms);
      return () => clearTimeout(timer);
    },
    // Deferred work does not affect verdicts.
    defer: () => {},
    log: () => {},
    cache: { match: async () => undefined, put: async () => {} },
  };
  return { deps, copyRecorder, unknown, seen: () => seen, copies: settledCopies };
};

/** Records the copies of requests that filters send. */
const recordCopies = (toCall: (request: Request) => Call) => {
  const copies: Copy[] = [];
  const pendingCopies: Promise<unknown>[] = [];
  const copyRecorder: CopyRecorder = {
    network: (filter) => async (input, init) => {
      copies.push({ filter, ...toCall(new Request(input, init)) });
      return new Response(null, { status: 200 });
    },
    onCopy: (work) => void pendingCopies.push(work),
  };
  const settledCopies = async (): Promise<readonly Copy[]> => {
    await Promise.allSettled(pendingCopies);
    return copies;
  };
  return { copyRecorder, settledCopies };
};

/** The gate's bindings without a platform: known consumers, counters in memory, and stores that are not available. */
const offlineEnv = (
  tier: CheckedTier,
  compiled: Compiled,
  secrets: ExplainRequest["secrets"],
  fakeService: (input: Request | string, init?: RequestInit) => Promise<Response>,
  unknown: string[],
) => {
  const consumers = new Map(compiled.consumers.map(({ key, value }) => [key, value]));
  const namespaces: Readonly<Record<string, object>> = {
    CONSUMERS: { get: async (key: string) => JSON.parse(consumers.get(key) ?? "null") },
  };
  const absentStore = (namespace: string) => ({
    get: async () => {
      unknown.push(`the KV namespace ${namespace} is not here`);
      throw new Error("offline");
    },
  });
  return Object.fromEntries([
    ...requiredSecrets([tier]).map((name) => [name, secrets[name] ?? `no value of ${name} is here`]),
    ...requiredBindings(tier).map((it) => {
      if (it.kind === "service") return [it.binding, { fetch: fakeService }];
      if (it.kind === "kv") return [it.binding, namespaces[it.binding] ?? absentStore(it.namespace)];
      return [stateBinding(tier.manifest.tier), memoryState(() => Date.now())];
    }),
  ]);
};

const sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
