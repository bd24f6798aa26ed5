/** Builds the requests of cases as they arrive at the edge, and reads responses. */
import { forwardRequest, isWebSocketUpgrade } from "../../cloud/ingress/message.ts";
import type { Send } from "../input/batch.ts";
import { fromSocket } from "./sockets.ts";

/** The code of a problem response, from the gate or a service; null if there is none. */
export const problemCode = (headers: Headers, body: string): string | null => {
  if (headers.get("content-type") !== "application/problem+json") return null;
  try {
    return (JSON.parse(body) as { readonly code?: string }).code ?? null;
  } catch {
    return null;
  }
};

/** Closes a WebSocket response. */
export const closeWebSocket = ({ webSocket }: Response): string => {
  webSocket?.accept();
  webSocket?.close();
  return "";
};

/**
 * A request as it reaches the front: parsed and normalized as the edge does with an HTTP/1.1 message.
 *
 * @returns the edge's own response if it rejects the message
 */
export const requestOf = (send: Send): Request | Response => {
  const { method, url, headers, body, stream, ip } = send;
  const { host, pathname, search, protocol } = new URL(url);
  const length =
    body === null || stream !== "whole" ? {} : { "content-length": String(encoder.encode(body).byteLength) };
  const framing = body === null || stream === "whole" ? length : { "transfer-encoding": "chunked" };
  const raw = {
    method,
    url: pathname + search,
    httpVersion: "1.1",
    rawHeaders: Object.entries({ host, ...lowerCaseNames(headers), ...framing }).flat(),
  };
  const read = forwardRequest(raw);
  if (!("path" in read))
    return new Response(read.text, { status: read.status, headers: { "content-type": "application/problem+json" } });
  const requestHeaders = new Headers(headerPairs(read.headers));
  requestHeaders.delete("host");
  requestHeaders.delete("transfer-encoding");
  requestHeaders.set("cf-connecting-ip", ip);
  if (isWebSocketUpgrade(raw)) requestHeaders.set("upgrade", "websocket");
  const target = `${protocol}//${read.host}${read.path}`;
  if (!read.hasBody) return new Request(target, { method, headers: requestHeaders });
  // A non-zero content-length without a body is a client that aborts.
  const declaredLength = requestHeaders.get("content-length") ?? "";
  const breaksOff = body === null ? Number(declaredLength) !== 0 : stream === "broken";
  const requestBody =
    stream === "whole" && body !== null ? body : streamBody(body ?? "", breaksOff ? "broken" : stream);
  if (method === "GET" || method === "HEAD")
    return fromSocket(
      target,
      { method, headers: requestHeaders },
      typeof requestBody === "string" ? streamBody(requestBody, "whole") : requestBody,
    );
  return new Request(target, { method, headers: requestHeaders, body: requestBody });
};

const encoder = new TextEncoder();

const lowerCaseNames = (headers: Send["headers"]): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

const headerPairs = (flat: readonly string[]): [string, string][] =>
  Array.from({ length: flat.length / 2 }, (_, index) => [flat[2 * index] as string, flat[2 * index + 1] as string]);

/** A body as a stream of unknown length. */
const streamBody = (body: string, stream: Send["stream"]): ReadableStream => {
  const { readable, writable } = new IdentityTransformStream();
  const writer = writable.getWriter();
  const write = async () => {
    await writer.write(encoder.encode(body));
    if (stream !== "stalled")
      await (stream === "broken" ? writer.abort(new Error("the client broke off")) : writer.close());
  };
  // A refused body is not read to its end.
  write().catch(() => {});
  return readable;
};
