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
import {
  type ForwardedRequest,
  forwardedResponseHeaders,
  forwardRequest,
  isWebSocketUpgrade,
  maxHeaderBytes,
} from "./message.ts";
import { fieldsOf, nothingToSay, type Refusal, refusal } from "./refusals.ts";

export interface Ingress {
  readonly url: string;
  /** Resolves when every request that has begun by now has ended. */
  readonly whenIdle: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** An isolate's base URL, or what to answer in its place. */
export type Destination = { readonly url: URL } | Refusal;

/**
 * A Worker may answer before it has read the body, and the runtime closes the connection then. What is still being sent there
 * fails, and would take the answer along that has come already: it is read all the same. Without one, the end of the connection
 * is what fails.
 */
class MachineAgent extends http.Agent {
  override createConnection(
    ...options: Parameters<http.Agent["createConnection"]>
  ): ReturnType<http.Agent["createConnection"]> {
    const socket = super.createConnection(...options) as Socket;
    const { _write: write, _writev: writev } = socket;
    const ignoreClosed =
      (done: WriteCallback): WriteCallback =>
      (error) =>
        done(error && isConnectionClosed(error) ? null : error);
    socket._write = (chunk, encoding, done) => write.call(socket, chunk, encoding, ignoreClosed(done));
    socket._writev = (chunks, done) => writev?.call(socket, chunks, ignoreClosed(done));
    return socket;
  }
}

type WriteCallback = (error?: Error | null) => void;

const isConnectionClosed = ({ code }: NodeJS.ErrnoException): boolean => code === "EPIPE" || code === "ECONNRESET";

/** What decides where a request goes. */
export interface IncomingRequest extends Pick<ForwardedRequest, "host" | "path"> {
  readonly header: (name: string) => string | null;
}

interface IngressOptions {
  /** Where a request goes. */
  readonly resolveDestination: (request: IncomingRequest) => Promise<Destination>;
  /** Called when nobody answered there. */
  readonly onUnreachable: () => void;
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

export const openIngress = async (
  { port, host, option }: Address,
  { resolveDestination: send, onUnreachable }: IngressOptions,
): Promise<Ingress> => {
  const agent = new MachineAgent({ keepAlive: true, timeout: idleMs });
  const server = http.createServer({ maxHeaderSize: maxHeaderBytes, shouldUpgradeCallback: isWebSocketUpgrade });
  // More would be left out without a word; their bytes are bounded together.
  server.maxHeadersCount = 0;
  const inFlight = new Set<Promise<void>>();
  /** The server lets go of these, and still waits for their end. */
  const upgraded = new Set<Duplex>();
  const trackRequest = (request: NodeJS.EventEmitter) => {
    const until = new Promise<void>((end) => request.once("close", end));
    inFlight.add(until);
    void until.then(() => inFlight.delete(until));
  };

  /** Where it goes and what is sent there, or what is answered in its place. */
  const decideForward = async (request: http.IncomingMessage): Promise<ForwardTarget | Refusal> => {
    const onward = forwardRequest(request);
    if (!("path" in onward)) return onward;
    if (onward.path === "*") return nothingToSay;
    const { host: name, path } = onward;
    const to = await send({ host: name, path, header: (it) => request.headers[it]?.toString() ?? null });
    return "url" in to ? { onward, options: requestOptions(request, onward, to.url) } : to;
  };
  const call = (options: http.RequestOptions): http.ClientRequest => {
    const upstream = http.request(options);
    upstream.maxHeadersCount = 0;
    upstream.on("error", ({ code }: NodeJS.ErrnoException) => code === "ECONNREFUSED" && onUnreachable());
    return upstream;
  };

  const forward = async (request: http.IncomingMessage, response: http.ServerResponse) => {
    trackRequest(response);
    const decision = await decideForward(request);
    if (response.destroyed) return;
    if (!("onward" in decision)) return sendRefusal(response, decision);
    const upstream = call({ ...decision.options, agent });
    upstream.on("response", (upstreamResponse) => {
      try {
        response.writeHead(
          upstreamResponse.statusCode ?? 502,
          upstreamResponse.statusMessage,
          forwardedResponseHeaders(upstreamResponse.rawHeaders),
        );
      } catch (error) {
        upstreamResponse.destroy();
        return sendRefusal(response, badGateway(error as Error));
      }
      pipeline(upstreamResponse, response).catch(() => response.destroy());
    });
    upstream.on("information", ({ statusCode }) => {
      if (statusCode === 100 && request.httpVersion !== "1.0") response.writeContinue();
    });
    upstream.on("error", (error) => sendRefusal(response, badGateway(error)));
    response.once("close", () => !response.writableFinished && abortRequest(upstream));
    if (!decision.onward.hasBody) return upstream.end();
    // A Worker begins with the head, and not with the first of the body.
    upstream.flushHeaders();
    return pipeline(request, upstream).catch(() => abortRequest(upstream));
  };
  const handleRequest = (request: http.IncomingMessage, response: http.ServerResponse) =>
    void forward(request, response).catch((error: Error) => sendRefusal(response, badGateway(error)));
  server.on("request", handleRequest);
  // The Worker behind says whether it wants the body.
  server.on("checkContinue", handleRequest);

  const upgrade = async (request: http.IncomingMessage, socket: Duplex, head: Buffer) => {
    trackRequest(socket);
    upgraded.add(socket);
    socket.once("close", () => upgraded.delete(socket));
    socket.on("error", () => socket.destroy());
    const decision = await decideForward(request);
    if (!("onward" in decision)) return refuseUpgrade(socket, decision);
    const { hasBody } = decision.onward;
    if (hasBody && request.headers["content-length"] !== "0")
      return refuseUpgrade(socket, refusal("request-malformed", "a request for a WebSocket has no body"));
    const { headers, ...options } = decision.options;
    const upstream = call({ ...options, headers: [...headers, "Connection", "Upgrade", "Upgrade", "websocket"] });
    upstream.on("upgrade", (upstreamResponse, upstreamSocket, upstreamHead) => {
      const fields = [
        ...forwardedResponseHeaders(upstreamResponse.rawHeaders),
        "Connection",
        "Upgrade",
        "Upgrade",
        "websocket",
      ];
      writeHead(socket, "101 Switching Protocols", fields);
      socket.write(upstreamHead);
      upstreamSocket.write(head);
      upstreamSocket.on("error", () => socket.destroy());
      socket.pipe(upstreamSocket).pipe(socket);
      socket.once("close", () => upstreamSocket.destroy());
    });
    upstream.on("response", (upstreamResponse) => {
      writeHead(socket, `${upstreamResponse.statusCode} ${upstreamResponse.statusMessage}`, [
        ...forwardedResponseHeaders(upstreamResponse.rawHeaders),
        "Connection",
        "close",
      ]);
      pipeline(upstreamResponse, socket).catch(() => socket.destroy());
    });
    upstream.on("error", (error) => refuseUpgrade(socket, badGateway(error)));
    return upstream.end();
  };
  server.on("upgrade", (request: http.IncomingMessage, socket: Duplex, head: Buffer) => {
    upgrade(request, socket, head).catch((error: Error) => refuseUpgrade(socket, badGateway(error)));
  });
  server.on("clientError", refuseBytes);
  server.on("connect", (_, socket: Duplex) => {
    socket.on("error", () => socket.destroy());
    refuseUpgrade(socket, refusal("method-unknown", "nothing here is a tunnel"));
  });

  await listen(server, port, host, option);
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    whenIdle: async () => void (await Promise.all(inFlight)),
    close: async () => {
      server.closeAllConnections();
      for (const socket of upgraded) socket.destroy();
      agent.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
};

interface ForwardTarget {
  readonly onward: ForwardedRequest;
  readonly options: http.RequestOptions & { readonly headers: readonly string[] };
}

const requestOptions = (
  request: http.IncomingMessage,
  { path, headers }: ForwardedRequest,
  url: URL,
): ForwardTarget["options"] => {
  const address = (request.socket.remoteAddress ?? "").replace(/^::ffff:/, "");
  return {
    host: url.hostname,
    port: url.port,
    method: request.method,
    path,
    headers: ["CF-Connecting-IP", address, ...headers],
    maxHeaderSize: maxHeaderBytes + ownHeaderBytes,
  };
};

/** What Workers and the runtime add to the fields of an answer. */
const ownHeaderBytes = 4096;

const badGateway = (error: Error): Refusal => refusal("response-unreadable", error.message);

/** Answers in a Worker's place, where nothing has been answered yet. */
const sendRefusal = (response: http.ServerResponse, it: Refusal): void => {
  if (response.headersSent) return void response.destroy();
  // Nobody reads on what was refused.
  const fields = [...fieldsOf(it), ...(it.status >= 400 ? ["Connection", "close"] : [])];
  response.writeHead(it.status, http.STATUS_CODES[it.status] ?? "", fields).end(it.text);
};

const refuseUpgrade = (socket: Duplex, it: Refusal): void => {
  writeHead(socket, `${it.status} ${http.STATUS_CODES[it.status]}`, [...fieldsOf(it), "Connection", "close"]);
  socket.end(it.text);
};

/** Bytes that Node could not read as a request. Where a response has begun on the connection, it is only ended. */
const refuseBytes = (error: NodeJS.ErrnoException, socket: Duplex & { readonly _httpMessage?: Begun | null }): void => {
  if (!socket.writable || error.code === "ECONNRESET" || socket._httpMessage?.headersSent) socket.destroy();
  else refuseUpgrade(socket, unread(error));
};

const unread = ({ code, message }: NodeJS.ErrnoException): Refusal => {
  if (code === "HPE_HEADER_OVERFLOW")
    return refusal("header-too-large", `a request header has at most ${maxHeaderBytes} bytes`);
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
const abortRequest = (request: http.ClientRequest): void => {
  request.socket?.resetAndDestroy();
  request.destroy();
};
