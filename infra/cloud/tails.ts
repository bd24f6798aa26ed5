/** Live logs: who listens to which Worker, by WebSockets as `wrangler tail` opens them. */
import { randomUUID } from "node:crypto";
import type http from "node:http";
import { type WebSocket, WebSocketServer } from "ws";

export interface Tail {
  readonly id: string;
  readonly worker: string;
  readonly expiresAt: Date;
}

export interface Tails {
  readonly open: (worker: string) => Tail;
  readonly of: (worker: string) => readonly Tail[];
  readonly end: (id: string) => boolean;
  /** Workers that somebody listens to. */
  readonly tailed: () => string[];
  /** Takes a WebSocket under the path `/tails/<id>`. */
  readonly attach: (server: http.Server) => void;
  readonly tell: (worker: string, events: readonly Event[]) => void;
  readonly close: () => void;
}

/** As the runtime tells of a request. */
export type Event = Readonly<Record<string, unknown>>;

/** What wrangler asks for. */
const protocol = "trace-v1";
/** As in production; whoever needs it longer opens another. */
const lifeMs = 6 * 60 * 60 * 1000;
/** Of one Worker, at once. */
const mostListeners = 10;
/** A listener that does not read loses what is more than this. */
const mostBufferedBytes = 4 * 1024 * 1024;

export const openTails = (now: () => Date): Tails => {
  const tails = new Map<string, Tail & { socket?: WebSocket }>();
  const sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (asked) => (asked.has(protocol) ? protocol : false),
  });
  const end = (id: string): boolean => {
    tails.get(id)?.socket?.close(1000, "The tail has ended");
    return tails.delete(id);
  };
  const of = (worker: string) => [...tails.values()].filter((it) => it.worker === worker);
  return {
    open: (worker) => {
      for (const { id, expiresAt } of tails.values()) if (expiresAt < now()) end(id);
      const tail = { id: randomUUID().replaceAll("-", ""), worker, expiresAt: new Date(now().getTime() + lifeMs) };
      const [oldest] = of(worker);
      if (oldest && of(worker).length >= mostListeners) end(oldest.id);
      tails.set(tail.id, tail);
      return tail;
    },
    of,
    end,
    tailed: () => [...new Set([...tails.values()].map(({ worker }) => worker))],
    attach: (server) =>
      server.on("upgrade", (request, socket, head) => {
        const tail = tails.get(/^\/tails\/([0-9a-f]+)$/.exec(request.url ?? "")?.[1] ?? "");
        if (!tail) return void socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n");
        return sockets.handleUpgrade(request, socket, head, (opened) => {
          tail.socket?.close(1000, "Another listener has come");
          tail.socket = opened;
          opened.on("error", () => {});
          opened.on("close", () => tail.socket === opened && end(tail.id));
        });
      }),
    tell: (worker, events) => {
      for (const { socket } of of(worker))
        for (const event of events)
          if (socket && socket.bufferedAmount < mostBufferedBytes) socket.send(JSON.stringify(event));
    },
    close: () => {
      for (const { socket } of tails.values()) socket?.terminate();
      sockets.close();
    },
  };
};
