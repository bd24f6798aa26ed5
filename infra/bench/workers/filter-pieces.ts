/** Runs one filter many times and measures it. Used by `infra/bench/measure/filters.ts`. */
import { filters } from "../../../functions/filters/registry.gen.ts";
import type { Plan } from "../../../functions/gateway/core/plan.ts";
import type { Context, Deps, Guard, Handler, Layer } from "../../../functions/gateway/core/types.ts";
import { limiter } from "../../../functions/gateway/limits/store-counter.ts";
import type { Parts } from "../../../functions/gateway/part.ts";
import { link } from "../../../functions/gateway/server.ts";
import { upstreams } from "../../../functions/upstreams/registry.gen.ts";

/** One filter, with requests that it accepts. */
export interface Probe {
  readonly use: string;
  /** The configuration that its schema parses. */
  readonly config: unknown;
  /** Headers of the requests, in turn. */
  readonly headers: readonly Readonly<Record<string, string>>[];
}

export interface FilterBenchInput {
  readonly probes: Readonly<Record<string, Probe>>;
  /** Values of secrets. */
  readonly env: Readonly<Record<string, string>>;
  /** The plan of a gate with the five filters. */
  readonly plan: Plan;
}

/** Returns the milliseconds of all calls. */
export type Piece = (times: number) => Promise<number>;

/** Dependencies that answer at once, so that only the filter is measured. */
const depsOf = (env: FilterBenchInput["env"]): Deps => ({
  env: { ...env, CONSUMERS: { get: async () => ({ id: "shop", labels: {} }) } },
  version: "bench",
  fetch: () => Promise.reject(new Error("no service is called")),
  now: () => Date.now(),
  random: () => Math.random(),
  uuid: () => crypto.randomUUID(),
  sleep: () => new Promise(() => {}),
  after: () => () => {},
  defer: () => {},
  log: () => {},
  cache: { match: async () => undefined, put: async () => {} },
  state: { run: async () => undefined, once: async () => true },
  limiter,
});

const url = new URL("https://gate.example/v1/users/7/orders");

const contextOf = (): Context => ({
  caller: { requestId: "", traceparent: "", ip: "10.1.2.3", grayKey: null },
  started: 0,
  url,
  route: { tier: "orders", name: "orders" },
  captures: { id: "7" },
  signal: undefined,
  facts: new Map(),
  outbound: [],
  inbound: [],
  outcome: { verdict: "passed" },
});

export const piecesOf = ({ probes, env, plan }: FilterBenchInput): Readonly<Record<string, Piece>> => {
  const deps = depsOf(env);
  const parts: Parts = { filters: makersOf(filters), upstreams: makersOf(upstreams), limiter };
  const linking: Piece = async (times) => {
    const startedAt = Date.now();
    for (let time = 0; time < times; time++) link(plan, parts, deps);
    return Date.now() - startedAt;
  };
  return {
    nothing: repeatGuard([{}], () => undefined),
    link: linking,
    ...Object.fromEntries(Object.entries(probes).map(([name, probe]) => [name, pieceOf(probe, deps)])),
  };
};

const makersOf = <T extends { readonly make: unknown }>(all: Readonly<Record<string, T>>) =>
  Object.fromEntries(Object.entries(all).map(([name, { make }]) => [name, make])) as Record<string, T["make"]>;

const pieceOf = ({ use, config, headers }: Probe, deps: Deps): Piece => {
  const module = filters[use];
  if (!module) throw new Error(`there is no filter "${use}"`);
  const filter = module.make(config, deps, { tier: "orders", id: use });
  if (module.spec().kind === "guard") return repeatGuard(headers, filter as Guard);
  const answered = Promise.resolve(new Response(null));
  const run: Handler = (filter as Layer)(() => answered);
  return repeatGuard(headers, async (request, context) => {
    await run(request, context);
    return undefined;
  });
};

/** Requests are created before the measurement. More calls use them again. */
const maxRequests = 2000;

const repeatGuard = (headers: Probe["headers"], guard: Guard): Piece => {
  let next = 0;
  return async (times) => {
    const requests = Array.from(
      { length: Math.min(maxRequests, times) },
      () => new Request(url, { headers: headers[next++ % headers.length] as Record<string, string> }),
    );
    const startedAt = Date.now();
    for (let time = 0; time < times; time++) {
      const verdict = guard(requests[time % requests.length] as Request, contextOf());
      const answer = verdict instanceof Promise ? await verdict : verdict;
      if (answer) throw new Error(`it was refused: ${await answer.text()}`);
    }
    return Date.now() - startedAt;
  };
};
