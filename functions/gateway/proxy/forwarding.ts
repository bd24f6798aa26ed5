/** Headers at the borders: what strangers may not bring in, what the front tells a gate, what an upstream is told. */

import type { Caller } from "../core/types.ts";
import type { RequestUrl } from "../http/request-url.ts";
import { isSpoofable } from "./spoofable-headers.ts";

/**
 * What the front tells the gate behind it: the gray key, and then the names of further headers that go no further than the
 * gate, with spaces between. So a gate also removes what a newer front has for newer gates. Each header costs a request half
 * a percent of a bare passthrough, which is why there is one. Read only by the entrypoint that no stranger reaches.
 */
export const callerHeader = "x-postern-caller";
export const requestIdHeader = "x-request-id";
export const parentSpanHeader = "x-postern-parent-span";

/**
 * Stands among the names where the client brought no key and the front made one for this request alone. The platform's split
 * needs one; a share of a gate goes by the address instead. A gate that does not know the word removes a header of that name,
 * which there is not; a front that does not write it is believed as ever.
 */
const generatedKeyMark = "x-postern-made-key";

/** There where a tester asks, who is told which version answered. */
export const smokeHeader = "x-postern-smoke";
export const versionHeader = "postern-version";

/** Steer the platform's version splits, so only the front may set them. */
export const versionKeyHeader = "cloudflare-workers-version-key";
export const overridesHeader = "cloudflare-workers-version-overrides";

/** A token of `postern explain`, which gates read. */
export const explainHeader = "postern-explain";

const remove = (headers: Headers, names: readonly string[]): void => {
  for (const name of names) headers.delete(name);
};

/** Meant for whoever receives the message, so that `Connection` may not name it (RFC 9110, section 7.6.1). */
const endToEnd: ReadonlySet<string> = new Set([
  "host",
  "authorization",
  "cookie",
  "set-cookie",
  "cache-control",
  "content-type",
  "content-length",
  "content-encoding",
  "date",
  // It is removed by who follows it.
  "upgrade",
]);

/**
 * Fields that a `Connection` field makes a matter of one hop. What is meant for all recipients, and what only the edge
 * says (`cf-…`), it cannot take away: no client gets rid of its address, or of a body's length, by naming it there.
 */
export const hopByHopNames = (connection: string): ReadonlySet<string> => {
  const names = connection.split(",").map((it) => it.trim().toLowerCase());
  return new Set(names.filter((it) => !endToEnd.has(it) && !it.startsWith("cf-")));
};

const keepsAlive = /^(?:keep-alive|close|upgrade)$/i;

/** The fields that are there, and that a `Connection` field names. It names none in almost every message. */
export const hopByHopHeaders = (headers: Headers): readonly string[] => {
  const connection = headers.get("connection");
  if (connection === null || keepsAlive.test(connection)) return [];
  const named = hopByHopNames(connection);
  return [...headers.keys()].filter((it) => named.has(it));
};

/** Removes unwanted fields, and those that a `Connection` field names. To read all names costs a request three percent, so it is done once. */
const removeUnwanted = (headers: Headers, isUnwanted: (name: string) => boolean): void => {
  const unwanted: string[] = [];
  for (const name of headers.keys())
    if (name === "connection") unwanted.push(...hopByHopHeaders(headers));
    else if (isUnwanted(name)) unwanted.push(name);
  remove(headers, unwanted);
};

/** Whether a request asks for a WebSocket (RFC 6455, section 4.1). Any other upgrade is one to ignore (RFC 9110, section 7.8). */
export const isWebSocketRequest = ({ method, headers }: Request): boolean =>
  method === "GET" && headers.get("upgrade")?.toLowerCase() === "websocket";

/** Any version but ff; what a later one appends is left out (W3C Trace Context, section 3.2.4). */
const traceparentPattern = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:$|-)/;

interface TraceContext {
  readonly traceparent: string;
  /** The caller's span that ours comes under, or undefined where the trace begins with us. */
  readonly parentSpan: string | undefined;
}

/**
 * Continues a trace with a span of our own, or begins one where none was brought that is valid.
 * @param id random, as a UUID: its digits are the span's, and those of a trace that begins
 */
export const continueTrace = (traceparent: string | null, id: string): TraceContext => {
  const trace = id.slice(0, 8) + id.slice(9, 13) + id.slice(14, 18) + id.slice(19, 23) + id.slice(24);
  const span = trace.slice(16);
  const [, known, parentSpan, flags = "00"] = (traceparent !== null && traceparentPattern.exec(traceparent)) || [];
  if (traceparent === null || known === undefined || (traceparent.startsWith("00") && traceparent.length !== 55))
    return { traceparent: `00-${trace}-${span}-01`, parentSpan: undefined };
  return { traceparent: `00-${known}-${span}-0${Number.parseInt(flags, 16) & 1}`, parentSpan };
};

/** Continues the caller's trace, or begins one (W3C Trace Context, level 1). */
export const traceparentOf = (headers: Headers, uuid: () => string): string =>
  continueTrace(headers.get("traceparent"), uuid()).traceparent;

/** A caller of whom nothing is believed but the address that the platform reports. */
export const untrustedCaller = (headers: Headers, uuid: () => string): Caller => {
  const requestId = uuid();
  return {
    requestId,
    ...continueTrace(headers.get("traceparent"), requestId),
    ip: headers.get("cf-connecting-ip"),
    grayKey: null,
  };
};

/**
 * Removes what no gate is to see.
 * @param parentSpan undefined where the trace begins here, and its state goes with it
 * @param accepted spoofable headers that tiers of this front want from clients
 * @returns names of what is for the gate alone
 */
export const removeSpoofableHeaders = (
  headers: Headers,
  parentSpan: string | undefined,
  accepted: ReadonlySet<string> = noHeaders,
): readonly string[] => {
  const startsTrace = parentSpan === undefined;
  let hasExplainToken = false;
  removeUnwanted(headers, (name) => {
    if (name === explainHeader) {
      hasExplainToken = true;
      return false;
    }
    return isSpoofable(name) ? !accepted.has(name) : startsTrace && name === "tracestate";
  });
  return hasExplainToken ? [explainHeader] : [];
};

const noHeaders: ReadonlySet<string> = new Set();

/**
 * Tells the gate who calls.
 * @param gateOnlyHeaders names of headers that go no further than the gate
 * @param isGeneratedKey whether the key was made for this request, since the client brought none
 */
export const setCallerHeader = (
  headers: Headers,
  grayKey: string,
  gateOnlyHeaders: readonly string[],
  isGeneratedKey = false,
): void =>
  headers.set(callerHeader, [grayKey, ...(isGeneratedKey ? [generatedKeyMark] : []), ...gateOnlyHeaders].join(" "));

/** Adds to what `present` wrote. */
export const addGateOnlyHeaders = (headers: Headers, gateOnlyHeaders: readonly string[]): void =>
  headers.set(callerHeader, [headers.get(callerHeader), ...gateOnlyHeaders].join(" "));

/** A caller as the front made it out; whoever came by another way is a stranger. */
export const callerFromFront = (headers: Headers, uuid: () => string): Caller => {
  const field = headers.get(callerHeader);
  const requestId = headers.get(requestIdHeader);
  const traceparent = headers.get("traceparent");
  if (field === null || requestId === null || traceparent === null) return untrustedCaller(headers, uuid);
  const [grayKey = "", ...gateOnlyHeaders] = field.split(" ");
  return {
    requestId,
    traceparent,
    parentSpan: gateOnlyHeaders.includes(parentSpanHeader) ? (headers.get(parentSpanHeader) ?? undefined) : undefined,
    ip: headers.get("cf-connecting-ip"),
    grayKey: gateOnlyHeaders.includes(generatedKeyMark) ? null : grayKey,
    tester: gateOnlyHeaders.includes(smokeHeader),
    gateOnlyHeaders,
  };
};

/** What comes from the front beside what it names. To ask for these by name is cheaper than to go through all. */
const frontHeaders = [callerHeader, versionKeyHeader, "cf-connecting-ip"];

/**
 * Writes what an upstream may know of the caller, in place of what came in.
 * @param accepted spoofable headers that the tier wants from clients
 */
export const setForwardingHeaders = (
  headers: Headers,
  caller: Caller,
  url: RequestUrl,
  accepted: ReadonlySet<string> = noHeaders,
): void => {
  const { gateOnlyHeaders: further, parentSpan } = caller;
  if (further) {
    // The front has named the request and continued its trace, in the headers that an upstream reads.
    remove(headers, frontHeaders);
    remove(headers, further);
  } else {
    const startsTrace = parentSpan === undefined;
    removeUnwanted(headers, (name) =>
      isSpoofable(name) ? !accepted.has(name) : name === "cf-connecting-ip" || (startsTrace && name === "tracestate"),
    );
    headers.set(requestIdHeader, caller.requestId);
    headers.set("traceparent", caller.traceparent);
  }
  headers.set("x-forwarded-host", url.host);
  headers.set("x-forwarded-proto", url.protocol.slice(0, -1));
  if (caller.ip !== null) headers.set("x-forwarded-for", caller.ip);
};
