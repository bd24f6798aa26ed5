/**
 * A circuit breaker for stores, so that requests do not wait for a failing store: for one key after one failure, for
 * a shard after failures of several of its keys. One client's key cannot switch counting off for others. Per isolate.
 */
import { hashPosition } from "../core/pipeline.ts";
import { hashTagOf, KeyRefused } from "../core/ports/state.ts";
import type { Deps } from "../core/types.ts";

export interface StoreBreaker {
  /** Whether the store must not be called for this key now. */
  readonly isOpen: (key: string) => boolean;
  readonly failed: (key: string, cause: unknown) => void;
  readonly succeeded: (key: string) => void;
}

/** How long the breaker stays open for a key or a shard. */
const openMs = 1000;
/** Failing keys of a shard that open its breaker. */
const maxFailingKeys = 5;
/**
 * The number of lanes. A shard of state holds one or more lanes: the number of shards is a power of two, at most
 * sixteen.
 */
const lanes = 16;

export const storeBreaker = ({ now }: Pick<Deps, "now">): StoreBreaker => {
  /** Failed keys by lane, and until when the breaker is open for each. */
  const failing = new Map<number, Map<string, number>>();
  const laneOf = (key: string): number => Math.floor(hashPosition(hashTagOf(key)) * lanes);

  const failingKeysOf = (lane: number): Map<string, number> | undefined => {
    const keys = failing.get(lane);
    if (!keys) return undefined;
    for (const [key, until] of keys) if (until <= now()) keys.delete(key);
    if (keys.size > 0) return keys;
    failing.delete(lane);
    return undefined;
  };

  return {
    isOpen: (key) => {
      if (failing.size === 0) return false;
      const keys = failingKeysOf(laneOf(key));
      return keys !== undefined && (keys.size >= maxFailingKeys || keys.has(key));
    },
    failed: (key, cause) => {
      if (cause instanceof KeyRefused) return;
      const lane = laneOf(key);
      const keys = failingKeysOf(lane) ?? new Map<string, number>();
      failing.set(lane, keys);
      // Requests in flight when the breaker opened add no further keys.
      if (keys.size < maxFailingKeys || keys.has(key)) keys.set(key, now() + openMs);
    },
    succeeded: (key) => {
      if (failing.size > 0) failing.get(laneOf(key))?.delete(key);
    },
  };
};
