/** When an isolate refreshes what it has received from a feed. Times are milliseconds since the epoch. */

import type { Deps } from "../core/types.ts";
import { maxFeedAgeMs } from "./overlay.ts";

export interface Freshness {
  refreshedAt: number;
  requestedAt: number;
}

/** Nothing has been received. */
export const neverRefreshed: Freshness = {
  refreshedAt: Number.NEGATIVE_INFINITY,
  requestedAt: Number.NEGATIVE_INFINITY,
};

/** Fresh data is not refreshed. Older data is refreshed in the background. */
export const freshMs = 5000;
/** The longest that a request waits for a refresh of another request. */
const maxWaitMs = 1500;
const pollMs = 20;

export const isRefreshing = ({ requestedAt, refreshedAt }: Readonly<Freshness>, now: number): boolean =>
  now - requestedAt < maxWaitMs && requestedAt > refreshedAt;

/** A promise belongs to the request that created it, so other requests poll for its result. */
export const waitForRefresh = async (
  state: Readonly<Freshness>,
  { now, sleep }: Pick<Deps, "now" | "sleep">,
): Promise<void> => {
  const since = now();
  while (now() - state.refreshedAt >= maxFeedAgeMs && now() - since < maxWaitMs) await sleep(pollMs);
};
