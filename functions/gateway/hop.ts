/** Headers at the borders: what strangers may not bring in, what the front tells a gate, what an upstream is told. */
import type { Address } from "./address.ts";
import type { Caller } from "./types.ts";

/** What the front tells the gate behind it. Read only by the entrypoint that no stranger reaches. */
export const requestIdHeader = "x-postern-request-id";
export const grayKeyHeader = "x-postern-gray-key";
export const parentSpanHeader = "x-postern-parent-span";

/** There where a tester asks, who is told which version answered. */
export const smokeHeader = "x-postern-smoke";
export const versionHeader = "postern-version";

/** Steer the platform's version splits, so only the front may set them. */
export const versionKeyHeader = "cloudflare-workers-version-key";
export const overridesHeader = "cloudflare-workers-version-overrides";

const internalPrefixes = ["x-postern-", "cloudflare-workers-", "x-forwarded-"];

/** Claims about the client that anyone can write; the gate writes its own. */
const hearsay: ReadonlySet<string> = new Set([
  "forwarded",
  "x-original-url",
  "x-original-host",
  "x-rewrite-url",
  "x-host",
  "x-http-method-override",
  "x-method-override",
  "x-cluster-client-ip",
  "proxy",
  "proxy-authorization",
  "proxy-connection",
  "x-real-ip",
  "x-client-ip",
  "true-client-ip",
  "x-request-id",
]);

const internal = (name: string): boolean => {
  for (const prefix of internalPrefixes) if (name.startsWith(prefix)) return true;
  return false;
};

/** Removes all that a stranger may not say. */
export const cleanse = (headers: Headers): void => sweep(headers, hearsay);

/** @param named that go, besides what is internal */
const sweep = (headers: Headers, named: ReadonlySet<string>): void => {
  // Many a service reads x_customer as x-customer, so a name with an underscore could speak for the gate.
  const found: string[] = [];
  for (const name of headers.keys()) if (named.has(name) || name.includes("_") || internal(name)) found.push(name);
  for (const name of found) headers.delete(name);
};

/** Any version but ff; what a later one appends is left out (W3C Trace Context, section 3.2.4). */
const w3c = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:$|-)/;

interface Trace {
  readonly traceparent: string;
  /** The caller's span that ours comes under, or undefined where the trace begins with us. */
  readonly parentSpan: string | undefined;
}

/**
 * Continues a trace with a span of our own, or begins one where none was brought that is valid.
 * @param id random, as a UUID: its digits are the span's, and those of a trace that begins
 */
export const traceOf = (given: string | null, id: string): Trace => {
  const trace = id.slice(0, 8) + id.slice(9, 13) + id.slice(14, 18) + id.slice(19, 23) + id.slice(24);
  const span = trace.slice(16);
  const [, known, parentSpan, flags = "00"] = (given !== null && w3c.exec(given)) || [];
  if (given === null || known === undefined || (given.startsWith("00") && given.length !== 55))
    return { traceparent: `00-${trace}-${span}-01`, parentSpan: undefined };
  return { traceparent: `00-${known}-${span}-0${Number.parseInt(flags, 16) & 1}`, parentSpan };
};

/** Continues the caller's trace, or begins one (W3C Trace Context, level 1). */
export const traceparentOf = (headers: Headers, uuid: () => string): string =>
  traceOf(headers.get("traceparent"), uuid()).traceparent;

/** A caller of whom nothing is believed but the address that the platform reports. */
export const stranger = (headers: Headers, uuid: () => string): Caller => {
  const requestId = uuid();
  return {
    requestId,
    ...traceOf(headers.get("traceparent"), requestId),
    ip: headers.get("cf-connecting-ip"),
    grayKey: null,
  };
};

/** What else goes behind the front: the tester's label that it has read, and the state of a trace that begins there. */
const atFront: ReadonlySet<string> = new Set([...hearsay, "postern-label"]);
const atFrontWithState: ReadonlySet<string> = new Set([...atFront, "tracestate"]);

/** Removes what no gate is to see. @param parentSpan undefined where the trace begins here */
export const cleanseFor = (headers: Headers, parentSpan: string | undefined): void =>
  sweep(headers, parentSpan === undefined ? atFrontWithState : atFront);

/** A caller as the front made it out. */
export const behindFront = (headers: Headers, uuid: () => string): Caller => ({
  requestId: headers.get(requestIdHeader) ?? uuid(),
  traceparent: headers.get("traceparent") ?? traceparentOf(headers, uuid),
  parentSpan: headers.get(parentSpanHeader) ?? undefined,
  ip: headers.get("cf-connecting-ip"),
  grayKey: headers.get(grayKeyHeader),
  cleansed: true,
});

const keptBack: ReadonlySet<string> = new Set([...hearsay, "cf-connecting-ip", "postern-explain", "postern-label"]);
const keptBackWithState: ReadonlySet<string> = new Set([...keptBack, "tracestate"]);

/** All that the front writes, and what it lets pass for the gate. To ask for these by name is cheaper than to go through all. */
const ofFront = [
  requestIdHeader,
  grayKeyHeader,
  versionKeyHeader,
  overridesHeader,
  smokeHeader,
  "cf-connecting-ip",
  "postern-explain",
];

const sweepAfterFront = (headers: Headers, parentSpan: string | undefined): void => {
  for (const name of ofFront) headers.delete(name);
  if (parentSpan !== undefined) headers.delete(parentSpanHeader);
};

/** Writes what an upstream may know of the caller, in place of what came in. */
export const introduce = (headers: Headers, caller: Caller, url: Address): void => {
  const { cleansed, parentSpan } = caller;
  if (cleansed) sweepAfterFront(headers, parentSpan);
  else sweep(headers, parentSpan === undefined ? keptBackWithState : keptBack);
  headers.set("x-request-id", caller.requestId);
  headers.set("traceparent", caller.traceparent);
  headers.set("x-forwarded-host", url.host);
  headers.set("x-forwarded-proto", url.protocol.slice(0, -1));
  if (caller.ip !== null) headers.set("x-forwarded-for", caller.ip);
};
