/** Runs one case on a tier: links its gates and the front for it, with real state and a virtual clock. */
import { front as frontOf } from "../../../functions/front.ts";
import type { Plan } from "../../../functions/gateway/core/plan.ts";
import { stateBinding } from "../../../functions/gateway/core/ports/state.ts";
import { startTrace } from "../../../functions/gateway/core/trace.ts";
import type { Caller, Deps, Outcome } from "../../../functions/gateway/core/types.ts";
import type { Parts } from "../../../functions/gateway/part.ts";
import { callerFromFront, untrustedCaller } from "../../../functions/gateway/proxy/forwarding.ts";
import { type Gateway, link } from "../../../functions/gateway/server.ts";
import {
  type Batch,
  type CaseResults,
  type Conversation,
  coverageMark,
  type ObservedResponse,
  type Send,
  type SendResult,
} from "../input/batch.ts";
import { type Clock, createClock } from "./clock.ts";
import { coverageMarks, type RequestRecord } from "./coverage-marks.ts";
import { type Presenters, presented } from "./credentials.ts";
import { closeWebSocket, problemCode, requestOf } from "./messages.ts";
import { createServices, type FakeServices } from "./services.ts";

/** Calls the state of this case. @param now milliseconds since the epoch */
export type CallState = (request: Request, now: number) => Promise<Response>;

export const runCase = async (
  batch: Batch,
  it: Conversation,
  parts: Parts,
  present: Presenters,
  callState: CallState,
): Promise<CaseResults> => {
  const clock = createClock(it.at);
  // Libraries call it directly, such as the rate limiter.
  Date.now = clock.now;
  try {
    return await runSteps(batch, it, parts, createContext(batch, clock, present, callState));
  } finally {
    Date.now = realNow;
  }
};

const realNow = Date.now;

const runSteps = async (batch: Batch, it: Conversation, parts: Parts, context: CaseContext): Promise<CaseResults> => {
  const ingress = linkGates(batch, parts, context);
  const results: SendResult[][] = [];
  for (const step of it.steps) {
    await context.clock.advance(step.afterMs);
    context.down = new Set(step.down);
    context.services.setReplies(step.replies);
    const stepResults: SendResult[] = [];
    for (const send of step.sends) stepResults.push(await sendAll(send, batch, context, ingress));
    results.push(stepResults);
  }
  return results;
};

interface CaseContext {
  readonly clock: Clock;
  readonly services: FakeServices;
  readonly deps: Deps;
  /** Stores that are unavailable at the moment. */
  down: ReadonlySet<string>;
  record: RequestRecord | undefined;
  outcome: Outcome;
  causes: string[];
  /** Revoked tokens, by their revocation keys. */
  readonly revoked: Set<string>;
  readonly present: Presenters;
}

const createContext = (batch: Batch, clock: Clock, present: Presenters, callState: CallState): CaseContext => {
  let ids = 0;
  const context: CaseContext = {
    clock,
    services: createServices(clock, batch.services, batch.copyingFilters),
    deps: {
      env: {
        ...batch.secrets,
        ...Object.fromEntries(
          Object.entries(batch.stores).map(([name, all]) => [name, fakeStore(name, all, () => context)]),
        ),
        [stateBinding(batch.tier)]: {
          fetch: async (input: string, init: RequestInit) => {
            const storeKind = input.includes("/once") ? "nonces" : "counts";
            if (context.down.has("state") || context.down.has(storeKind)) throw new Error("state is down");
            return clock.track(readFully(callState(new Request(input, init), clock.now())));
          },
        },
      },
      version: "test",
      fetch: async (input) => fakeIssuer(input, batch, context.down),
      now: clock.now,
      random: () => 0.5,
      uuid: () => `00000000-0000-4000-8000-${String(++ids).padStart(12, "0")}`,
      sleep: clock.sleep,
      after: clock.after,
      // Deferred work does not affect a case.
      defer: () => {},
      log: (line) => {
        const { type, cause } = line as { readonly type?: string; readonly cause?: string };
        if (type === "fault" && cause !== undefined) context.causes.push(cause);
      },
      recordRequest: (_, __, ___, { outcome }) => {
        context.outcome = outcome;
      },
      cache: { match: async () => undefined, put: async () => {} },
    },
    down: new Set(),
    record: undefined,
    outcome: { verdict: "failed" },
    causes: [],
    revoked: new Set(),
    present,
  };
  return context;
};

/** Buffers a response from state, so that its body does not arrive in real time later. */
const readFully = async (answer: Promise<Response>): Promise<Response> => {
  const response = await answer;
  return new Response(await response.text(), response);
};

const fakeStore = (name: string, all: Readonly<Record<string, string>>, context: () => CaseContext) => ({
  get: async (key: string) => {
    if (context().down.has(name.toLowerCase())) throw new Error(`the KV namespace ${name} is down`);
    if (context().revoked.has(key)) return "";
    const value = all[key];
    return value === undefined ? null : JSON.parse(value);
  },
});

/** The fake issuer: serves the keys of this run. Filters fetch nothing else. */
const fakeIssuer = (input: Request | string, { issuers }: Batch, down: ReadonlySet<string>): Response => {
  if (down.has("issuers")) throw new Error("the issuer is down");
  if (input instanceof Request) throw new Error(`nothing answers ${input.url} in a test`);
  return Response.json({ keys: Object.values(issuers).map(({ published }) => published) });
};

type Ingress = (request: Request) => Promise<Response>;

/** Links the gates behind the front, as the deployed entries do. */
const linkGates = (batch: Batch, parts: Parts, context: CaseContext): Ingress => {
  const gates = Object.entries(batch.plans).map(
    ([binding, plan]) =>
      [
        binding,
        traceGate(plan, link(plan, context.services.withUpstreams(parts, plan), context.deps), context),
      ] as const,
  );
  const [, only] = gates[0] as (typeof gates)[number];
  const { front } = batch;
  if (front === null) return (request) => only(request, untrustedCaller(request.headers, context.deps.uuid));
  const env = Object.fromEntries(
    gates.map(([binding, gate]) => [
      binding,
      {
        fetch: (request: Request) => gate(request, callerFromFront(request.headers, context.deps.uuid)),
      } as unknown as Fetcher,
    ]),
  );
  const app = frontOf(front);
  return async (request) => app.fetch(request, env, { waitUntil: () => {} });
};

type TracedGate = (request: Request, caller: Caller) => Promise<Response>;

const traceGate =
  (plan: Plan, serve: Gateway, context: CaseContext): TracedGate =>
  async (request, caller) => {
    const trace = startTrace(context.deps.now);
    context.outcome = { verdict: "failed" };
    try {
      return await serve(request, { ...caller, trace });
    } finally {
      const { route, decisions } = trace;
      context.record = { plan, route, decisions, outcome: context.outcome };
    }
  };

const sendAll = async (send: Send, { issuers }: Batch, context: CaseContext, ingress: Ingress): Promise<SendResult> => {
  const answers = new Map<string, ObservedResponse & { times: number }>();
  const visited = new Set<string>();
  context.services.seen();
  context.services.setBodiesEnd(send.stream !== "stalled");
  context.causes = [];
  for (let time = 0; time < send.repeat; time++) {
    if (time > 0 && time % send.burst === 0) await context.clock.advance(send.everyMs);
    const answer = await context.clock.waitFor(sendOnce(send, issuers, context, ingress));
    await context.clock.waitFor(context.services.settled());
    for (const it of context.record ? coverageMarks(context.record) : []) visited.add(it);
    const key = coverageMark(String(answer.status), answer.code ?? "", answer.by ?? "", answer.route);
    const previous = answers.get(key);
    if (previous) previous.times++;
    else answers.set(key, answer);
  }
  return {
    ...context.services.seen(),
    answers: [...answers.values()],
    tried: [...visited],
    causes: [...new Set(context.causes)],
  };
};

const withCredentials = (
  request: Request,
  { credentials, body }: Send,
  keys: Batch["issuers"],
  { clock, revoked, present }: CaseContext,
): Promise<Request> =>
  presented(request, credentials, present, {
    body,
    now: clock.now(),
    uuid: () => crypto.randomUUID(),
    keys,
    revoke: (key) => revoked.add(key),
  });

const maxBodyLength = 64 * 1024;

const sendOnce = async (
  send: Send,
  issuers: Batch["issuers"],
  context: CaseContext,
  ingress: Ingress,
): Promise<ObservedResponse> => {
  context.record = undefined;
  const incoming = requestOf(send);
  const response =
    incoming instanceof Response ? incoming : await ingress(await withCredentials(incoming, send, issuers, context));
  const body = response.status === 101 ? closeWebSocket(response) : (await response.text()).slice(0, maxBodyLength);
  const record = context.record as RequestRecord | undefined;
  return {
    times: 1,
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body,
    route: record?.route ?? "",
    code: problemCode(response.headers, body),
    by: record?.outcome.by ?? null,
    decisions: record?.decisions ?? [],
  };
};
