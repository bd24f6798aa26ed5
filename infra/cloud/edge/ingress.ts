/**
 * The edge's door: one port that stays while the machines behind it change. Like the platform's edge it tells the client's
 * address itself. A request stays where it began; what a client breaks off is broken off behind the door as well. Whatever
 * a client sends or a Worker answers ends a request, and nothing else.
 */
import http from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import { listen } from "./listen.ts";
import { asksForWebSocket, mostHeaderBytes, type Onward, readAnswer, readRequest } from "./message.ts";
import { fieldsOf, nothingToSay, type Refusal, refusal } from "./refusals.ts";

export interface Door {
  readonly url: string;
  /** Resolves when every request that has begun by now has ended. */
  readonly settled: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** An isolate's base URL, or what to answer in its place. */
export type Destination = { readonly url: URL } | Refusal;

/**
 * A Worker may answer before it has read the body, and the runtime closes the connection then. What is still being sent there
 * fails, and would take the answer along that has come already: it is read all the same. Without one, the end of the connection
 * is what fails.
 */
class Machines extends http.Agent {
  override createConnection(
    ...given: Parameters<http.Agent["createConnection"]>
  ): ReturnType<http.Agent["createConnection"]> {
    const socket = super.createConnection(...given) as Socket;
    const { _write: write, _writev: writev } = socket;
    const unlessClosed =
      (done: Done): Done =>
      (error) =>
        done(error && isClosed(error) ? null : error);
    socket._write = (chunk, encoding, done) => write.call(socket, chunk, encoding, unlessClosed(done));
    socket._writev = (chunks, done) => writev?.call(socket, chunks, unlessClosed(done));
    return socket;
  }
}

type Done = (error?: Error | null) => void;

const isClosed = ({ code }: NodeJS.ErrnoException): boolean => code === "EPIPE" || code === "ECONNRESET";

/** What decides where a request goes. */
export interface Arrived extends Pick<Onward, "host" | "path"> {
  readonly header: (name: string) => string | null;
}

interface Doorkeeper {
  /** Where a request goes. */
  readonly send: (request: Arrived) => Promise<Destination>;
  /** Called when nobody answered there. */
  readonly missed: () => void;
}

/** A connection that nobody uses is kept so long; a machine that was replaced goes when it has none. */
const idleMs = 2000;

interface Address {
  /** 0 for a free one. */
  readonly port: number;
  /** `localhost` for both families of addresses. */
  readonly host: string;
  /** The option of the command line that gives the port. */
  readonly option: string;
}

export const openDoor = async ({ port, host, option }: Address, { send, missed }: Doorkeeper): Promise<Door> => {
  const agent = new Machines({ keepAlive: true, timeout: idleMs });
  const server = http.createServer({ maxHeaderSize: mostHeaderBytes, shouldUpgradeCallback: asksForWebSocket });
  // More would be left out without a word; their bytes are bounded together.
  server.maxHeadersCount = 0;
  const underWay = new Set<Promise<void>>();
  /** The server lets go of these, and still waits for their end. */
  const upgraded = new Set<Duplex>();
  const count = (ended: NodeJS.EventEmitter) => {
    const until = new Promise<void>((end) => ended.once("close", end));
    underWay.add(until);
    void until.then(() => underWay.delete(until));
  };

  /** Where it goes and what is sent there, or what is answered in its place. */
  const decide = async (request: http.IncomingMessage): Promise<Sent | Refusal> => {
    const onward = readRequest(request);
    if (!("path" in onward)) return onward;
    if (onward.path === "*") return nothingToSay;
    const { host: name, path } = onward;
    const to = await send({ host: name, path, header: (it) => request.headers[it]?.toString() ?? null });
    return "url" in to ? { onward, options: optionsOf(request, onward, to.url) } : to;
  };
  const call = (options: http.RequestOptions): http.ClientRequest => {
    const behind = http.request(options);
    behind.maxHeadersCount = 0;
    behind.on("error", ({ code }: NodeJS.ErrnoException) => code === "ECONNREFUSED" && missed());
    return behind;
  };

  const forward = async (request: http.IncomingMessage, response: http.ServerResponse) => {
    count(response);
    const decided = await decide(request);
    if (response.destroyed) return;
    if (!("onward" in decided)) return decline(response, decided);
    const behind = call({ ...decided.options, agent });
    behind.on("response", (answer) => {
      try {
        response.writeHead(answer.statusCode ?? 502, answer.statusMessage, readAnswer(answer.rawHeaders));
      } catch (error) {
        answer.destroy();
        return decline(response, unreadable(error as Error));
      }
      pipeline(answer, response).catch(() => response.destroy());
    });
    behind.on("information", ({ statusCode }) => {
      if (statusCode === 100 && request.httpVersion !== "1.0") response.writeContinue();
    });
    behind.on("error", (error) => decline(response, unreadable(error)));
    response.once("close", () => !response.writableFinished && reset(behind));
    if (!decided.onward.hasBody) return behind.end();
    // A Worker begins with the head, and not with the first of the body.
    behind.flushHeaders();
    return pipeline(request, behind).catch(() => reset(behind));
  };
  const guarded = (request: http.IncomingMessage, response: http.ServerResponse) =>
    void forward(request, response).catch((error: Error) => decline(response, unreadable(error)));
  server.on("request", guarded);
  // The Worker behind says whether it wants the body.
  server.on("checkContinue", guarded);

  const upgrade = async (request: http.IncomingMessage, socket: Duplex, head: Buffer) => {
    count(socket);
    upgraded.add(socket);
    socket.once("close", () => upgraded.delete(socket));
    socket.on("error", () => socket.destroy());
    const decided = await decide(request);
    if (!("onward" in decided)) return hangUp(socket, decided);
    const { hasBody } = decided.onward;
    if (hasBody && request.headers["content-length"] !== "0")
      return hangUp(socket, refusal("request-malformed", "a request for a WebSocket has no body"));
    const { headers, ...options } = decided.options;
    const behind = call({ ...options, headers: [...headers, "Connection", "Upgrade", "Upgrade", "websocket"] });
    behind.on("upgrade", (answer, other, first) => {
      const fields = [...readAnswer(answer.rawHeaders), "Connection", "Upgrade", "Upgrade", "websocket"];
      writeHead(socket, "101 Switching Protocols", fields);
      socket.write(first);
      other.write(head);
      other.on("error", () => socket.destroy());
      socket.pipe(other).pipe(socket);
      socket.once("close", () => other.destroy());
    });
    behind.on("response", (answer) => {
      writeHead(socket, `${answer.statusCode} ${answer.statusMessage}`, [
        ...readAnswer(answer.rawHeaders),
        "Connection",
        "close",
      ]);
      pipeline(answer, socket).catch(() => socket.destroy());
    });
    behind.on("error", (error) => hangUp(socket, unreadable(error)));
    return behind.end();
  };
  server.on("upgrade", (request: http.IncomingMessage, socket: Duplex, head: Buffer) => {
    upgrade(request, socket, head).catch((error: Error) => hangUp(socket, unreadable(error)));
  });
  server.on("clientError", refuseBytes);
  server.on("connect", (_, socket: Duplex) => {
    socket.on("error", () => socket.destroy());
    hangUp(socket, refusal("method-unknown", "nothing here is a tunnel"));
  });

  await listen(server, port, host, option);
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

interface Sent {
  readonly onward: Onward;
  readonly options: http.RequestOptions & { readonly headers: readonly string[] };
}

const optionsOf = (request: http.IncomingMessage, { path, headers }: Onward, url: URL): Sent["options"] => {
  const address = (request.socket.remoteAddress ?? "").replace(/^::ffff:/, "");
  return {
    host: url.hostname,
    port: url.port,
    method: request.method,
    path,
    headers: ["CF-Connecting-IP", address, ...headers],
    maxHeaderSize: mostHeaderBytes + ownHeaderBytes,
  };
};

/** What Workers and the runtime add to the fields of an answer. */
const ownHeaderBytes = 4096;

const unreadable = (error: Error): Refusal => refusal("response-unreadable", error.message);

/** Answers in a Worker's place, where nothing has been answered yet. */
const decline = (response: http.ServerResponse, it: Refusal): void => {
  if (response.headersSent) return void response.destroy();
  // Nobody reads on what was refused.
  const fields = [...fieldsOf(it), ...(it.status >= 400 ? ["Connection", "close"] : [])];
  response.writeHead(it.status, http.STATUS_CODES[it.status] ?? "", fields).end(it.text);
};

const hangUp = (socket: Duplex, it: Refusal): void => {
  writeHead(socket, `${it.status} ${http.STATUS_CODES[it.status]}`, [...fieldsOf(it), "Connection", "close"]);
  socket.end(it.text);
};

/** Bytes that Node could not read as a request. Where a response has begun on the connection, it is only ended. */
const refuseBytes = (error: NodeJS.ErrnoException, socket: Duplex & { readonly _httpMessage?: Begun | null }): void => {
  if (!socket.writable || error.code === "ECONNRESET" || socket._httpMessage?.headersSent) socket.destroy();
  else hangUp(socket, unread(error));
};

const unread = ({ code, message }: NodeJS.ErrnoException): Refusal => {
  if (code === "HPE_HEADER_OVERFLOW")
    return refusal("header-too-large", `a request header has at most ${mostHeaderBytes} bytes`);
  return refusal(code === "ERR_HTTP_REQUEST_TIMEOUT" ? "request-late" : "request-malformed", message);
};

type Begun = Pick<http.ServerResponse, "headersSent">;

/** Bytes as they came: Node reads them as Latin-1. */
const writeHead = (socket: Duplex, status: string, fields: readonly string[]): void => {
  let text = `HTTP/1.1 ${status}\r\n`;
  for (let index = 0; index < fields.length; index += 2) text += `${fields[index]}: ${fields[index + 1]}\r\n`;
  socket.write(`${text}\r\n`, "latin1");
};

/** Breaks a request off so that the other side sees a reset, and takes no cut body for a whole one. */
const reset = (request: http.ClientRequest): void => {
  request.socket?.resetAndDestroy();
  request.destroy();
};
