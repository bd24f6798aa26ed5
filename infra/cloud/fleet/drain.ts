/**
 * Drains machines that take no new requests, until their last request has ended. A request that lasts for hours keeps only
 * the machines that it uses: every user of a machine has a connection to it, and the operating system lists those.
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
  /** How long a request of a replaced version may last. Null is no limit. */
  readonly timeoutMs: number | null;
  readonly report: (line: string) => void;
  /** Ports of this computer with an established connection. Undefined if the operating system does not list them. */
  readonly portsInUse?: () => ReadonlySet<number> | undefined;
}

/** Bound of draining machines. Beyond it the oldest is closed. */
const maxDraining = 16;
/** Time for work behind a response (`waitUntil`): more than gates and the tail take to report their counts. */
const lingerMs = 3000;
const checkIntervalMs = 500;

export const openDrain = ({ whenIdle, timeoutMs, report, portsInUse = connectedPorts }: DrainOptions): Drain => {
  /** Machine → when it was first seen without a connection. */
  const draining = new Map<Machine, number | undefined>();
  let closed = false;
  let timer: NodeJS.Timeout | undefined;

  const disposeMachine = (machine: Machine): void => {
    if (closed || !draining.delete(machine)) return;
    void machine.dispose().catch((error: Error) => report(`machine ${machine.id}: ${error.message}`));
    if (draining.size === 0) clearInterval(timer);
  };

  const checkDraining = (): void => {
    const ports = portsInUse();
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

/** Read from Linux. Elsewhere a machine waits for all requests that had begun when it was replaced. */
const connectedPorts = (): ReadonlySet<number> | undefined => {
  try {
    return parseConnectedPorts(fs.readFileSync("/proc/net/tcp", "utf8"));
  } catch {
    return undefined;
  }
};

/** Local ports of established connections in `/proc/net/tcp`: `0: 0100007F:1F90 0100007F:D431 01 …`. */
export const parseConnectedPorts = (text: string): ReadonlySet<number> =>
  new Set(
    Array.from(text.matchAll(/^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) \S+ 01 /gm), ([, port = ""]) =>
      Number.parseInt(port, 16),
    ),
  );
