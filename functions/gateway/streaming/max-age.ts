/** Limits the age of responses of unknown length, and ends them as their protocol ends. */

import type { Deps, Handler, StreamEnd } from "../core/types.ts";
import { waitForDrain } from "./drain.ts";
import { type CopyStream, copyEvents } from "./sse.ts";

type StreamDeps = Pick<Deps, "now" | "sleep" | "random" | "recordStreamEnd" | "drainEnd">;

export type StreamAge = (ms: number, deps: StreamDeps) => (next: Handler) => Handler;

/** Streams end up to a tenth early, at random, so that clients do not reconnect all at once. */
const jitter = 0.1;

/**
 * The gate copies the body itself: the runtime's own copying cannot be ended by a timer. Event streams end between
 * two events. Other bodies are cut off, so that the client does not take them for complete.
 *
 * @param ms from the response headers
 */
export const streamAge: StreamAge = (ms, deps) => (next) => async (request, context) => {
  const response = await next(request, context);
  if (!response.body || response.headers.has("content-length")) return response;
  const copy = isEvents(response) ? copyEvents : copyBytes;
  const ended = new AbortController();
  const { readable, writable } = new IdentityTransformStream();
  const expired = waitForEnd(ms, deps, ended.signal).then((how) => deps.recordStreamEnd?.(context.route.name, how));
  expired.catch(() => {});
  // A disconnected client and an end by age are not failures of the gate.
  void copy(response.body, writable, expired, deps)
    .catch(() => {})
    .finally(() => ended.abort());
  return new Response(readable, response);
};

/** Resolves with the reason when the stream must end. */
const waitForEnd = (ms: number, deps: StreamDeps, signal: AbortSignal): Promise<StreamEnd> => {
  const aged = deps.sleep(ms * (1 - jitter * deps.random()), signal).then((): StreamEnd => "aged");
  return deps.drainEnd ? Promise.race([aged, waitForDrain(deps.drainEnd, ms, deps, signal)]) : aged;
};

const copyBytes: CopyStream = (body, to, expired) => {
  const cut = new AbortController();
  void expired.then(
    () => cut.abort(new Error("the stream reached its maximum age")),
    () => {},
  );
  return body.pipeTo(to, { signal: cut.signal });
};

const isEvents = ({ headers }: Response): boolean =>
  /^text\/event-stream\s*(;|$)/i.test(headers.get("content-type") ?? "");
