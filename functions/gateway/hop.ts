/** Headers at the borders: what strangers may not bring in, what the front tells a gate, what an upstream is told. */
import type { Caller } from "./types.ts";

/** What the front tells the gate behind it. Read only by the entrypoint that no stranger reaches. */
export const requestIdHeader = "x-postern-request-id";
export const grayKeyHeader = "x-postern-gray-key";

/** Steers the platform's version splits, so only the front may set it. */
export const versionKeyHeader = "cloudflare-workers-version-key";

const internalPrefixes = ["x-postern-", "cloudflare-workers-"];

/** Claims about the client that anyone can write; the gate writes its own. */
const hearsay = [
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-forwarded-proto",
  "x-real-ip",
  "x-client-ip",
  "true-client-ip",
  "x-request-id",
];

/** Removes all that a stranger may not say. */
export const cleanse = (headers: Headers): void => {
  for (const name of [...headers.keys()])
    if (internalPrefixes.some((prefix) => name.startsWith(prefix))) headers.delete(name);
  for (const name of hearsay) headers.delete(name);
};

const w3c = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** Continues the caller's trace with a span of our own, or begins one (W3C Trace Context, level 1). */
export const traceparentOf = (headers: Headers, uuid: () => string): string => {
  const given = headers.get("traceparent");
  const span = uuid().replaceAll("-", "").slice(16);
  if (given !== null && w3c.test(given)) return `${given.slice(0, 36)}${span}${given.slice(52)}`;
  return `00-${uuid().replaceAll("-", "")}-${span}-01`;
};

/** A caller of whom nothing is believed but the address that the platform reports. */
export const stranger = (headers: Headers, uuid: () => string): Caller => ({
  requestId: uuid(),
  traceparent: traceparentOf(headers, uuid),
  ip: headers.get("cf-connecting-ip"),
  grayKey: null,
});

/** A caller as the front made it out. */
export const behindFront = (headers: Headers, uuid: () => string): Caller => ({
  requestId: headers.get(requestIdHeader) ?? uuid(),
  traceparent: headers.get("traceparent") ?? traceparentOf(headers, uuid),
  ip: headers.get("cf-connecting-ip"),
  grayKey: headers.get(grayKeyHeader),
});

/** Writes what an upstream may know of the caller, in place of what came in. */
export const introduce = (headers: Headers, caller: Caller, url: URL): void => {
  cleanse(headers);
  headers.delete("cf-connecting-ip");
  headers.set("x-request-id", caller.requestId);
  headers.set("traceparent", caller.traceparent);
  headers.set("x-forwarded-host", url.host);
  headers.set("x-forwarded-proto", url.protocol.slice(0, -1));
  if (caller.ip !== null) headers.set("x-forwarded-for", caller.ip);
};

/** A host without its port, and without the dot of a fully qualified name. */
export const hostOf = (url: URL): string => url.hostname.replace(/\.$/, "");
