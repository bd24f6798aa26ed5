/**
 * Leases: an isolate takes several requests' worth from the store at once and counts them locally.
 *
 * Requests are counted in the store before they are admitted. Over any period, isolates admit at most what the store
 * counted in it, plus what they held at its start: at most `share - 1` each. A lease of a fixed window ends with the
 * window, so nothing is added there. Unused requests of a lease are lost. So an isolate takes as many as it expects
 * to need: as many as came in the last active `hold` period, or, when more come, twice as many each time.
 */
import { forgetOldest } from "../core/bounded.ts";
import type { LimitCounter, LimitVerdict } from "../core/ports/limits.ts";
import type { Deps } from "../core/types.ts";

export interface LeaseOptions {
  /** The most requests that an isolate takes at once for one key. */
  readonly share: number;
  /** How long a lease is valid, and how long a refusal is remembered. */
  readonly holdMs: number;
  /** The store's timeout. Older calls were lost with their client. */
  readonly storeTimeoutMs: number;
  /** The lease ends with the window in which it was counted. */
  readonly endsWithWindow: boolean;
}

interface LeaseState {
  available: number;
  /** Extra requests called for and not yet received. */
  requested: number;
  requestedAt: number;
  until: number;
  refusedUntil: number;
  lastVerdict: LimitVerdict | undefined;
  /** Requests in the current `hold` period, which began at `recentSince`; and in the last active period before. */
  recent: number;
  recentSince: number;
  previous: number;
}

/** Per isolate. The oldest are evicted. */
const maxLeases = 10_000;

export const leasedLimit = (
  limit: LimitCounter,
  { share, holdMs, storeTimeoutMs, endsWithWindow }: LeaseOptions,
  { now }: Pick<Deps, "now">,
): LimitCounter => {
  const leases = new Map<string, LeaseState>();

  const leaseOf = (key: string): LeaseState => {
    const known = leases.get(key);
    if (known) return known;
    const fresh = newLease();
    leases.set(key, fresh);
    forgetOldest(leases, maxLeases);
    return fresh;
  };

  const requestLease = async (key: string, lease: LeaseState, at: number): Promise<LimitVerdict> => {
    if (at >= lease.requestedAt + storeTimeoutMs) lease.requested = 0;
    const more = extraFor(lease, share, at);
    lease.requested += more;
    lease.requestedAt = at;
    let verdict: LimitVerdict;
    try {
      verdict = await limit(key, 1 + more);
    } finally {
      lease.requested = Math.max(0, lease.requested - more);
    }
    if (!verdict.allowed && more > 0) verdict = await limit(key);
    else if (verdict.allowed && more > 0) {
      const end = Math.min(at + holdMs, endsWithWindow ? verdict.reset : Number.POSITIVE_INFINITY);
      // One expiry for the whole lease, so the earliest counts.
      lease.until = lease.available > 0 ? Math.min(lease.until, end) : end;
      lease.available += more;
    }
    lease.lastVerdict = verdict;
    if (!verdict.allowed) lease.refusedUntil = Math.min(verdict.reset, at + holdMs);
    return verdict;
  };

  return (key) => {
    const lease = leaseOf(key);
    const at = now();
    countRequest(lease, holdMs, at);
    if (at >= lease.until) lease.available = 0;
    if (lease.lastVerdict && at < lease.refusedUntil) return { ...lease.lastVerdict, allowed: false, remaining: 0 };
    if (lease.available === 0 || !lease.lastVerdict) return requestLease(key, lease, at);
    lease.available--;
    return { ...lease.lastVerdict, allowed: true, remaining: lease.lastVerdict.remaining + lease.available };
  };
};

const newLease = (): LeaseState => ({
  available: 0,
  requested: 0,
  requestedAt: 0,
  until: 0,
  refusedUntil: 0,
  lastVerdict: undefined,
  recent: 0,
  recentSince: 0,
  previous: 0,
});

/** Takes less when the store has little left, since unused requests of a lease are lost to all. */
const extraFor = (lease: LeaseState, share: number, at: number): number => {
  const { available, requested, lastVerdict, recent, previous } = lease;
  const storeRemaining = lastVerdict && at < lastVerdict.reset ? Math.floor(lastVerdict.remaining / 8) : share;
  const expected = recent <= previous ? previous - recent : recent - 1;
  return Math.max(0, Math.min(share - 1 - available - requested, storeRemaining, expected));
};

const countRequest = (lease: LeaseState, holdMs: number, at: number): void => {
  if (at >= lease.recentSince + holdMs) {
    lease.previous = lease.recent;
    lease.recent = 0;
    lease.recentSince = at;
  }
  lease.recent++;
};
