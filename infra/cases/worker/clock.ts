/** A virtual clock for cases: it stops while work is pending, and jumps to the next timer when everything is idle. */
import type { Deps } from "../../../functions/gateway/core/types.ts";

export interface Clock {
  readonly now: () => number;
  readonly sleep: Deps["sleep"];
  readonly after: Deps["after"];
  /** Advances the time, and wakes timers that are due on the way. */
  readonly advance: (ms: number) => Promise<void>;
  /** Awaits real work, such as a call to state, without advancing the time. */
  readonly track: <T>(work: Promise<T>) => Promise<T>;
  /** Awaits work, and advances the time whenever everything sleeps. @throws if nothing would ever wake it */
  readonly waitFor: <T>(work: Promise<T>) => Promise<T>;
}

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

/** Idle turns of the event loop after which everything is considered asleep. */
const idleTurns = 10;
/** Real time limit of a request. */
const timeoutMs = 20_000;

export const createClock = (start: number): Clock => {
  let now = start;
  let pendingWork = 0;
  const sleepers = new Set<Sleeper>();
  const first = (): Sleeper | undefined => [...sleepers].toSorted((a, b) => a.at - b.at)[0];
  const wakeNext = (sleeper: Sleeper): void => {
    now = Math.max(now, sleeper.at);
    sleepers.delete(sleeper);
    sleeper.wake();
  };

  const sleep: Deps["sleep"] = (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const sleeper = { at: now + ms, wake: resolve };
      sleepers.add(sleeper);
      signal?.addEventListener("abort", () => {
        sleepers.delete(sleeper);
        reject(signal.reason);
      });
      return undefined;
    });

  const after: Deps["after"] = (ms, work) => {
    const sleeper = { at: now + ms, wake: work };
    sleepers.add(sleeper);
    return () => void sleepers.delete(sleeper);
  };

  const runUntil = async (isDone: () => boolean): Promise<never> => {
    const since = performance.now();
    for (let idleCount = 0; ; idleCount++) {
      await nextTurn();
      if (isDone()) return new Promise(() => {});
      if (pendingWork > 0) idleCount = 0;
      const next = first();
      if (idleCount >= idleTurns && next) {
        wakeNext(next);
        idleCount = 0;
      }
      if (performance.now() - since > timeoutMs) throw new Error("nothing would ever answer this request");
    }
  };

  return {
    now: () => now,
    sleep,
    after,
    advance: async (ms) => {
      const end = now + ms;
      for (let next = first(); next && next.at <= end; next = first()) {
        wakeNext(next);
        await nextTurn();
      }
      now = end;
    },
    track: async (work) => {
      pendingWork++;
      try {
        return await work;
      } finally {
        pendingWork--;
      }
    },
    waitFor: async (work) => {
      let done = false;
      const completed = work.finally(() => {
        done = true;
      });
      return Promise.race([completed, runUntil(() => done)]);
    },
  };
};

const nextTurn = (): Promise<void> => new Promise((wake) => setTimeout(wake, 1));
