/** What an upstream over HTTP is sent. Headers are copied once; a Request made of them would copy them again, and fetch once more. */
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

/** Names in lists have no case (RFC 9110, 5.1), and `*` stands for all of them. */
const merge = (headers: Headers, name: string, value: string): void => {
  const listed = headers.get(name);
  const has = listed?.split(",").some((it) => it.trim() === "*" || it.trim().toLowerCase() === value);
  if (!has) headers.append(name, value);
};

/** Path and query that the upstream is asked for: the route's own target, or what the client asked for. */
export const targetOf = (context: Context): string => {
  const target = getFact(context, Target);
  return (target?.path ?? context.url.pathname) + (target?.search ?? context.url.search);
};

/**
 * Sends the request on, its body streaming, and answers with what comes back.
 *
 * Of a body it is known at each moment whether the gate waits for the client, so that a client who stalls is not taken
 * for a slow service. One of unknown length is counted on its way, and where it grows too large or breaks off, the
 * upstream's request is aborted as a whole, since an error of the stream alone would look like a clean end.
 *
 * A length of zero is no body, whatever the method (RFC 9112, section 6.3). With GET and HEAD the runtime carries a body
 * only as it came: one that was read by a filter, or whose length nobody knows, is refused.
 *
 * @param url absolute, of the upstream
 * @param transport is given a Request only where its body is to go on as it came
 * @param locationMode what becomes of references to the upstream in the response's headers
 * @throws Fault `body-too-large`, `body-unexpected`, `body-incomplete`, `gate-busy`, `upstream-invalid`, `upstream-unreachable`, or the reason of the context's signal
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
  // The runtime takes no method beside a body that goes on as it came, though it is the same one.
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

/** A status that no response can have, or a switch of protocols that nobody can follow, is the service's fault. */
const requireValidStatus = (response: Response): Response => {
  const { status } = response;
  if ((status >= 200 && status <= 599) || (status === 101 && response.webSocket)) return response;
  throw new Fault(upstreamCodes, "upstream-invalid", { cause: new Error(`it answered with status ${status}`) });
};

const anySignal = (a: AbortSignal | undefined, b: AbortSignal | undefined): AbortSignal | undefined =>
  a && b ? AbortSignal.any([a, b]) : (a ?? b);

const unreachable = (cause: unknown) => new Fault(upstreamCodes, "upstream-unreachable", { cause });

/** What a client is told whose body is too large. */
export const bodyLimitDetail = (limit: number) => ({ detail: `At most ${limit} bytes are taken here` });

const tooLarge = (limit: number) => new Fault(upstreamCodes, "body-too-large", bodyLimitDetail(limit));

/** The length that the client announced, or undefined where it sends chunks. */
export const announcedLength = (request: Request): number | undefined => {
  const length = request.headers.get("content-length");
  return length === null ? undefined : Number(length);
};

/** Whether the client sends anything: a length of zero is no body. */
export const hasBody = (request: Request): boolean => request.body !== null && announcedLength(request) !== 0;

/** Notes that whoever waits now waits for the client. */
export const awaitingClient = async <T>(context: Context, work: Promise<T>): Promise<T> => {
  markAwaiting(context);
  try {
    return await work;
  } finally {
    setFact(context, BodyAwaited, undefined);
  }
};

const markAwaiting = (context: Context): void => setFact(context, BodyAwaited, context.settings?.now() ?? 0);

/** The body is complete, and no service has the request yet. @throws Fault where the gate has no place for it */
export const requireSlotForBody = ({ slot: place }: Context): void => {
  if (place && !markBodyReceived(place, false)) throw busyFault("gate-busy");
};

/** The body is complete, and on its way to the service. */
const markBodySent = (context: Context): void => {
  setFact(context, BodyAwaited, undefined);
  if (context.slot) markBodyReceived(context.slot, true);
};

interface OutgoingBody {
  readonly stream?: ReadableStream | Uint8Array;
  readonly isUnmodified?: true;
  /** Aborted with a Fault when the counted body grows too large or breaks off. */
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
      // Where the service hangs up, its answer has come by then, or its call fails.
      if (cause instanceof Fault) failure.abort(cause);
    },
  );
  return { stream: readable, failure };
};

/** The runtime carries the body, and a copy of it shows how far the client has come. What the service has not taken yet is in memory. */
const unmodifiedBody = (request: Request, context: Context): OutgoingBody => {
  const copy = request.clone().body as ReadableStream<Uint8Array>;
  // Where the body breaks off, the call fails by itself.
  void trackProgress(copy, context).catch(() => {});
  return { isUnmodified: true };
};

const trackProgress = async (body: ReadableStream<Uint8Array>, context: Context): Promise<void> => {
  const reader = body.getReader();
  while (!(await awaitingClient(context, reader.read())).done);
  markBodySent(context);
};

/**
 * A small body is read whole before the service is called: while the runtime piped it, a service that takes no bytes looked like a
 * client that sends none.
 */
const readSmallBody = async (request: Request, length: number, context: Context): Promise<OutgoingBody> => {
  const body = new Uint8Array(await awaitingClient(context, request.arrayBuffer().catch(failIncomplete)));
  if (body.byteLength !== length) throw new Fault(upstreamCodes, "body-incomplete");
  requireSlotForBody(context);
  return { stream: body };
};

const unexpectedBody = () => new Fault(upstreamCodes, "body-unexpected");

/** Chunks may say that there are none. @throws Fault where there are some */
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

/** What a body may take of the memory; with GET and HEAD, the largest one. */
const chunkBytes = 64 * 1024;
/** Connections hold as much by themselves. */
const smallBodyBytes = 16 * 1024;

/** Copies with one buffer. @throws Fault for what the client did; anything else for what the service did */
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
