/**
 * Machines that nobody is led to any more, until what is under way in them has ended. A request that lasts for hours keeps
 * the machines that it is in, and no other: whoever uses a machine has a connection to it, and the system knows those.
 */
import fs from "node:fs";
import type { Machine } from "../machine/machine.ts";

export interface Drain {
  readonly retire: (machine: Machine) => void;
  readonly machines: () => readonly Machine[];
  readonly close: () => Promise<void>;
}

export interface DrainOptions {
  /** Resolves when every request that has begun by now has ended. */
  readonly whenIdle: () => Promise<void>;
  /** A request of a version that was replaced gets so long; null for as long as it wants. */
  readonly timeoutMs: number | null;
  readonly report: (line: string) => void;
  /** Ports of this computer to which somebody has a connection; undefined where the system does not tell. */
  readonly portsInUse?: () => ReadonlySet<number> | undefined;
}

/** Of machines with requests under way; of more, the oldest is closed. */
const maxDraining = 16;
/** Work that a request left behind (`waitUntil`) gets so long: more than gates and the tail take to tell what they counted. */
const lingerMs = 3000;
const checkIntervalMs = 500;

export const openDrain = ({
  whenIdle,
  timeoutMs,
  report,
  portsInUse: connected = connectedPorts,
}: DrainOptions): Drain => {
  /** Machine → since when nobody was seen to use it. */
  const draining = new Map<Machine, number | undefined>();
  let closed = false;
  let timer: NodeJS.Timeout | undefined;

  const disposeMachine = (machine: Machine): void => {
    if (closed || !draining.delete(machine)) return;
    void machine.dispose().catch((error: Error) => report(`machine ${machine.id}: ${error.message}`));
    if (draining.size === 0) clearInterval(timer);
  };

  const checkDraining = (): void => {
    const ports = connected();
    const now = performance.now();
    if (ports)
      for (const [machine, since] of draining)
        if (machine.ports.some((port) => ports.has(port))) draining.set(machine, undefined);
        else if (since === undefined) draining.set(machine, now);
        else if (now - since >= lingerMs) disposeMachine(machine);
    const [oldest] = draining.keys();
    if (draining.size <= maxDraining || !oldest) return;
    report(`machine ${oldest.id} is closed with requests under way: ${maxDraining} others wait for theirs`);
    disposeMachine(oldest);
  };

  return {
    retire: (machine) => {
      if (draining.size === 0) timer = setInterval(checkDraining, checkIntervalMs).unref();
      draining.set(machine, undefined);
      const timeout = timeoutMs === null ? [] : [new Promise<void>((wake) => setTimeout(wake, timeoutMs).unref())];
      void Promise.race([whenIdle(), ...timeout]).then(() => setTimeout(disposeMachine, lingerMs, machine).unref());
    },
    machines: () => [...draining.keys()],
    close: async () => {
      closed = true;
      clearInterval(timer);
      await Promise.all([...draining.keys()].map((it) => it.dispose().catch(() => {})));
    },
  };
};

/** As Linux tells it; elsewhere a machine waits for every request that had begun when it was replaced. */
const connectedPorts = (): ReadonlySet<number> | undefined => {
  try {
    return parseConnectedPorts(fs.readFileSync("/proc/net/tcp", "utf8"));
  } catch {
    return undefined;
  }
};

/** Local ports of established connections: `0: 0100007F:1F90 0100007F:D431 01 …`. */
export const parseConnectedPorts = (text: string): ReadonlySet<number> =>
  new Set(
    Array.from(text.matchAll(/^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) \S+ 01 /gm), ([, port = ""]) =>
      Number.parseInt(port, 16),
    ),
  );
