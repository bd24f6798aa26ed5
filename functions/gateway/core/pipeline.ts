/**
 * Composes a filter chain: guards run in sequence, layers nest, and a guard can be shadowed or applied to a share of
 * users.
 */

import { networkOf } from "../http/client-network.ts";
import type { RequestPredicate } from "../routing/matchers.ts";
import { Body, BodyAwaited, Consumer, getFact, setFact } from "./facts.ts";
import { noteDecision, tracedGuard } from "./trace.ts";
import type { Caller, Context, Fact, Guard, Handler, Layer, LocalReply } from "./types.ts";

export type Step =
  | { readonly kind: "guard"; readonly id: string; readonly guard: Guard; readonly localReply?: LocalReply | undefined }
  | { readonly kind: "layer"; readonly id: string; readonly layer: Layer };

/** Consecutive guards become one segment inside the layers ahead of them. */
export const pipeline = (steps: readonly Step[], last: Handler): Handler => {
  let next = last;
  let guards: { id: string; guard: Guard }[] = [];
  for (const step of steps.toReversed()) {
    if (step.kind === "guard") guards.unshift(step);
    else {
      next = step.layer(runGuards(guards, next));
      guards = [];
    }
  }
  return runGuards(guards, next);
};

/** Awaits only promises, so that a synchronous guard costs one call and one comparison. */
const runGuards = (steps: readonly { readonly id: string; readonly guard: Guard }[], next: Handler): Handler => {
  if (steps.length === 0) return next;
  return async (request, context) => {
    let at = "";
    try {
      for (const { id, guard } of steps) {
        at = id;
        const { trace } = context.caller;
        const verdict = trace ? tracedGuard(trace, id, guard, request, context) : guard(request, context);
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

/** Facts of a shadowed guard. `BodyAwaited` is shared, since timeouts depend on it. */
class ShadowFacts extends Map<Fact<unknown>, unknown> {
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
 * `mode: shadow`: runs the guard on a copy of the context, records its decision, and lets the request pass. Its facts
 * and edits stay in the copy, so that nothing depends on a rule that is not enforced.
 */
export const shadowGuard =
  (id: string, guard: Guard): Guard =>
  (request, context) => {
    const shadowContext: Context = {
      ...context,
      facts: new ShadowFacts(context.facts),
      outbound: [],
      inbound: [],
      outcome: { verdict: "passed" },
    };
    const recordDecision = (decision: string): undefined => {
      context.outcome.shadow = { ...context.outcome.shadow, [id]: decision };
      noteDecision(context, "shadowed", decision);
    };
    const keepBodyAndRecord = (decision: string): undefined => {
      // The body cannot be read twice.
      const body = getFact(shadowContext, Body);
      if (body) setFact(context, Body, body);
      return recordDecision(decision);
    };
    const onVerdict = (answer: Response | undefined) =>
      keepBodyAndRecord(answer === undefined ? "pass" : (shadowContext.outcome.code ?? String(answer.status)));
    const onError = (error: unknown) => {
      // The bytes already read are lost, so the rest must not be forwarded.
      if (request.bodyUsed && !getFact(shadowContext, Body)) throw error;
      return keepBodyAndRecord("failed");
    };
    try {
      const verdict = guard(request, shadowContext);
      return verdict instanceof Promise ? verdict.then(onVerdict, onError) : onVerdict(verdict);
    } catch (error) {
      return onError(error);
    }
  };

/** `when`: runs the guard only for matching requests. */
export const guardWhen =
  (matches: RequestPredicate, guard: Guard): Guard =>
  (request, context) =>
    matches(request, context.url) ? guard(request, context) : noteDecision(context, "skipped", "when");

/** `when`: completes local replies only for matching requests. */
export const localReplyWhen = (
  matches: RequestPredicate,
  { complete, grantsPreflight: grants }: LocalReply,
): LocalReply => ({
  complete: (request, context, headers) => {
    if (matches(request, context.url)) complete(request, context, headers);
  },
  grantsPreflight: (request, context) => matches(request, context.url) && grants(request, context),
});

/** `when`: applies the layer only to matching requests. */
export const layerWhen =
  (matches: RequestPredicate, layer: Layer): Layer =>
  (next) => {
    const wrapped = layer(next);
    return (request, context) => (matches(request, context.url) ? wrapped : next)(request, context);
  };

/**
 * `percent`: applies the guard to a stable share of users. The key is nothing that a client chooses, or a client
 * could find one that is exempt. Users without a key are not exempt.
 */
export const percentGuard =
  (id: string, share: number, guard: Guard): Guard =>
  (request, context) => {
    const key = getFact(context, Consumer)?.id ?? networkKeyOf(context.caller);
    const isSelected = key === null || hashPosition(`${id}\n${key}`) < share;
    return isSelected ? guard(request, context) : noteDecision(context, "skipped", "percent");
  };

/** The key for stable shares: the consumer, else the client's gray key, else the network. */
export const userKeyOf = (context: Context): string | null =>
  getFact(context, Consumer)?.id ?? clientKeyOf(context.caller);

/** The same key before any filter has run. */
export const clientKeyOf = (caller: Pick<Caller, "grayKey" | "ip">): string | null =>
  caller.grayKey || networkKeyOf(caller);

const networkKeyOf = ({ ip }: Pick<Caller, "ip">): string | null => networkOf(ip) || null;

/** Hashes a key to [0, 1): FNV-1a and a finalizer, so that keys that differ only at the end spread as well. */
export const hashPosition = (key: string): number => {
  let hash = 0x811c9dc5;
  for (let index = 0; index < key.length; index++) hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
};
