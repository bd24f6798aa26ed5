/**
 * Machines that nobody is led to any more, until what is under way in them has ended. A request that lasts for hours keeps
 * the machines that it is in, and no other: whoever uses a machine has a connection to it, and the system knows those.
 */
import fs from "node:fs";
import type { Machine } from "./machine.ts";

export interface Drain {
  readonly retire: (machine: Machine) => void;
  readonly machines: () => readonly Machine[];
  readonly close: () => Promise<void>;
}

export interface DrainOptions {
  /** Resolves when every request that has begun by now has ended. */
  readonly settled: () => Promise<void>;
  /** A request of a version that was replaced gets so long; null for as long as it wants. */
  readonly patienceMs: number | null;
  readonly tell: (line: string) => void;
  /** Ports of this computer to which somebody has a connection; undefined where the system does not tell. */
  readonly connected?: () => ReadonlySet<number> | undefined;
}

/** Of machines with requests under way; of more, the oldest is closed. */
const mostDraining = 16;
/** Work that a request left behind (`waitUntil`) gets so long: more than gates and the tail take to tell what they counted. */
const lingerMs = 3000;
const lookMs = 500;

export const openDrain = ({ settled, patienceMs, tell, connected = connectedPorts }: DrainOptions): Drain => {
  /** Machine → since when nobody was seen to use it. */
  const draining = new Map<Machine, number | undefined>();
  let closed = false;
  let looking: NodeJS.Timeout | undefined;

  const end = (machine: Machine): void => {
    if (closed || !draining.delete(machine)) return;
    void machine.dispose().catch((error: Error) => tell(`machine ${machine.id}: ${error.message}`));
    if (draining.size === 0) clearInterval(looking);
  };

  const look = (): void => {
    const ports = connected();
    const now = performance.now();
    if (ports)
      for (const [machine, since] of draining)
        if (machine.ports.some((port) => ports.has(port))) draining.set(machine, undefined);
        else if (since === undefined) draining.set(machine, now);
        else if (now - since >= lingerMs) end(machine);
    const [oldest] = draining.keys();
    if (draining.size <= mostDraining || !oldest) return;
    tell(`machine ${oldest.id} is closed with requests under way: ${mostDraining} others wait for theirs`);
    end(oldest);
  };

  return {
    retire: (machine) => {
      if (draining.size === 0) looking = setInterval(look, lookMs).unref();
      draining.set(machine, undefined);
      const lost = patienceMs === null ? [] : [new Promise<void>((wake) => setTimeout(wake, patienceMs).unref())];
      void Promise.race([settled(), ...lost]).then(() => setTimeout(end, lingerMs, machine).unref());
    },
    machines: () => [...draining.keys()],
    close: async () => {
      closed = true;
      clearInterval(looking);
      await Promise.all([...draining.keys()].map((it) => it.dispose().catch(() => {})));
    },
  };
};

/** As Linux tells it; elsewhere a machine waits for every request that had begun when it was replaced. */
const connectedPorts = (): ReadonlySet<number> | undefined => {
  try {
    return portsIn(fs.readFileSync("/proc/net/tcp", "utf8"));
  } catch {
    return undefined;
  }
};

/** Local ports of established connections: `0: 0100007F:1F90 0100007F:D431 01 …`. */
export const portsIn = (text: string): ReadonlySet<number> =>
  new Set(
    Array.from(text.matchAll(/^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) \S+ 01 /gm), ([, port = ""]) =>
      Number.parseInt(port, 16),
    ),
  );
