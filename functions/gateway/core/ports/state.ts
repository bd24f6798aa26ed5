/** What a gate asks of state, and how: version 1 of the contract between the two, which are released apart. */

/** Of a script of the limit library. */
export interface ScriptCall {
  /** SHA-1 of the script's text, in hexadecimal digits. */
  readonly sha: string;
  readonly keys: readonly string[];
  readonly args: readonly number[];
}

export interface State {
  /**
   * Runs a script of the limit library where its counts are.
   * @returns what Redis would reply; undefined for a script that is not known there
   * @throws where state is gone, or does not speak this version
   */
  readonly run: (call: ScriptCall, signal?: AbortSignal) => Promise<unknown>;
  /**
   * Whether this is the first time that a key is seen.
   * @param forMs how long it is remembered, by the clock of state: gates' clocks may differ
   * @throws where state is gone, or does not speak this version
   */
  readonly once: (key: string, forMs: number, signal?: AbortSignal) => Promise<boolean>;
}

/** What the binding says of a gate: `tier` stands before the name of every object, so that no tier opens another's. */
export interface StateProps {
  readonly tier: string;
  /** Objects that the tier's keys are spread over. */
  readonly shards: number;
}

/** The gate's service binding to state. */
export const stateBinding = (tier: string): string => `STATE_${tier.toUpperCase().replaceAll("-", "_")}`;

/** The gate's service binding to the feed. */
export const feedBinding = (tier: string): string => `FEED_${tier.toUpperCase().replaceAll("-", "_")}`;

/** Says that the store answers, and that one key cannot be counted. It concerns no other key. */
export class KeyRefused extends Error {
  override readonly name = "KeyRefused";
}

/** What keys are spread by: the text in braces, as Redis Cluster does it, so that the windows of one key stay together. */
export const hashTagOf = (key: string): string => /\{([^{}]+)\}/.exec(key)?.[1] ?? key;

/** State answers, and this key cannot be counted: the question is too long or malformed, or its shard takes no new key. */
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
