/** Counts limits with `@upstash/ratelimit` over any store that runs its scripts. */
import { Ratelimit } from "@upstash/ratelimit/dist/index.mjs";
import type { LimitRule, ScriptStore, StoreLimiter } from "../core/ports/limits.ts";
import { refillOf } from "./algorithms.ts";

/** The library's type of Redis. The limits used here call only what a store has. */
type Redis = ConstructorParameters<typeof Ratelimit>[0]["redis"];

export const limiter: StoreLimiter = (rule, prefix, store) => {
  const library = new Ratelimit({
    redis: withReplyChecks(store, rule) as unknown as Redis,
    limiter: algorithmOf(rule),
    prefix,
    // By default the library answers "success" after its own timeout, and caches without a bound.
    timeout: 0,
    ephemeralCache: false,
    analytics: false,
    enableTelemetry: false,
  });
  return async (key, weight = 1) => {
    const { success, limit, remaining, reset } = await library.limit(key, { rate: weight });
    return { allowed: success, limit, remaining, reset };
  };
};

const algorithmOf = (rule: LimitRule) => {
  const { algorithm, count, windowMs, burst } = rule;
  switch (algorithm) {
    case "fixed-window":
      return Ratelimit.fixedWindow(count, `${windowMs} ms`);
    case "sliding-window":
      return Ratelimit.slidingWindow(count, `${windowMs} ms`);
    case "token-bucket": {
      const { refill, intervalMs } = refillOf(rule);
      return Ratelimit.tokenBucket(refill, `${intervalMs} ms`, burst);
    }
  }
};

/** Rejects replies that no counter could give, since a broken store must not look like one that allows. */
const withReplyChecks = (store: ScriptStore, { algorithm, count, burst }: LimitRule): ScriptStore => {
  const limit = algorithm === "token-bucket" ? burst : count;
  const length = algorithm === "token-bucket" ? 3 : 2;
  const isValidReply = (reply: unknown): boolean =>
    Array.isArray(reply) &&
    reply.length === length &&
    reply.every(Number.isSafeInteger) &&
    reply.at(-1) === limit &&
    (algorithm === "fixed-window" ? reply[0] >= 1 : reply[0] >= -limit && reply[0] < limit);
  const checkedReply = (reply: unknown): unknown => {
    if (!isValidReply(reply))
      throw new Error(`the store answered ${JSON.stringify(reply)?.slice(0, 100)}, which is not a count`);
    return reply;
  };
  return {
    evalsha: async (sha, keys, args) => checkedReply(await store.evalsha(sha, keys, args)),
    eval: async (script, keys, args) => checkedReply(await store.eval(script, keys, args)),
  };
};
