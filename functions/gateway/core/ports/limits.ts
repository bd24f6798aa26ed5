/** What a limit is, whoever counts it. */

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
  /** When there is more; milliseconds since the epoch. */
  readonly reset: number;
}

/** Counts a request of this weight against a key. At once where the answer is known here. */
export type LimitCounter = (key: string, weight?: number) => LimitVerdict | Promise<LimitVerdict>;

/** Runs the library's scripts: what Redis does with EVALSHA and EVAL. */
export interface ScriptStore {
  readonly evalsha: (sha: string, keys: readonly string[], args: readonly unknown[]) => Promise<unknown>;
  readonly eval: (script: string, keys: readonly string[], args: readonly unknown[]) => Promise<unknown>;
}

/**
 * Counts in a store.
 * @param prefix of its keys
 * @throws what the store throws, and where it answers what no counter could
 */
export type StoreLimiter = (
  rule: LimitRule,
  prefix: string,
  store: ScriptStore,
) => (key: string, weight?: number) => Promise<LimitVerdict>;
