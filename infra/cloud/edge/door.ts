/**
 * The edge's door: one port that stays while the machines behind it change. Like the platform's edge it tells the client's
 * address itself. A request stays where it began; what a client breaks off is broken off behind the door as well.
 */
import http from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";

export interface Door {
  readonly url: string;
  /** Resolves when every request that has begun by now has ended. */
  readonly settled: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** An isolate's base URL, or what to answer in its place. */
export type Destination = { readonly url: URL } | { readonly status: number; readonly text: string };

interface Doorkeeper {
  /** Where a request goes. */
  readonly send: (request: http.IncomingMessage) => Promise<Destination>;
  /** Called when nobody answered there. */
  readonly missed: () => void;
}

/** A connection that nobody uses is kept so long; a machine that was replaced goes when it has none. */
const idleMs = 2000;

/** Of a request's line and headers together, as the platform takes them. */
const maxHeaderSize = 128 * 1024;

/** What only the edge may say. */
const edgeHeaders = /^(?:cf-.*|mf-.*|x-forwarded-proto)$/;

/**
 * @param port 0 for a free one
 * @param host `localhost` for both families of addresses
 */
export const openDoor = async (port: number, host: string, { send, missed }: Doorkeeper): Promise<Door> => {
  const agent = new http.Agent({ keepAlive: true, timeout: idleMs });
  const server = http.createServer({ maxHeaderSize });
  const underWay = new Set<Promise<void>>();
  /** The server lets go of these, and still waits for their end. */
  const upgraded = new Set<Duplex>();

  const onward = (request: http.IncomingMessage, url: URL): http.RequestOptions => {
    const headers: string[] = [];
    for (let index = 0; index < request.rawHeaders.length; index += 2) {
      const [name = "", value = ""] = request.rawHeaders.slice(index, index + 2);
      if (!edgeHeaders.test(name.toLowerCase())) headers.push(name, value);
    }
    headers.push("CF-Connecting-IP", (request.socket.remoteAddress ?? "").replace(/^::ffff:/, ""));
    return { host: url.hostname, port: url.port, method: request.method, path: request.url, headers };
  };
  const count = (ended: NodeJS.EventEmitter) => {
    const until = new Promise<void>((end) => ended.once("close", end));
    underWay.add(until);
    void until.then(() => underWay.delete(until));
  };

  const forward = async (request: http.IncomingMessage, response: http.ServerResponse) => {
    count(response);
    const to = await send(request);
    if (response.destroyed) return;
    if (!("url" in to)) {
      response.writeHead(to.status, { "content-type": "text/plain; charset=utf-8" }).end(to.text);
      return;
    }
    const behind = http.request({ ...onward(request, to.url), agent });
    behind.on("response", (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.statusMessage, answer.rawHeaders);
      pipeline(answer, response).catch(() => response.destroy());
    });
    behind.on("information", ({ statusCode }) => statusCode === 100 && response.writeContinue());
    behind.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNREFUSED") missed();
      if (response.headersSent) response.destroy();
      else response.writeHead(502).end();
    });
    response.once("close", () => !response.writableFinished && reset(behind));
    pipeline(request, behind).catch(() => reset(behind));
  };
  const guarded = (request: http.IncomingMessage, response: http.ServerResponse) =>
    void forward(request, response).catch((error: Error) => {
      if (!response.headersSent)
        response.writeHead(502, { "content-type": "text/plain; charset=utf-8" }).end(`${error.message}\n`);
    });
  server.on("request", guarded);
  // The Worker behind says whether it wants the body.
  server.on("checkContinue", guarded);

  const upgrade = async (request: http.IncomingMessage, socket: Duplex, head: Buffer) => {
    count(socket);
    upgraded.add(socket);
    socket.once("close", () => upgraded.delete(socket));
    socket.on("error", () => socket.destroy());
    const to = await send(request);
    if (!("url" in to))
      return socket.end(`HTTP/1.1 ${to.status} ${http.STATUS_CODES[to.status]}\r\nConnection: close\r\n\r\n${to.text}`);
    const behind = http.request(onward(request, to.url));
    behind.on("upgrade", (answer, other, first) => {
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines(answer.rawHeaders)}\r\n`);
      socket.write(first);
      other.write(head);
      other.on("error", () => socket.destroy());
      socket.pipe(other).pipe(socket);
      socket.once("close", () => other.destroy());
    });
    behind.on("response", (answer) => {
      socket.write(
        `HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}\r\n${lines(answer.rawHeaders)}Connection: close\r\n\r\n`,
      );
      answer.pipe(socket);
    });
    behind.on("error", () => socket.destroy());
    return behind.end();
  };
  server.on("upgrade", (request: http.IncomingMessage, socket: Duplex, head: Buffer) => {
    upgrade(request, socket, head).catch(() => socket.destroy());
  });

  await listen(server, port, host);
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    settled: async () => void (await Promise.all(underWay)),
    close: async () => {
      server.closeAllConnections();
      for (const socket of upgraded) socket.destroy();
      agent.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
};

/** @throws where the port is taken, and says so */
export const listen = (server: http.Server, port: number, host: string): Promise<void> =>
  new Promise((listening, failed) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      failed(error.code === "EADDRINUSE" ? new Error(`port ${port} is taken; give another one`) : error),
    );
    server.listen(port, host, listening);
  });

/** Breaks a request off so that the other side sees a reset, and takes no cut body for a whole one. */
const reset = (request: http.ClientRequest): void => {
  request.socket?.resetAndDestroy();
  request.destroy();
};

const lines = (rawHeaders: readonly string[]): string => {
  let text = "";
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? "";
    if (!/^(?:connection|transfer-encoding)$/i.test(name) || rawHeaders[index + 1]?.toLowerCase() === "upgrade")
      text += `${name}: ${rawHeaders[index + 1]}\r\n`;
  }
  return text;
};
