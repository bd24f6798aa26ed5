/** Bounds how long a response of unknown length may go on. */
import type { Deps, Handler } from "./types.ts";

/**
 * The body is copied by the gate itself, since the runtime would pass it on by its own means and never ask the clock again.
 * @param ms from the response's headers on
 */
export const boundedStream =
  (ms: number, deps: Pick<Deps, "sleep">) =>
  (next: Handler): Handler =>
  async (request, context) => {
    const response = await next(request, context);
    if (!response.body || response.headers.has("content-length")) return response;
    const old = new AbortController();
    const ended = new AbortController();
    const { readable, writable } = new IdentityTransformStream();
    const copied = response.body.pipeTo(writable, { signal: old.signal });
    // A client that leaves, and an end by age, are no failures of the gate.
    void copied.catch(() => {}).finally(() => ended.abort());
    void deps.sleep(ms, ended.signal).then(
      () => old.abort(new Error(`a stream of this tier goes on for ${ms} ms at most`)),
      () => {},
    );
    return new Response(readable, response);
  };
