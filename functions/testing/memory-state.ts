/** State in memory: counters and nonces as the objects of a tier keep them, for tools and tests without a platform. */
import { type Cell, runScript } from "../gateway/limits/algorithms.ts";
import { handleRequest } from "../state/contract.ts";
import type { Counters } from "../state/counters.ts";

/** What a gate calls through its binding. @param now milliseconds since the epoch */
export const memoryState = (now: () => number): Pick<Fetcher, "fetch"> => {
  const counters = memoryCounters();
  return {
    fetch: (input: RequestInfo | URL, init?: RequestInit) => handleRequest(new Request(input, init), counters, now),
  };
};

const memoryCounters = (): Counters => {
  const cells = new Map<string, Cell>();
  const keys = new Map<string, number>();
  const get = (key: string, at: number): Cell | undefined => {
    const cell = cells.get(key);
    return cell && (cell.ends === null || cell.ends > at) ? cell : undefined;
  };
  return {
    run: (call, at) =>
      runScript({ get: (key) => get(key, at), put: (key, cell) => void cells.set(key, cell) }, call, at),
    once: (key, forMs, at) => {
      if ((keys.get(key) ?? 0) > at) return false;
      keys.set(key, at + forMs);
      return true;
    },
    // Nothing is kept longer than a test or a command.
    sweep: () => cells.size + keys.size,
  };
};
