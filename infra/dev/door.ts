/**
 * The door of the dev loop: one port that stays while the gates behind it are replaced. Like the platform's edge it tells
 * the client's address itself. A request stays with the generation that it began with; what a client breaks off is broken
 * off behind the door as well.
 */
import http from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";

export interface Door {
  readonly url: string;
  /** New requests go here from now on. Resolves when none of the earlier ones is left, or after `patienceMs`. */
  readonly turnTo: (url: URL) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** What only the edge may say. */
const edgeHeaders = /^(?:cf-.*|mf-.*|x-forwarded-proto)$/;

const patienceMs = 30_000;

/** @param port 0 for a free one */
export const openDoor = async (port: number): Promise<Door> => {
  let target: URL | undefined;
  const agent = new http.Agent({ keepAlive: true });
  const underWay = new Map<URL, number>();
  const server = http.createServer();

  const onward = (request: http.IncomingMessage, url: URL): http.RequestOptions => {
    const headers: string[] = [];
    for (let index = 0; index < request.rawHeaders.length; index += 2) {
      const [name = "", value = ""] = request.rawHeaders.slice(index, index + 2);
      if (!edgeHeaders.test(name.toLowerCase())) headers.push(name, value);
    }
    headers.push("CF-Connecting-IP", (request.socket.remoteAddress ?? "").replace(/^::ffff:/, ""));
    return { host: url.hostname, port: url.port, method: request.method, path: request.url, headers };
  };
  const count = (url: URL, by: 1 | -1) => underWay.set(url, (underWay.get(url) ?? 0) + by);

  const forward = (request: http.IncomingMessage, response: http.ServerResponse) => {
    const url = target;
    if (!url) return response.writeHead(503).end();
    count(url, 1);
    response.once("close", () => count(url, -1));
    const behind = http.request({ ...onward(request, url), agent });
    behind.on("response", (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.statusMessage, answer.rawHeaders);
      pipeline(answer, response).catch(() => response.destroy());
    });
    behind.on("information", ({ statusCode }) => statusCode === 100 && response.writeContinue());
    behind.on("error", () => (response.headersSent ? response.destroy() : response.writeHead(502).end()));
    response.once("close", () => !response.writableFinished && reset(behind));
    pipeline(request, behind).catch(() => reset(behind));
    return undefined;
  };
  server.on("request", forward);
  // The service behind says whether it wants the body.
  server.on("checkContinue", forward);

  server.on("upgrade", (request: http.IncomingMessage, socket: Duplex, head: Buffer) => {
    const url = target;
    if (!url) return socket.destroy();
    count(url, 1);
    socket.once("close", () => count(url, -1));
    socket.on("error", () => socket.destroy());
    const behind = http.request(onward(request, url));
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
  });

  await new Promise<void>((listening, failed) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      failed(
        error.code === "EADDRINUSE"
          ? new Error(`port ${port} is taken; give another one: postern dev --port 8800`)
          : error,
      ),
    );
    server.listen(port, "localhost", listening);
  });

  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    turnTo: async (url) => {
      const before = target;
      target = url;
      const end = Date.now() + patienceMs;
      while (before && (underWay.get(before) ?? 0) > 0 && Date.now() < end)
        await new Promise((wake) => setTimeout(wake, 50));
      if (before) underWay.delete(before);
    },
    close: async () => {
      server.closeAllConnections();
      agent.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
};

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
