/**
 * Rules for messages between a client and a Worker: which are refused, where the rest goes, and which headers are
 * hop-by-hop.
 */
import type http from "node:http";
import { type Refusal, refusal } from "./refusals.ts";

/** A request that is forwarded. */
export interface ForwardedRequest {
  /** The host that it is for, with its port where there is one. */
  readonly host: string;
  /** Path and query. */
  readonly path: string;
  /** Names and values alternate. `Host` is included. */
  readonly headers: readonly string[];
  /** Without a length and a transfer coding there is no body, whatever the method (RFC 9112, section 6.3). */
  readonly hasBody: boolean;
}

type RawRequest = Pick<http.IncomingMessage, "method" | "url" | "httpVersion" | "rawHeaders">;

/** Bound of a message's head in either direction: the platform's limit. */
export const maxHeaderBytes = 128 * 1024;
/** Bound of a request's target: the platform's limit. */
const maxTargetBytes = 16 * 1024;

/** Headers that only the edge may set. */
const edgeOnlyHeaders = /^(?:cf-.*|mf-.*|x-forwarded-proto)$/;

/** Hop-by-hop headers (RFC 9110, section 7.6.1), beside those that `Connection` names. */
const connectionHeaders: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** End-to-end headers that `Connection` may not name: framing, routing, credentials. */
const endToEnd: ReadonlySet<string> = new Set([
  "host",
  "content-length",
  "content-type",
  "content-encoding",
  "authorization",
  "cookie",
  "set-cookie",
  "cache-control",
  "date",
]);

export const forwardRequest = (request: RawRequest): ForwardedRequest | Refusal => {
  const { method = "", url: target = "", httpVersion, rawHeaders } = request;
  if (unsupportedMethods.has(method)) return refusal("method-unknown", "no Worker knows this method");
  const coding = valuesOf(rawHeaders, "transfer-encoding").join(",");
  if (coding !== "") {
    if (httpVersion === "1.0") return refusal("request-malformed", "a request of HTTP/1.0 has no transfer coding");
    if (coding.trim().toLowerCase() !== "chunked")
      return refusal("coding-unknown", "the only transfer coding here is chunked");
  }
  if (target.length > maxTargetBytes) return refusal("url-too-long", `a URL has at most ${maxTargetBytes} bytes`);
  const hosts = valuesOf(rawHeaders, "host");
  if (hosts.length > 1) return refusal("request-malformed", "a request has one Host field");
  const requestTarget = parseTarget(method, target);
  if (requestTarget === undefined)
    return refusal("request-malformed", "the request target is neither a path nor an http URL");
  const host = requestTarget.authority ?? hosts[0] ?? "";
  if (!authority.test(host) || !URL.canParse(`http://${host}`))
    return refusal("request-malformed", "the host is not a name or an address with an optional port");
  const hasBody = coding !== "" || valuesOf(rawHeaders, "content-length").length > 0;
  // The framing is explicit, since Node's own default depends on the method.
  const framing =
    coding !== ""
      ? ["Transfer-Encoding", "chunked"]
      : hasBody || methodsWithoutBody.has(method)
        ? []
        : ["Content-Length", "0"];
  const headers = ["Host", host, ...withoutConnectionHeaders(rawHeaders, isForwardedInRequest), ...framing];
  return { host, path: requestTarget.path, headers, hasBody };
};

/** Methods that Node parses and workerd answers with 501 ahead of every Worker. */
const unsupportedMethods: ReadonlySet<string> = new Set([
  ...["BIND", "LINK", "M-SEARCH", "MKCALENDAR", "REBIND", "SOURCE", "UNBIND", "UNLINK"],
]);

/** Methods that need no length without a body (RFC 9110, section 8.6). */
const methodsWithoutBody: ReadonlySet<string> = new Set(["GET", "HEAD", "DELETE", "OPTIONS", "TRACE"]);

/**
 * A DNS name or an address, with or without a port (RFC 9110, section 7.2). RFC 3986 allows more, which no client uses.
 */
const authority = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d*)?$/i;

const absolute = /^https?:\/\/([^/?#]*)([^#]*)/i;

/** The host of an absolute URL wins over the Host header (RFC 9112, section 3.2.2). */
const parseTarget = (
  method: string,
  target: string,
): { readonly authority?: string; readonly path: string } | undefined => {
  if (target.startsWith("/")) return { path: target };
  const [, host, rest = ""] = absolute.exec(target) ?? [];
  if (host !== undefined) return { authority: host, path: rest.startsWith("/") ? rest : `/${rest}` };
  // `OPTIONS *` is about the server as a whole (RFC 9110, section 9.3.7).
  return method === "OPTIONS" && target === "*" ? { path: "*" } : undefined;
};

/** Whether a request asks for a WebSocket (RFC 6455, section 4.1). Any other upgrade is ignored, as RFC 9110, section 7.8, allows. */
export const isWebSocketUpgrade = ({ method, rawHeaders }: RawRequest): boolean =>
  method === "GET" && tokensOf(rawHeaders, "upgrade").includes("websocket");

/**
 * Headers of a response for the client. A length comes last: Node writes a Content-Disposition behind one in another
 * encoding.
 */
export const forwardedResponseHeaders = (rawHeaders: readonly string[]): string[] =>
  withoutConnectionHeaders(rawHeaders, isForwardedInResponse);

const isForwardedInRequest = (name: string): boolean => name !== "host" && !edgeOnlyHeaders.test(name);
const isForwardedInResponse = (): boolean => true;

const withoutConnectionHeaders = (rawHeaders: readonly string[], isForwarded: (name: string) => boolean): string[] => {
  const named = tokensOf(rawHeaders, "connection").filter((it) => !endToEnd.has(it));
  const forwarded: string[] = [];
  const lengths: string[] = [];
  forEachField(rawHeaders, (name, value) => {
    const lower = name.toLowerCase();
    if (connectionHeaders.has(lower) || named.includes(lower) || !isForwarded(lower)) return;
    (lower === "content-length" ? lengths : forwarded).push(name, value);
  });
  return [...forwarded, ...lengths];
};

const forEachField = (rawHeaders: readonly string[], visit: (name: string, value: string) => void): void => {
  for (let index = 0; index < rawHeaders.length; index += 2)
    visit(rawHeaders[index] as string, rawHeaders[index + 1] as string);
};

const valuesOf = (rawHeaders: readonly string[], wantedName: string): string[] => {
  const values: string[] = [];
  forEachField(rawHeaders, (name, value) => {
    if (name.toLowerCase() === wantedName) values.push(value);
  });
  return values;
};

const tokensOf = (rawHeaders: readonly string[], wantedName: string): string[] =>
  valuesOf(rawHeaders, wantedName).flatMap((value) => value.split(",").map((it) => it.trim().toLowerCase()));
