/**
 * Sends requests to upstreams over HTTP. Headers are copied once; a `Request` would copy them again, and `fetch` once
 * more.
 */
import { markBodyReceived } from "../core/concurrency.ts";
import { Body, BodyAwaited, BodyLimit, getFact, setFact, Target } from "../core/facts.ts";
import { busyFault, Fault, upstreamCodes } from "../core/problems.ts";
import type { Context, HeaderEdit } from "../core/types.ts";
import { setForwardingHeaders } from "./forwarding.ts";
import type { LocationMode } from "./location.ts";
import { sanitizeResponse } from "./service-response.ts";

export type Transport = (target: Request | string, init: RequestInit) => Promise<Response>;

export const applyEdits = (headers: Headers, edits: readonly HeaderEdit[]): void => {
  for (const edit of edits)
    if (edit[0] === "delete") headers.delete(edit[1]);
    else if (edit[0] === "merge") merge(headers, edit[1], edit[2]);
    else headers[edit[0]](edit[1], edit[2]);
};

/** List members are compared without case (RFC 9110, 5.1), and `*` covers all. */
const merge = (headers: Headers, name: string, value: string): void => {
  const listed = headers.get(name);
  const has = listed?.split(",").some((it) => it.trim() === "*" || it.trim().toLowerCase() === value);
  if (!has) headers.append(name, value);
};

/** Path and query of the upstream request: the target set by filters or the route, else the client's. */
export const targetOf = (context: Context): string => {
  const target = getFact(context, Target);
  return (target?.path ?? context.url.pathname) + (target?.search ?? context.url.search);
};

/**
 * Forwards a request with a streaming body and returns the response.
 *
 * The gate tracks whether it is waiting for the client's body, so that a stalled client is not taken for a slow
 * service. A body of unknown length is counted while it streams. When it grows too large or breaks off, the whole
 * upstream request is aborted, since an error of the stream alone would look like a clean end.
 *
 * A length of zero is no body, whatever the method (RFC 9112, section 6.3). With GET and HEAD the runtime forwards a
 * body only unmodified, so a body that a filter has read, or one of unknown length, is refused.
 *
 * @param url absolute URL of the upstream request
 * @param transport receives a `Request` only if its body is forwarded unmodified
 * @param locationMode whether references to the upstream in response headers are rewritten
 * @throws Fault `body-too-large`, `body-unexpected`, `body-incomplete`, `gate-busy`, `upstream-invalid`,
 * `upstream-unreachable`, or the reason of the context's signal
 */
export const send = async (
  url: string,
  request: Request,
  context: Context,
  transport: Transport,
  locationMode: LocationMode = "rewrite",
): Promise<Response> => {
  const found = request.body === null ? noBody : bodyOf(request, context);
  const body = found instanceof Promise ? await found : found;
  const signal = anySignal(context.signal, body.failure?.signal);
  const headers = new Headers(request.headers);
  setForwardingHeaders(headers, context.caller, context.url, context.settings?.accepted);
  applyEdits(headers, context.outbound);
  const init: RequestInit = { headers, redirect: "manual" };
  // The runtime rejects `method` beside an unmodified body, even if it is the same.
  if (!body.isUnmodified) init.method = request.method;
  if (body.stream) init.body = body.stream as BodyInit;
  if (signal) init.signal = signal;
  try {
    const response = requireValidStatus(await transport(body.isUnmodified ? new Request(url, request) : url, init));
    return sanitizeResponse(response, url, context, locationMode);
  } catch (cause) {
    if (cause instanceof Fault) throw cause;
    throw context.signal?.aborted ? context.signal.reason : (body.failure?.signal.reason ?? unreachable(cause));
  }
};

/** Fails when the service answers with an invalid status, or switches protocols without a WebSocket. */
const requireValidStatus = (response: Response): Response => {
  const { status } = response;
  if ((status >= 200 && status <= 599) || (status === 101 && response.webSocket)) return response;
  throw new Fault(upstreamCodes, "upstream-invalid", { cause: new Error(`it answered with status ${status}`) });
};

const anySignal = (a: AbortSignal | undefined, b: AbortSignal | undefined): AbortSignal | undefined =>
  a && b ? AbortSignal.any([a, b]) : (a ?? b);

const unreachable = (cause: unknown) => new Fault(upstreamCodes, "upstream-unreachable", { cause });

/** The detail of `body-too-large`. */
export const bodyLimitDetail = (limit: number) => ({ detail: `At most ${limit} bytes are allowed` });

const tooLarge = (limit: number) => new Fault(upstreamCodes, "body-too-large", bodyLimitDetail(limit));

/** The announced length of the body; undefined for a chunked body. */
export const announcedLength = (request: Request): number | undefined => {
  const length = request.headers.get("content-length");
  return length === null ? undefined : Number(length);
};

/** Whether the request has a body: a length of zero is none. */
export const hasBody = (request: Request): boolean => request.body !== null && announcedLength(request) !== 0;

/** Records, while it waits, that the gate is waiting for the client. */
export const awaitingClient = async <T>(context: Context, work: Promise<T>): Promise<T> => {
  markAwaiting(context);
  try {
    return await work;
  } finally {
    setFact(context, BodyAwaited, undefined);
  }
};

const markAwaiting = (context: Context): void => setFact(context, BodyAwaited, context.settings?.now() ?? 0);

/**
 * Records that the body is complete before the service is called.
 * @throws Fault when the concurrency limit is reached
 */
export const requireSlotForBody = ({ slot: place }: Context): void => {
  if (place && !markBodyReceived(place, false)) throw busyFault("gate-busy");
};

/** Records that the body has been forwarded completely. */
const markBodySent = (context: Context): void => {
  setFact(context, BodyAwaited, undefined);
  if (context.slot) markBodyReceived(context.slot, true);
};

interface OutgoingBody {
  readonly stream?: ReadableStream | Uint8Array;
  readonly isUnmodified?: true;
  /** Aborts with a Fault when the body grows too large or breaks off. */
  readonly failure?: AbortController;
}

const noBody: OutgoingBody = {};

const bodyOf = (request: Request, context: Context): OutgoingBody | Promise<OutgoingBody> => {
  const length = announcedLength(request);
  if (length === 0) return noBody;
  const isRead = request.method === "GET" || request.method === "HEAD";
  const read = getFact(context, Body);
  if (read) {
    if (read.byteLength === 0) return noBody;
    if (isRead) throw unexpectedBody();
    return { stream: read };
  }
  const most = getFact(context, BodyLimit) ?? Number.POSITIVE_INFINITY;
  const limit = isRead ? Math.min(most, chunkBytes) : most;
  if (length !== undefined && !(length <= limit)) throw tooLarge(limit);
  const from = request.body as ReadableStream<Uint8Array>;
  if (isRead)
    return length === undefined ? awaitingClient(context, requireEmpty(from)) : unmodifiedBody(request, context);
  if (length !== undefined && length <= smallBodyBytes) return readSmallBody(request, length, context);
  const failure = new AbortController();
  const { readable, writable } = length === undefined ? new IdentityTransformStream() : new FixedLengthStream(length);
  pump(from, writable, limit, context).then(
    () => markBodySent(context),
    (cause) => {
      // When the service closes the connection, its response has arrived or its call fails.
      if (cause instanceof Fault) failure.abort(cause);
    },
  );
  return { stream: readable, failure };
};

/**
 * Lets the runtime forward the body, and reads a clone to see the client's progress. What the service has not read
 * yet is in memory.
 */
const unmodifiedBody = (request: Request, context: Context): OutgoingBody => {
  const copy = request.clone().body as ReadableStream<Uint8Array>;
  // When the body breaks off, the upstream call fails.
  void trackProgress(copy, context).catch(() => {});
  return { isUnmodified: true };
};

const trackProgress = async (body: ReadableStream<Uint8Array>, context: Context): Promise<void> => {
  const reader = body.getReader();
  while (!(await awaitingClient(context, reader.read())).done);
  markBodySent(context);
};

/**
 * Reads a small body before the service is called. If the runtime piped it, a service that reads nothing would look
 * like a client that sends nothing.
 */
const readSmallBody = async (request: Request, length: number, context: Context): Promise<OutgoingBody> => {
  const body = new Uint8Array(await awaitingClient(context, request.arrayBuffer().catch(failIncomplete)));
  if (body.byteLength !== length) throw new Fault(upstreamCodes, "body-incomplete");
  requireSlotForBody(context);
  return { stream: body };
};

const unexpectedBody = () => new Fault(upstreamCodes, "body-unexpected");

/**
 * Requires that a chunked body is empty.
 * @throws Fault when it is not
 */
const requireEmpty = async (body: ReadableStream<Uint8Array>): Promise<OutgoingBody> => {
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read().catch(failIncomplete);
    if (done) return noBody;
    if (value.byteLength === 0) continue;
    await reader.cancel();
    throw unexpectedBody();
  }
};

const failIncomplete = (cause: unknown): never => {
  throw new Fault(upstreamCodes, "body-incomplete", { cause });
};

/** The buffer size, and the largest body with GET and HEAD. */
const chunkBytes = 64 * 1024;
/** Connections buffer as much anyway. */
const smallBodyBytes = 16 * 1024;

/**
 * Copies a body with one buffer.
 * @throws Fault for failures of the client; other errors for failures of the service
 */
const pump = async (from: ReadableStream, to: WritableStream, limit: number, context: Context): Promise<void> => {
  const reader = from.getReader({ mode: "byob" });
  const writer = to.getWriter();
  let total = 0;
  let buffer = new ArrayBuffer(chunkBytes);
  for (;;) {
    const read = reader.read(new Uint8Array(buffer)).catch(failIncomplete);
    const { done, value } = await awaitingClient(context, read);
    if (value?.byteLength) {
      total += value.byteLength;
      if (total > limit) {
        await reader.cancel();
        throw tooLarge(limit);
      }
      await writer.write(value);
    }
    if (done) break;
    buffer = value.buffer as ArrayBuffer;
  }
  await writer.close();
};
