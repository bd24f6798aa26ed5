/** Limits as `@upstash/ratelimit` counts them, over whatever store runs its scripts. */
import { Ratelimit } from "@upstash/ratelimit/dist/index.mjs";
import { type Call, evenly } from "./limit-scripts.ts";
import { within } from "./patience.ts";
import type { State } from "./state.ts";
import type { Deps } from "./types.ts";

export interface Rule {
  readonly algorithm: "fixed-window" | "sliding-window" | "token-bucket";
  /** Requests in a window. */
  readonly count: number;
  readonly windowMs: number;
  /** The most tokens of a bucket. */
  readonly burst: number;
}

export interface Verdict {
  readonly allowed: boolean;
  readonly limit: number;
  readonly remaining: number;
  /** When there is more; milliseconds since the epoch. */
  readonly reset: number;
}

/** Counts a request of this weight against a key. At once where the answer is known here. */
export type Limit = (key: string, weight?: number) => Verdict | Promise<Verdict>;

/** Runs the library's scripts: what Redis does with EVALSHA and EVAL. */
export interface Store {
  readonly evalsha: (sha: string, keys: readonly string[], args: readonly unknown[]) => Promise<unknown>;
  readonly eval: (script: string, keys: readonly string[], args: readonly unknown[]) => Promise<unknown>;
}

/** All of Redis that the library's types ask for; the limits in use here call no more than a store has. */
type Redis = ConstructorParameters<typeof Ratelimit>[0]["redis"];

/**
 * @param prefix of its keys
 * @throws what the store throws, and where it answers what no counter could
 */
export const limiter = (
  rule: Rule,
  prefix: string,
  store: Store,
): ((key: string, weight?: number) => Promise<Verdict>) => {
  const library = new Ratelimit({
    redis: honest(store, rule) as unknown as Redis,
    limiter: algorithmOf(rule),
    prefix,
    // The library would answer "success" after its own timeout, and remember without a bound.
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

const algorithmOf = (rule: Rule) => {
  const { algorithm, count, windowMs, burst } = rule;
  switch (algorithm) {
    case "fixed-window":
      return Ratelimit.fixedWindow(count, `${windowMs} ms`);
    case "sliding-window":
      return Ratelimit.slidingWindow(count, `${windowMs} ms`);
    case "token-bucket": {
      const { refill, intervalMs } = evenly(rule);
      return Ratelimit.tokenBucket(refill, `${intervalMs} ms`, burst);
    }
  }
};

/** Takes no answer that no counter could give: a store that is broken must not look like one that allows. */
const honest = (store: Store, { algorithm, count, burst }: Rule): Store => {
  const limit = algorithm === "token-bucket" ? burst : count;
  const length = algorithm === "token-bucket" ? 3 : 2;
  const sound = (reply: unknown): boolean =>
    Array.isArray(reply) &&
    reply.length === length &&
    reply.every(Number.isSafeInteger) &&
    reply.at(-1) === limit &&
    (algorithm === "fixed-window" ? reply[0] >= 1 : reply[0] >= -limit && reply[0] < limit);
  const checked = (reply: unknown): unknown => {
    if (!sound(reply)) throw new Error(`the store answered ${JSON.stringify(reply)?.slice(0, 100)}, which is no count`);
    return reply;
  };
  return {
    evalsha: async (sha, keys, args) => checked(await store.evalsha(sha, keys, args)),
    eval: async (script, keys, args) => checked(await store.eval(script, keys, args)),
  };
};

/** The library sends a script's text only to a store that does not know its hash. */
const notKnown = (): never => {
  throw new Error(
    "NOSCRIPT the store does not know this script; its gate is linked with another version of the library",
  );
};

const native = (run: (call: Call) => Promise<unknown>): Store => ({
  evalsha: async (sha, keys, args) => (await run({ sha, keys, args: args.map(Number) })) ?? notKnown(),
  eval: async () => notKnown(),
});

/** Counts in the tier's Durable Objects. */
export const inState = (state: State, timeoutMs: number, deps: Pick<Deps, "after">): Store =>
  native((call) => within(timeoutMs, deps, (signal) => state.run(call, signal)));
