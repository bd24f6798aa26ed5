/**
 * Headers at the trust boundaries: removes spoofable headers, passes the front's facts to gates, and sets forwarding
 * headers for upstreams.
 */

import type { Caller } from "../core/types.ts";
import type { RequestUrl } from "../http/request-url.ts";
import { isSpoofable } from "./spoofable-headers.ts";
import { continueTrace } from "./trace-context.ts";

/**
 * The front's facts for the gate: the gray key, then names of gate-only headers, separated by spaces. Gates thus also
 * remove headers that a newer front has for newer gates. A single header, since each costs a request half a percent
 * of a bare passthrough. Read only by the entrypoint that clients cannot reach.
 */
export const callerHeader = "x-postern-caller";
export const requestIdHeader = "x-request-id";
export const parentSpanHeader = "x-postern-parent-span";

/**
 * A mark among the names: the client sent no key, and the front generated one for this request. The platform's split
 * needs a key, but a gate's shares then use the address. An older gate treats the mark as the name of a header, which
 * does not exist. An older front does not send it, and its key is used as before.
 */
const generatedKeyMark = "x-postern-made-key";

/**
 * A mark among the names: the response sets the generated key as a cookie. The client's next requests get the same version, so this one
 * was not dealt for itself.
 */
export const keptKeyMark = "x-postern-kept-key";

/**
 * Ahead of the front's version, the last of the names. The name of a header, so that an older gate, which deletes what is
 * named, can read it.
 */
const frontVersionMark = "x-postern-front-";

/** A name for the caller header that tells gates the front's version. */
export const frontVersionName = (version: string): string => frontVersionMark + version;

/** Removes the front's version from the names. A tester's request has other names behind it, and is not counted. */
const takeFrontVersion = (names: string[]): string | undefined =>
  names.at(-1)?.startsWith(frontVersionMark) ? names.pop()?.slice(frontVersionMark.length) : undefined;

/**
 * A mark among the names: the platform chose the front's version by a key that is no gray key, so the client sent it. The version
 * of the gate is still by the key that the front generated.
 */
export const broughtKeyMark = "x-postern-brought-key";

/** Marks requests of testers. Their responses name the version. */
export const smokeHeader = "x-postern-smoke";
export const versionHeader = "postern-version";
/** In responses to testers: the version of the front. */
export const frontVersionHeader = "postern-front-version";

/** These headers control the platform's version splits, so only the front may set them. */
export const versionKeyHeader = "cloudflare-workers-version-key";
export const overridesHeader = "cloudflare-workers-version-overrides";

/** The token of `postern explain`, read by gates. */
export const explainHeader = "postern-explain";

const remove = (headers: Headers, names: readonly string[]): void => {
  for (const name of names) headers.delete(name);
};

/** End-to-end fields, which `Connection` must not name (RFC 9110, section 7.6.1). */
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
  // Removed by whoever handles the upgrade.
  "upgrade",
]);

/**
 * Hop-by-hop fields that a `Connection` field names. It cannot remove end-to-end fields or those that only the edge
 * sets (`cf-…`), so that no client can hide its address or the length of a body.
 */
export const hopByHopNames = (connection: string): ReadonlySet<string> => {
  const names = connection.split(",").map((it) => it.trim().toLowerCase());
  return new Set(names.filter((it) => !endToEnd.has(it) && !it.startsWith("cf-")));
};

const keepsAlive = /^(?:keep-alive|close|upgrade)$/i;

/** The hop-by-hop fields of a message. There are none in almost every message. */
export const hopByHopHeaders = (headers: Headers): readonly string[] => {
  const connection = headers.get("connection");
  if (connection === null || keepsAlive.test(connection)) return [];
  const named = hopByHopNames(connection);
  return [...headers.keys()].filter((it) => named.has(it));
};

/** Removes unwanted and hop-by-hop fields. Reading all names costs a request three percent, so it is done once. */
const removeUnwanted = (headers: Headers, isUnwanted: (name: string) => boolean): void => {
  const unwanted: string[] = [];
  for (const name of headers.keys())
    if (name === "connection") unwanted.push(...hopByHopHeaders(headers));
    else if (isUnwanted(name)) unwanted.push(name);
  remove(headers, unwanted);
};

/**
 * Whether a request is a WebSocket handshake (RFC 6455, section 4.1). Other upgrades are ignored (RFC 9110, section
 * 7.8).
 */
export const isWebSocketRequest = ({ method, headers }: Request): boolean =>
  method === "GET" && headers.get("upgrade")?.toLowerCase() === "websocket";

/** An untrusted caller: only the address that the platform reports is used. */
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
 * Removes headers that gates must not see.
 * @param parentSpan undefined when the trace starts here; `tracestate` is removed then
 * @param accepted spoofable headers that tiers of this front accept from clients
 */
export const removeSpoofableHeaders = (
  headers: Headers,
  parentSpan: string | undefined,
  accepted: ReadonlySet<string> = noHeaders,
): {
  /** Names of gate-only headers. */
  readonly gateOnlyHeaders: readonly string[];
  /** The client chose the front's version, so its request says nothing about the users' share. */
  readonly choosesVersion: boolean;
  /** The platform chose the front's version by a key: the gray key, if the zone has rules for it, or one of the client's own. */
  readonly hasVersionKey: boolean;
} => {
  const startsTrace = parentSpan === undefined;
  let hasExplainToken = false;
  let choosesVersion = false;
  let hasVersionKey = false;
  removeUnwanted(headers, (name) => {
    if (name === explainHeader) {
      hasExplainToken = true;
      return false;
    }
    if (!isSpoofable(name)) return startsTrace && name === "tracestate";
    if (name === overridesHeader) choosesVersion = true;
    if (name === versionKeyHeader) hasVersionKey = true;
    return !accepted.has(name);
  });
  return { gateOnlyHeaders: hasExplainToken ? [explainHeader] : [], choosesVersion, hasVersionKey };
};

const noHeaders: ReadonlySet<string> = new Set();

/**
 * Writes the caller header for the gate.
 * @param gateOnlyHeaders names of headers that must not reach the service
 * @param isGeneratedKey whether the front generated the key, since the client sent none
 */
export const setCallerHeader = (
  headers: Headers,
  grayKey: string,
  gateOnlyHeaders: readonly string[],
  isGeneratedKey = false,
): void =>
  headers.set(callerHeader, [grayKey, ...(isGeneratedKey ? [generatedKeyMark] : []), ...gateOnlyHeaders].join(" "));

/** The gray key in the caller header. */
export const grayKeyOf = (headers: Headers): string => headers.get(callerHeader)?.split(" ", 1)[0] ?? "";

/** Adds names to the caller header. */
export const addGateOnlyHeaders = (headers: Headers, gateOnlyHeaders: readonly string[]): void =>
  headers.set(callerHeader, [headers.get(callerHeader), ...gateOnlyHeaders].join(" "));

/** The caller as the front describes it. A request without the front's headers has an untrusted caller. */
export const callerFromFront = (headers: Headers, uuid: () => string): Caller => {
  const field = headers.get(callerHeader);
  const requestId = headers.get(requestIdHeader);
  const traceparent = headers.get("traceparent");
  if (field === null || requestId === null || traceparent === null) return untrustedCaller(headers, uuid);
  const [grayKey = "", ...gateOnlyHeaders] = field.split(" ");
  const frontVersion = takeFrontVersion(gateOnlyHeaders);
  return {
    requestId,
    traceparent,
    parentSpan: gateOnlyHeaders.includes(parentSpanHeader) ? (headers.get(parentSpanHeader) ?? undefined) : undefined,
    ip: headers.get("cf-connecting-ip"),
    grayKey: gateOnlyHeaders.includes(generatedKeyMark) ? null : grayKey,
    tester: gateOnlyHeaders.includes(smokeHeader),
    gateOnlyHeaders,
    frontVersion,
  };
};

/** Headers of the front besides those that it names. Removing them by name is cheaper than scanning all headers. */
const frontHeaders = [callerHeader, versionKeyHeader, "cf-connecting-ip"];

/**
 * Sets forwarding headers for an upstream and removes spoofable and gate-only ones.
 * @param accepted spoofable headers that the tier accepts from clients
 */
export const setForwardingHeaders = (
  headers: Headers,
  caller: Caller,
  url: RequestUrl,
  accepted: ReadonlySet<string> = noHeaders,
): void => {
  const { gateOnlyHeaders, parentSpan } = caller;
  if (gateOnlyHeaders) {
    // The front has set the request id and `traceparent`, which the upstream reads.
    remove(headers, frontHeaders);
    remove(headers, gateOnlyHeaders);
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
