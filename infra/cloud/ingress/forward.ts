/** Forwards a request to a machine and returns its response. */
import http from "node:http";
import { pipeline } from "node:stream/promises";
import { type ForwardedRequest, forwardedResponseHeaders, forwardRequest, maxHeaderBytes } from "./message.ts";
import { emptyResponse, type Refusal } from "./refusals.ts";
import { badGateway, sendRefusal } from "./send-refusal.ts";
import { atZoneHost } from "./zone-address.ts";

/** An isolate's base URL and what the zone's rules change of the headers, or what to answer instead. */
export type Destination = { readonly url: URL; readonly edits?: HeaderEdits } | Refusal;

/** New values of headers by their name in lower case; null for one that is removed. */
type HeaderEdits = ReadonlyMap<string, string | null>;

/** What decides where a request goes. */
export interface IncomingRequest extends Pick<ForwardedRequest, "host" | "path"> {
  readonly header: (name: string) => string | null;
}

export interface ForwardOptions {
  readonly resolveDestination: (request: IncomingRequest) => Promise<Destination>;
  /** Called when no machine listens at the destination. */
  readonly onUnreachable: () => void;
}

export interface ForwardTarget {
  readonly forwarded: ForwardedRequest;
  readonly options: http.RequestOptions & { readonly headers: readonly string[] };
}

/** Decides what to send where, or what to answer instead. */
export const decideForward = async (
  request: http.IncomingMessage,
  { resolveDestination }: ForwardOptions,
): Promise<ForwardTarget | Refusal> => {
  const received = forwardRequest(request);
  if (!("path" in received)) return received;
  const forwarded = atZoneHost(received);
  if (forwarded.path === "*") return emptyResponse;
  const { host, path } = forwarded;
  const to = await resolveDestination({ host, path, header: (name) => request.headers[name]?.toString() ?? null });
  if (!("url" in to)) return to;
  const headers = withEdits(forwarded.headers, to.edits);
  return { forwarded, options: requestOptions(request, { ...forwarded, headers }, to.url) };
};

const withEdits = (headers: readonly string[], edits: HeaderEdits = new Map()): readonly string[] => {
  if (edits.size === 0) return headers;
  const kept = headers.filter((_, index) => !edits.has((headers[index - (index % 2)] as string).toLowerCase()));
  return [...kept, ...[...edits].flatMap(([name, value]) => (value === null ? [] : [name, value]))];
};

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

/** Headers that Workers and the runtime add to a response. */
const ownHeaderBytes = 4096;

export const callMachine = (options: http.RequestOptions, { onUnreachable }: ForwardOptions): http.ClientRequest => {
  const upstream = http.request(options);
  upstream.maxHeadersCount = 0;
  upstream.on("error", ({ code }: NodeJS.ErrnoException) => code === "ECONNREFUSED" && onUnreachable());
  return upstream;
};

/** Answers a request with the response of a Worker, or with a refusal of the edge. */
export const forwardHttp = async (
  request: http.IncomingMessage,
  response: http.ServerResponse,
  agent: http.Agent,
  options: ForwardOptions,
): Promise<unknown> => {
  const decision = await decideForward(request, options);
  if (response.destroyed) return undefined;
  if (!("forwarded" in decision)) return sendRefusal(response, decision);
  const upstream = callMachine({ ...decision.options, agent }, options);
  upstream.on("response", (upstreamResponse) => sendResponse(upstreamResponse, response));
  upstream.on("information", ({ statusCode }) => {
    if (statusCode === 100 && request.httpVersion !== "1.0") response.writeContinue();
  });
  upstream.on("error", (error) => sendRefusal(response, badGateway(error)));
  response.once("close", () => !response.writableFinished && abortRequest(upstream));
  if (!decision.forwarded.hasBody) return upstream.end();
  // A Worker starts with the head of a request, before the first byte of its body.
  upstream.flushHeaders();
  return pipeline(request, upstream).catch(() => abortRequest(upstream));
};

const sendResponse = (upstreamResponse: http.IncomingMessage, response: http.ServerResponse): void => {
  const { statusCode = 502, statusMessage, rawHeaders } = upstreamResponse;
  try {
    response.writeHead(statusCode, statusMessage, forwardedResponseHeaders(rawHeaders));
  } catch (error) {
    upstreamResponse.destroy();
    sendRefusal(response, badGateway(error as Error));
    return;
  }
  pipeline(upstreamResponse, response).catch(() => response.destroy());
};

/** Resets the connection, so that the Worker does not take a cut body for a whole one. */
const abortRequest = (request: http.ClientRequest): void => {
  request.socket?.resetAndDestroy();
  request.destroy();
};
