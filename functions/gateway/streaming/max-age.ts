/** Limits the age of responses of unknown length, and ends them as their protocol ends. */

import type { Handler } from "../core/types.ts";
import { announcedBodyLength } from "../http/body-length.ts";
import { type StreamDeps, waitForEnd } from "./drain.ts";
import { type CopyStream, copyEvents, isEvents } from "./sse.ts";

export type StreamAge = (ms: number, deps: StreamDeps) => (next: Handler) => Handler;

/**
 * The gate copies the body itself: the runtime's own copying cannot be ended by a timer. Event streams end between
 * two events. Other bodies are cut off, so that the client does not take them for complete.
 *
 * @param ms from the response headers
 */
export const streamAge: StreamAge = (ms, deps) => (next) => async (request, context) => {
  const response = await next(request, context);
  if (!response.body || announcedBodyLength(response.headers) !== undefined) return response;
  const [copy, kind] = isEvents(response) ? ([copyEvents, "events"] as const) : ([copyBytes, "body"] as const);
  const ended = new AbortController();
  const { readable, writable } = new IdentityTransformStream();
  const expired = waitForEnd(ms, deps, ended.signal).then((how) => {
    const { route, caller } = context;
    deps.recordStreamEnd?.(route.name, how, kind);
    // The runtime reports an exception where a body is cut off. Without this line the tail takes it for a death.
    deps.log({ type: "stream", tier: route.tier, route: route.name || null, how, kind, request: caller.requestId });
  });
  expired.catch(() => {});
  // A disconnected client and an end by age are not failures of the gate.
  void copy(response.body, writable, expired, deps)
    .catch(() => {})
    .finally(() => ended.abort());
  return new Response(readable, response);
};

const copyBytes: CopyStream = (body, to, expired) => {
  const cut = new AbortController();
  void expired.then(
    () => cut.abort(new Error("the stream reached its maximum age")),
    () => {},
  );
  return body.pipeTo(to, { signal: cut.signal });
};
