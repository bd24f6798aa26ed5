/**
 * Stops asking a store that fails, so that requests do not wait for it one after the other: for one key after one failure,
 * for a shard after several keys of it have failed. So nobody's key switches counting off for anybody else. Per isolate.
 */
import { hashPosition } from "../core/pipeline.ts";
import { hashTagOf, KeyRefused } from "../core/ports/state.ts";
import type { Deps } from "../core/types.ts";

export interface StoreBreaker {
  /** Whether the store is not to be asked for this key now. */
  readonly isOpen: (key: string) => boolean;
  readonly failed: (key: string, cause: unknown) => void;
  readonly succeeded: (key: string) => void;
}

/** How long a key, or a shard, is left alone. */
const openMs = 1000;
/** Keys of a shard that fail within that time, before the shard is left alone. */
const maxFailingKeys = 5;
/** A shard of state holds one or more of these: shards are as many as a power of two, and sixteen at most. */
const lanes = 16;

export const storeBreaker = ({ now }: Pick<Deps, "now">): StoreBreaker => {
  /** By lane: keys that failed, and until when each is left alone. */
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
      // Requests that were under way when the shard was given up add no further keys.
      if (keys.size < maxFailingKeys || keys.has(key)) keys.set(key, now() + openMs);
    },
    succeeded: (key) => {
      if (failing.size > 0) failing.get(laneOf(key))?.delete(key);
    },
  };
};
