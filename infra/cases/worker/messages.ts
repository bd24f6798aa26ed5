/** What goes over the wire: requests as clients make them, and what is read of answers. */
import { asksForWebSocket, readRequest } from "../../cloud/edge/message.ts";
import type { Send } from "../input/batch.ts";
import { fromSocket } from "./sockets.ts";

/** Of a problem, be it the gate's or one that a service has sent; that may be no JSON. */
export const codeOf = (headers: Headers, body: string): string | null => {
  if (headers.get("content-type") !== "application/problem+json") return null;
  try {
    return (JSON.parse(body) as { readonly code?: string }).code ?? null;
  } catch {
    return null;
  }
};

/** Whoever became a WebSocket has nothing more to say here. */
export const hungUp = ({ webSocket }: Response): string => {
  webSocket?.accept();
  webSocket?.close();
  return "";
};

/**
 * A request as it reaches the front: what the edge makes of a message over a socket is made of it here as well.
 *
 * @returns what the edge answers, where it lets nothing through
 */
export const requestOf = (send: Send): Request | Response => {
  const { method, url, headers, body, stream, ip } = send;
  const { host, pathname, search, protocol } = new URL(url);
  const length = body === null || stream !== "whole" ? {} : { "content-length": String(text.encode(body).byteLength) };
  const framing = body === null || stream === "whole" ? length : { "transfer-encoding": "chunked" };
  const raw = {
    method,
    url: pathname + search,
    httpVersion: "1.1",
    rawHeaders: Object.entries({ host, ...lowered(headers), ...framing }).flat(),
  };
  const read = readRequest(raw);
  if (!("path" in read))
    return new Response(read.text, { status: read.status, headers: { "content-type": "application/problem+json" } });
  const given = new Headers(pairsOf(read.headers));
  given.delete("host");
  given.delete("transfer-encoding");
  given.set("cf-connecting-ip", ip);
  if (asksForWebSocket(raw)) given.set("upgrade", "websocket");
  const target = `${protocol}//${read.host}${read.path}`;
  if (!read.hasBody) return new Request(target, { method, headers: given });
  // A length that no body follows is a client that breaks off, unless it is zero.
  const announced = given.get("content-length") ?? "";
  const breaks = body === null ? Number(announced) !== 0 : stream === "broken";
  const flow = stream === "whole" && body !== null ? body : flowing(body ?? "", breaks ? "broken" : stream);
  if (method === "GET" || method === "HEAD")
    return fromSocket(target, { method, headers: given }, typeof flow === "string" ? flowing(flow, "whole") : flow);
  return new Request(target, { method, headers: given, body: flow });
};

const text = new TextEncoder();

const lowered = (headers: Send["headers"]): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

const pairsOf = (flat: readonly string[]): [string, string][] =>
  Array.from({ length: flat.length / 2 }, (_, index) => [flat[2 * index] as string, flat[2 * index + 1] as string]);

/** As bytes of a client come in: nobody knows how many there will be. */
const flowing = (body: string, stream: Send["stream"]): ReadableStream => {
  const { readable, writable } = new IdentityTransformStream();
  const writer = writable.getWriter();
  const write = async () => {
    await writer.write(text.encode(body));
    if (stream !== "stalled")
      await (stream === "broken" ? writer.abort(new Error("the client broke off")) : writer.close());
  };
  // Who refuses a body reads it no further.
  write().catch(() => {});
  return readable;
};
