/** Tries one case on a tier: its gates and the front ahead of them are linked anew for it, over real state and a clock of its own. */
import { front as frontOf } from "../../../functions/front.ts";
import type { Plan } from "../../../functions/gateway/core/plan.ts";
import { stateBinding } from "../../../functions/gateway/core/ports/state.ts";
import { traceOf } from "../../../functions/gateway/core/trace.ts";
import type { Caller, Deps, Outcome } from "../../../functions/gateway/core/types.ts";
import type { Parts } from "../../../functions/gateway/part.ts";
import { behindFront, stranger } from "../../../functions/gateway/proxy/forwarding.ts";
import { type Gateway, link } from "../../../functions/gateway/server.ts";
import { type Answer, type Batch, type Conversation, type Heard, mark, type Send, type Told } from "../input/batch.ts";
import { type Clock, clockFrom } from "./clock.ts";
import { type Presenters, presented } from "./credentials.ts";
import { codeOf, hungUp, requestOf } from "./messages.ts";
import { type Services, services } from "./services.ts";
import { type Passage, triedBy } from "./coverage-marks.ts";

/** Asks the state of this case; milliseconds since the epoch. */
export type AskState = (request: Request, now: number) => Promise<Response>;

export const tryOut = async (
  batch: Batch,
  it: Conversation,
  parts: Parts,
  present: Presenters,
  ask: AskState,
): Promise<Told> => {
  const clock = clockFrom(it.at);
  // Libraries ask it by themselves, such as the one that counts limits.
  Date.now = clock.now;
  try {
    return await conversation(batch, it, parts, worldOf(batch, clock, present, ask));
  } finally {
    Date.now = realNow;
  }
};

const realNow = Date.now;

const conversation = async (batch: Batch, it: Conversation, parts: Parts, world: World): Promise<Told> => {
  const city = linked(batch, parts, world);
  const told: Heard[][] = [];
  for (const step of it.steps) {
    await world.clock.pass(step.afterMs);
    world.down = new Set(step.down);
    world.services.tell(step.replies);
    const heard: Heard[] = [];
    for (const send of step.sends) heard.push(await sent(send, batch, world, city));
    told.push(heard);
  }
  return told;
};

interface World {
  readonly clock: Clock;
  readonly services: Services;
  readonly deps: Deps;
  /** What does not answer at the moment. */
  down: ReadonlySet<string>;
  passage: Passage | undefined;
  outcome: Outcome;
  causes: string[];
  /** Tokens that were taken back, by their marks. */
  readonly revoked: Set<string>;
  readonly present: Presenters;
}

const worldOf = (batch: Batch, clock: Clock, present: Presenters, ask: AskState): World => {
  let ids = 0;
  const world: World = {
    clock,
    services: services(clock, batch.services, batch.copying),
    deps: {
      env: {
        ...batch.secrets,
        ...Object.fromEntries(Object.entries(batch.stores).map(([name, all]) => [name, store(name, all, () => world)])),
        [stateBinding(batch.tier)]: {
          fetch: async (input: string, init: RequestInit) => {
            const kept = input.includes("/once") ? "nonces" : "counts";
            if (world.down.has("state") || world.down.has(kept)) throw new Error("state is down");
            return clock.busy(whole(ask(new Request(input, init), clock.now())));
          },
        },
      },
      version: "test",
      fetch: async (input) => issuer(input, batch, world.down),
      now: clock.now,
      random: () => 0.5,
      uuid: () => `00000000-0000-4000-8000-${String(++ids).padStart(12, "0")}`,
      sleep: clock.sleep,
      after: clock.after,
      // What nobody waits for changes no case.
      defer: () => {},
      log: (line) => {
        const { type, cause } = line as { readonly type?: string; readonly cause?: string };
        if (type === "fault" && cause !== undefined) world.causes.push(cause);
      },
      count: (_, __, ___, { outcome }) => {
        world.outcome = outcome;
      },
      cache: { match: async () => undefined, put: async () => {} },
    },
    down: new Set(),
    passage: undefined,
    outcome: { verdict: "failed" },
    causes: [],
    revoked: new Set(),
    present,
  };
  return world;
};

/** Here with its body: what comes over from state in real time must not be waited for in the case's. */
const whole = async (answer: Promise<Response>): Promise<Response> => {
  const response = await answer;
  return new Response(await response.text(), response);
};

const store = (name: string, all: Readonly<Record<string, string>>, world: () => World) => ({
  get: async (key: string) => {
    if (world().down.has(name.toLowerCase())) throw new Error(`the KV namespace ${name} is down`);
    if (world().revoked.has(key)) return "";
    const value = all[key];
    return value === undefined ? null : JSON.parse(value);
  },
});

/** All that a filter fetches by itself are the keys of whoever issues tokens. */
const issuer = (input: Request | string, { issuers }: Batch, down: ReadonlySet<string>): Response => {
  if (down.has("issuers")) throw new Error("the issuer is down");
  if (input instanceof Request) throw new Error(`nothing answers ${input.url} in a test`);
  return Response.json({ keys: Object.values(issuers).map(({ published }) => published) });
};

type City = (request: Request) => Promise<Response>;

/** The front ahead of the gates, as the entries have it. */
const linked = (batch: Batch, parts: Parts, world: World): City => {
  const gates = Object.entries(batch.plans).map(
    ([binding, plan]) =>
      [binding, watched(plan, link(plan, world.services.around(parts, plan), world.deps), world)] as const,
  );
  const [, only] = gates[0] as (typeof gates)[number];
  const { front } = batch;
  if (front === null) return (request) => only(request, stranger(request.headers, world.deps.uuid));
  const env = Object.fromEntries(
    gates.map(([binding, gate]) => [
      binding,
      {
        fetch: (request: Request) => gate(request, behindFront(request.headers, world.deps.uuid)),
      } as unknown as Fetcher,
    ]),
  );
  const app = frontOf(front);
  return async (request) => app.fetch(request, env, { waitUntil: () => {} });
};

type Watched = (request: Request, caller: Caller) => Promise<Response>;

const watched =
  (plan: Plan, serve: Gateway, world: World): Watched =>
  async (request, caller) => {
    const trace = traceOf(world.deps.now);
    world.outcome = { verdict: "failed" };
    try {
      return await serve(request, { ...caller, trace });
    } finally {
      const { route, decisions } = trace;
      world.passage = { plan, route, decisions, outcome: world.outcome };
    }
  };

const sent = async (send: Send, { issuers }: Batch, world: World, city: City): Promise<Heard> => {
  const answers = new Map<string, Answer & { times: number }>();
  const tried = new Set<string>();
  world.services.seen();
  world.services.hurry(send.stream !== "stalled");
  world.causes = [];
  for (let time = 0; time < send.repeat; time++) {
    if (time > 0 && time % send.burst === 0) await world.clock.pass(send.everyMs);
    const answer = await world.clock.until(once(send, issuers, world, city));
    await world.clock.until(world.services.settled());
    for (const it of world.passage ? triedBy(world.passage) : []) tried.add(it);
    const key = mark(String(answer.status), answer.code ?? "", answer.by ?? "", answer.route);
    const known = answers.get(key);
    if (known) known.times++;
    else answers.set(key, answer);
  }
  return {
    ...world.services.seen(),
    answers: [...answers.values()],
    tried: [...tried],
    causes: [...new Set(world.causes)],
  };
};

const withCredentials = (
  request: Request,
  { credentials, body }: Send,
  keys: Batch["issuers"],
  { clock, revoked, present }: World,
): Promise<Request> =>
  presented(request, credentials, present, {
    body,
    now: clock.now(),
    uuid: () => crypto.randomUUID(),
    keys,
    revoke: (key) => revoked.add(key),
  });

const longestBody = 64 * 1024;

const once = async (send: Send, issuers: Batch["issuers"], world: World, city: City): Promise<Answer> => {
  world.passage = undefined;
  const arrived = requestOf(send);
  const response =
    arrived instanceof Response ? arrived : await city(await withCredentials(arrived, send, issuers, world));
  const body = response.status === 101 ? hungUp(response) : (await response.text()).slice(0, longestBody);
  const passage = world.passage as Passage | undefined;
  return {
    times: 1,
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body,
    route: passage?.route ?? "",
    code: codeOf(response.headers, body),
    by: passage?.outcome.by ?? null,
    decisions: passage?.decisions ?? [],
  };
};
