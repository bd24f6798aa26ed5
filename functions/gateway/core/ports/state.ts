/** The protocol between a gate and the state Worker, version 1. The two are released separately. */

/** Call of a script of the limit library. */
export interface ScriptCall {
  /** SHA-1 of the script's text, in hexadecimal digits. */
  readonly sha: string;
  readonly keys: readonly string[];
  readonly args: readonly number[];
}

export interface State {
  /**
   * Runs a script of the limit library where its counts are.
   * @returns what Redis would reply; undefined for an unknown script
   * @throws when state is unavailable or does not support this version
   */
  readonly run: (call: ScriptCall, signal?: AbortSignal) => Promise<unknown>;
  /**
   * Whether the key is new.
   * @param forMs how long the key is remembered, by the clock of state: gates' clocks may differ
   * @throws when state is unavailable or does not support this version
   */
  readonly once: (key: string, forMs: number, signal?: AbortSignal) => Promise<boolean>;
}

/** Props of a gate's binding. `tier` prefixes the name of every object, so that no tier can open another's. */
export interface StateProps {
  readonly tier: string;
  /** Number of objects that the tier's keys are spread over. */
  readonly shards: number;
}

/** The gate's service binding to state. */
export const stateBinding = (tier: string): string => `STATE_${tier.toUpperCase().replaceAll("-", "_")}`;

/** The gate's service binding to the feed. */
export const feedBinding = (tier: string): string => `FEED_${tier.toUpperCase().replaceAll("-", "_")}`;

/** Thrown when the store works but cannot count this key. Other keys are not affected. */
export class KeyRefused extends Error {
  override readonly name = "KeyRefused";
}

/**
 * The part of a key that selects its shard: the text in braces, as in Redis Cluster, so that the windows of one key
 * stay together.
 */
export const hashTagOf = (key: string): string => /\{([^{}]+)\}/.exec(key)?.[1] ?? key;

/** State refuses this key: the call is too long or malformed, or the shard is full. */
const keyRefusalStatuses: ReadonlySet<number> = new Set([400, 413, 507]);

export const stateClient = (binding: Pick<Fetcher, "fetch">): State => {
  const send = async <T>(operation: "run" | "once", key: string, body: object, signal?: AbortSignal): Promise<T> => {
    const url = `https://state/v1/${operation}?key=${encodeURIComponent(hashTagOf(key))}`;
    const response = await binding.fetch(url, {
      method: "POST",
      body: JSON.stringify(body),
      ...(signal && { signal }),
    });
    if (response.ok) return (await response.json()) as T;
    const message = `state answered ${response.status}: ${(await response.text()).slice(0, 200)}`;
    throw keyRefusalStatuses.has(response.status) ? new KeyRefused(message) : new Error(message);
  };
  return {
    run: async (call, signal) => (await send<{ reply?: unknown }>("run", call.keys[0] ?? "", call, signal)).reply,
    once: async (key, forMs, signal) => {
      const { first } = await send<{ first?: unknown }>("once", key, { key, forMs }, signal);
      if (typeof first !== "boolean") throw new Error("state did not say whether it is the first time");
      return first;
    },
  };
};
