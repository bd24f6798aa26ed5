/** Types of rate limits, shared by all counters. */

export interface LimitRule {
  readonly algorithm: "fixed-window" | "sliding-window" | "token-bucket";
  /** Requests in a window. */
  readonly count: number;
  readonly windowMs: number;
  /** The most tokens of a bucket. */
  readonly burst: number;
}

export interface LimitVerdict {
  readonly allowed: boolean;
  readonly limit: number;
  readonly remaining: number;
  /** When the limit resets, in milliseconds since the epoch. */
  readonly reset: number;
}

/** Counts a request of this weight against a key. Synchronous when no store has to be called. */
export type LimitCounter = (key: string, weight?: number) => LimitVerdict | Promise<LimitVerdict>;

/** Runs the limit library's scripts, as Redis does with EVALSHA and EVAL. */
export interface ScriptStore {
  readonly evalsha: (sha: string, keys: readonly string[], args: readonly unknown[]) => Promise<unknown>;
  readonly eval: (script: string, keys: readonly string[], args: readonly unknown[]) => Promise<unknown>;
}

/**
 * Counts in a store.
 * @param prefix of its keys
 * @throws what the store throws, and on an invalid reply
 */
export type StoreLimiter = (
  rule: LimitRule,
  prefix: string,
  store: ScriptStore,
) => (key: string, weight?: number) => Promise<LimitVerdict>;
