/**
 * Live logs of Workers, by WebSockets as `wrangler tail` opens them. Wrangler's first message is not masked, against RFC
 * 6455. The platform and `websocket-driver` accept that; `ws` would close the connection.
 */
import { randomUUID } from "node:crypto";
import type http from "node:http";
import type { Duplex } from "node:stream";
import driver, { type Driver } from "websocket-driver";

export interface Tail {
  readonly id: string;
  readonly worker: string;
  readonly expiresAt: Date;
}

export interface Tails {
  readonly open: (worker: string) => Tail;
  readonly forWorker: (worker: string) => readonly Tail[];
  readonly remove: (id: string) => boolean;
  /** Workers that have a tail. */
  readonly tailedWorkers: () => string[];
  /** Accepts WebSockets at `/tails/<id>`. */
  readonly attach: (server: http.Server) => void;
  readonly send: (worker: string, events: readonly TraceEvent[]) => void;
  readonly close: () => void;
}

/** A trace of a request, as the runtime reports it. */
export type TraceEvent = Readonly<Record<string, unknown>>;

/** The subprotocol that wrangler requests. */
const protocol = "trace-v1";
/** As in production. A client that needs longer opens another tail. */
const lifetimeMs = 6 * 60 * 60 * 1000;
/** Bound of a Worker's tails. */
const maxListeners = 10;
/** A listener that does not read loses events beyond this. */
const maxBufferedBytes = 4 * 1024 * 1024;
/** Clients send nothing but the tail's settings. */
const maxMessageBytes = 64 * 1024;

export const openTails = (now: () => Date): Tails => {
  const tails = new Map<string, Tail & { listener?: Listener }>();
  const remove = (id: string): boolean => {
    tails.get(id)?.listener?.driver.close("The tail has ended", 1000);
    return tails.delete(id);
  };
  const forWorker = (worker: string) => [...tails.values()].filter((it) => it.worker === worker);
  return {
    open: (worker) => {
      for (const { id, expiresAt } of tails.values()) if (expiresAt < now()) remove(id);
      const tail = { id: randomUUID().replaceAll("-", ""), worker, expiresAt: new Date(now().getTime() + lifetimeMs) };
      const [oldest] = forWorker(worker);
      if (oldest && forWorker(worker).length >= maxListeners) remove(oldest.id);
      tails.set(tail.id, tail);
      return tail;
    },
    forWorker,
    remove,
    tailedWorkers: () => [...new Set([...tails.values()].map(({ worker }) => worker))],
    attach: (server) =>
      server.on("upgrade", (request, socket, head) => {
        const tail = tails.get(/^\/tails\/([0-9a-f]+)$/.exec(request.url ?? "")?.[1] ?? "");
        if (!tail) return void socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n");
        tail.listener?.driver.close("Another listener has come", 1000);
        const listener = acceptSocket(request, socket, head);
        tail.listener = listener;
        socket.once("close", () => tail.listener === listener && remove(tail.id));
      }),
    send: (worker, events) => {
      for (const { listener } of forWorker(worker))
        for (const event of events)
          if (listener && listener.socket.writableLength < maxBufferedBytes)
            listener.driver.text(JSON.stringify(event));
    },
    close: () => {
      for (const { listener } of tails.values()) listener?.socket.destroy();
    },
  };
};

interface Listener {
  readonly driver: Driver;
  readonly socket: Duplex;
}

const acceptSocket = (request: http.IncomingMessage, socket: Duplex, head: Buffer): Listener => {
  const it = driver.http(request, { protocols: [protocol], maxLength: maxMessageBytes, requireMasking: false });
  socket.on("error", () => socket.destroy());
  it.on("close", () => socket.end());
  it.on("error", () => socket.destroy());
  it.io.write(head);
  socket.pipe(it.io).pipe(socket);
  it.start();
  return { driver: it, socket };
};
