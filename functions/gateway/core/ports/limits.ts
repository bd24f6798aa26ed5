/** What a limit is, whoever counts it. */

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

/**
 * Counts in a store.
 * @param prefix of its keys
 * @throws what the store throws, and where it answers what no counter could
 */
export type Limiter = (rule: Rule, prefix: string, store: Store) => (key: string, weight?: number) => Promise<Verdict>;
