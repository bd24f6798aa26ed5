/** Composes a chain: guards run flat, layers wrap like an onion, and a rule can be shadowed or given to a share of users. */

import { network } from "../http/client-network.ts";
import type { Holds } from "../routing/matchers.ts";
import { Body, BodyAwaited, Consumer, known, learn } from "./facts.ts";
import { noted, watched } from "./trace.ts";
import type { Caller, Context, Fact, Guard, Handler, Layer, LocalReply } from "./types.ts";

export type Step =
  | { readonly kind: "guard"; readonly id: string; readonly guard: Guard; readonly localReply?: LocalReply | undefined }
  | { readonly kind: "layer"; readonly id: string; readonly layer: Layer };

/** Consecutive guards become one flat segment inside the layers written before them. */
export const pipeline = (steps: readonly Step[], last: Handler): Handler => {
  let next = last;
  let run: { id: string; guard: Guard }[] = [];
  for (const step of steps.toReversed()) {
    if (step.kind === "guard") run.unshift(step);
    else {
      next = step.layer(flat(run, next));
      run = [];
    }
  }
  return flat(run, next);
};

/** Awaits only promises: a synchronous guard then costs a call and a comparison. */
const flat = (steps: readonly { readonly id: string; readonly guard: Guard }[], next: Handler): Handler => {
  if (steps.length === 0) return next;
  return async (request, context) => {
    let at = "";
    try {
      for (const { id, guard } of steps) {
        at = id;
        const { trace } = context.caller;
        const verdict = trace ? watched(trace, id, guard, request, context) : guard(request, context);
        if (verdict === undefined) continue;
        const answer = verdict instanceof Promise ? await verdict : verdict;
        if (answer === undefined) continue;
        context.outcome.verdict = context.outcome.code === undefined ? "answered" : "refused";
        context.outcome.by = id;
        return answer;
      }
    } catch (error) {
      context.outcome.by ??= at;
      throw error;
    }
    return next(request, context);
  };
};

/** Facts that a shadowed guard finds and learns. Whether the gate waits for the client is for everybody who measures time. */
class TrialFacts extends Map<Fact<unknown>, unknown> {
  readonly #all: Context["facts"];
  constructor(all: Context["facts"]) {
    super();
    this.#all = all;
    for (const [fact, value] of all) super.set(fact, value);
  }
  override set(fact: Fact<unknown>, value: unknown): this {
    if (fact === BodyAwaited) this.#all.set(fact, value);
    return super.set(fact, value);
  }
}

/**
 * `mode: shadow`: the guard decides on a copy of the context, its decision is noted, and the request passes.
 * What it learns or edits stays in the copy, since nothing may rest on a rule that is not enforced.
 */
export const shadowed =
  (id: string, guard: Guard): Guard =>
  (request, context) => {
    const trial: Context = {
      ...context,
      facts: new TrialFacts(context.facts),
      outbound: [],
      inbound: [],
      outcome: { verdict: "passed" },
    };
    const note = (decision: string): undefined => {
      context.outcome.shadow = { ...context.outcome.shadow, [id]: decision };
      noted(context, "shadowed", decision);
    };
    const done = (decision: string): undefined => {
      // Its bytes cannot be read a second time.
      const body = known(trial, Body);
      if (body) learn(context, Body, body);
      return note(decision);
    };
    const decided = (answer: Response | undefined) =>
      done(answer === undefined ? "pass" : (trial.outcome.code ?? String(answer.status)));
    const failed = (error: unknown) => {
      // What of a body was read is gone, and the rest alone must not go on.
      if (request.bodyUsed && !known(trial, Body)) throw error;
      return done("failed");
    };
    try {
      const verdict = guard(request, trial);
      return verdict instanceof Promise ? verdict.then(decided, failed) : decided(verdict);
    } catch (error) {
      return failed(error);
    }
  };

/** `when`: the guard is for requests that fulfil its conditions. */
export const guardWhen =
  (holds: Holds, guard: Guard): Guard =>
  (request, context) =>
    holds(request, context.url) ? guard(request, context) : noted(context, "skipped", "when");

/** `when`: what the guard says of local replies is for requests that fulfil its conditions. */
export const localReplyWhen = (holds: Holds, { complete, grants }: LocalReply): LocalReply => ({
  complete: (request, context, headers) => {
    if (holds(request, context.url)) complete(request, context, headers);
  },
  grants: (request, context) => holds(request, context.url) && grants(request, context),
});

/** `when`: the layer wraps requests that fulfil its conditions. */
export const layerWhen =
  (holds: Holds, layer: Layer): Layer =>
  (next) => {
    const wrapped = layer(next);
    return (request, context) => (holds(request, context.url) ? wrapped : next)(request, context);
  };

/**
 * `percent`: the guard applies to a share of users, the same ones each time. It goes by nothing that the client chooses, or
 * whoever tries a few keys would find one that the guard lets pass. A user of whom nothing is known is not exempted.
 */
export const sampled =
  (id: string, share: number, guard: Guard): Guard =>
  (request, context) => {
    const key = known(context, Consumer)?.id ?? networkOf(context.caller);
    const meets = key === null || position(`${id}\n${key}`) < share;
    return meets ? guard(request, context) : noted(context, "skipped", "percent");
  };

/** What keeps a user on one side of a share: the consumer where it is known, else the key that the client brought, else the address. */
export const userOf = (context: Context): string | null => known(context, Consumer)?.id ?? clientOf(context.caller);

/** The same before any filter has run. */
export const clientOf = (caller: Pick<Caller, "grayKey" | "ip">): string | null => caller.grayKey || networkOf(caller);

const networkOf = ({ ip }: Pick<Caller, "ip">): string | null => network(ip) || null;

/** Where a key stands in [0, 1): FNV-1a, then a finalizer so that keys that differ at their end spread as well. */
export const position = (key: string): number => {
  let hash = 0x811c9dc5;
  for (let index = 0; index < key.length; index++) hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
};
