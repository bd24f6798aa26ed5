/**
 * Limits without a hop for each request: an isolate takes several requests' worth from the store at once and spends it here.
 *
 * All that is spent was counted first, so over any stretch of time isolates admit what the store counted in it and what
 * they held at its beginning: at most `share - 1` each. What a fixed window gave ends with it, so there nothing is added.
 * What is held and not spent is lost. So an isolate takes what it expects to spend: as many as came in the last `hold` in
 * which any came, and where more come than that, twice as many each time.
 */
import { forgetOldest } from "../core/bounded.ts";
import type { Limit, Verdict } from "../core/ports/limits.ts";
import type { Deps } from "../core/types.ts";

export interface Lease {
  /** The most requests that an isolate takes at once for one key. */
  readonly share: number;
  /** How long it may hold them, and how long it takes a refusal for granted. */
  readonly holdMs: number;
  /** The longest that the store is waited for; a question that is older was lost with its client. */
  readonly patienceMs: number;
  /** What was taken ends with the window in which it was counted. */
  readonly endsWithWindow: boolean;
}

interface Purse {
  held: number;
  /** Asked for and not here yet, beyond the requests that asked. */
  coming: number;
  askedAt: number;
  until: number;
  refusedUntil: number;
  last: Verdict | undefined;
  /** Requests since `seenFrom`, for one `hold`; and in the one before, in which any came. */
  seen: number;
  seenFrom: number;
  before: number;
}

/** Of one isolate; what the oldest hold is lost. */
const mostPurses = 10_000;

export const leased = (
  limit: Limit,
  { share, holdMs, patienceMs, endsWithWindow }: Lease,
  { now }: Pick<Deps, "now">,
): Limit => {
  const purses = new Map<string, Purse>();

  const purseOf = (key: string): Purse => {
    const known = purses.get(key);
    if (known) return known;
    const fresh: Purse = {
      held: 0,
      coming: 0,
      askedAt: 0,
      until: 0,
      refusedUntil: 0,
      last: undefined,
      seen: 0,
      seenFrom: 0,
      before: 0,
    };
    purses.set(key, fresh);
    forgetOldest(purses, mostPurses);
    return fresh;
  };

  /** Asks for less where the store has little left, since what is asked for and not there is lost to all. */
  const extra = ({ held, coming, last, seen, before }: Purse, at: number): number => {
    const left = last && at < last.reset ? Math.floor(last.remaining / 8) : share;
    const expected = seen <= before ? before - seen : seen - 1;
    return Math.max(0, Math.min(share - 1 - held - coming, left, expected));
  };

  const see = (purse: Purse, at: number): void => {
    if (at >= purse.seenFrom + holdMs) {
      purse.before = purse.seen;
      purse.seen = 0;
      purse.seenFrom = at;
    }
    purse.seen++;
  };

  const ask = async (key: string, purse: Purse, at: number): Promise<Verdict> => {
    if (at >= purse.askedAt + patienceMs) purse.coming = 0;
    const more = extra(purse, at);
    purse.coming += more;
    purse.askedAt = at;
    let verdict: Verdict;
    try {
      verdict = await limit(key, 1 + more);
    } finally {
      purse.coming = Math.max(0, purse.coming - more);
    }
    if (!verdict.allowed && more > 0) verdict = await limit(key);
    else if (verdict.allowed && more > 0) {
      const end = Math.min(at + holdMs, endsWithWindow ? verdict.reset : Number.POSITIVE_INFINITY);
      // Told once for all that is held, so the earliest end counts.
      purse.until = purse.held > 0 ? Math.min(purse.until, end) : end;
      purse.held += more;
    }
    purse.last = verdict;
    if (!verdict.allowed) purse.refusedUntil = Math.min(verdict.reset, at + holdMs);
    return verdict;
  };

  return (key) => {
    const purse = purseOf(key);
    const at = now();
    see(purse, at);
    if (at >= purse.until) purse.held = 0;
    if (purse.last && at < purse.refusedUntil) return { ...purse.last, allowed: false, remaining: 0 };
    if (purse.held === 0 || !purse.last) return ask(key, purse, at);
    purse.held--;
    return { ...purse.last, allowed: true, remaining: purse.last.remaining + purse.held };
  };
};
