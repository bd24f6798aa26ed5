/** Bounds how long a response of unknown length may go on, and ends it as its protocol ends. */

import type { Deps, Handler, StreamEnd } from "../core/types.ts";
import { waitForDrain } from "./drain.ts";
import { type CopyStream, copyEvents } from "./sse.ts";

type StreamDeps = Pick<Deps, "now" | "sleep" | "random" | "recordStreamEnd" | "drainEnd">;

export type StreamAge = (ms: number, deps: StreamDeps) => (next: Handler) => Handler;

/** Streams end up to a tenth earlier than they may, each at a moment of its own, so that their clients do not come back all at once. */
const jitter = 0.1;

/**
 * The body is copied by the gate itself, since the runtime would pass it on by its own means and never ask the clock again.
 * Events end where one is whole. Of any other body the client sees that it was cut, as it must not take it for all there is.
 *
 * @param ms from the response's headers on
 */
export const streamAge: StreamAge = (ms, deps) => (next) => async (request, context) => {
  const response = await next(request, context);
  if (!response.body || response.headers.has("content-length")) return response;
  const copy = isEvents(response) ? copyEvents : copyBytes;
  const ended = new AbortController();
  const { readable, writable } = new IdentityTransformStream();
  const expired = waitForEnd(ms, deps, ended.signal).then((how) => deps.recordStreamEnd?.(context.route.name, how));
  expired.catch(() => {});
  // A client that leaves, and an end by age, are no failures of the gate.
  void copy(response.body, writable, expired, deps)
    .catch(() => {})
    .finally(() => ended.abort());
  return new Response(readable, response);
};

/** When it is time to end, and why. */
const waitForEnd = (ms: number, deps: StreamDeps, signal: AbortSignal): Promise<StreamEnd> => {
  const aged = deps.sleep(ms * (1 - jitter * deps.random()), signal).then((): StreamEnd => "aged");
  return deps.drainEnd ? Promise.race([aged, waitForDrain(deps.drainEnd, ms, deps, signal)]) : aged;
};

const copyBytes: CopyStream = (body, to, expired) => {
  const cut = new AbortController();
  void expired.then(
    () => cut.abort(new Error("streams of this tier go on no longer")),
    () => {},
  );
  return body.pipeTo(to, { signal: cut.signal });
};

const isEvents = ({ headers }: Response): boolean =>
  /^text\/event-stream\s*(;|$)/i.test(headers.get("content-type") ?? "");
