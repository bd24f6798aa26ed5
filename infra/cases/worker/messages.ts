/** What goes over the wire: requests as clients make them, and what is read of answers. */
import type { Send } from "../batch.ts";

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

export const requestOf = ({ method, url, headers, body, stream, ip }: Send): Request => {
  const given = { ...headers, "cf-connecting-ip": ip };
  if (body === null) return new Request(url, { method, headers: given });
  // The runtime takes the length of a text from itself, and of a stream from nobody; a real client announces one.
  const announced = { ...given, "content-length": String(new TextEncoder().encode(body).byteLength) };
  // It makes no GET with a body, though clients send some; what is announced is what filters go by.
  if (method === "GET" || method === "HEAD") return new Request(url, { method, headers: announced });
  if (stream === "whole") return new Request(url, { method, headers: announced, body });
  return new Request(url, { method, headers: given, body: flowing(body, stream === "broken") });
};

/** As bytes of a client come in: nobody knows how many there will be. */
const flowing = (body: string, breaks: boolean): ReadableStream => {
  const { readable, writable } = new IdentityTransformStream();
  const writer = writable.getWriter();
  const write = async () => {
    await writer.write(new TextEncoder().encode(body));
    await (breaks ? writer.abort(new Error("the client broke off")) : writer.close());
  };
  // Who refuses a body reads it no further.
  write().catch(() => {});
  return readable;
};
