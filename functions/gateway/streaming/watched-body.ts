/** Watches the bodies of services' responses: a body that breaks off or stalls counts against the version, unless the client left. */

import type { BodyFailure, Context, Deps, Handler } from "../core/types.ts";
import { announcedBodyLength } from "../http/body-length.ts";
import { isEvents } from "./sse.ts";

type BodyDeps = Pick<Deps, "now" | "after" | "log" | "recordBodyFailure" | "measuresBodies">;

/**
 * @param idleMs the longest pause of a service within a body, after which the body is cut off; undefined when bodies are
 * only measured, and only while a rollout of the tier needs it
 */
export type WatchBodies = (idleMs: number | undefined, deps: BodyDeps) => (next: Handler) => Handler;

/** A pause that counts as stalled where bodies are only measured. */
const measuredIdleMs = 30_000;
/** A service that meets a client which reads nothing for so long may give up: the break is the client's. */
const clientPauseMs = 5000;
/** Of the read buffer, which grows while the service fills it: a small body needs a small one. */
const [firstBytes, maxBytes] = [4 * 1024, 64 * 1024];

/**
 * The gate copies a watched body itself, which costs a small response half to two thirds of what a gate does for it: of a body that
 * the runtime forwards, no Worker learns how it ended. So without `limits.response-idle` bodies are watched during rollouts
 * alone, when both versions are measured alike.
 */
export const watchBodies: WatchBodies = (idleMs, deps) => (next) => {
  const watched: Handler = async (request, context) => {
    const response = await next(request, context);
    return isWatchable(request, response) ? copied(response, request, context, idleMs, deps) : response;
  };
  if (idleMs !== undefined) return watched;
  return (request, context) => (deps.measuresBodies?.() ? watched : next)(request, context);
};

/** The runtime would decode and encode a compressed body that is read. */
const isWatchable = ({ method }: Request, { body, headers }: Response): boolean =>
  body !== null && method !== "HEAD" && !headers.has("content-encoding");

const copied = (
  response: Response,
  request: Request,
  context: Context,
  idleMs: number | undefined,
  deps: BodyDeps,
): Response => {
  const { status, headers } = response;
  const fail: Fail = (how, cause) => {
    // A service that loses its connection because the client left has not failed.
    if (!request.signal.aborted) recordFailure(how, cause, status, context, deps);
  };
  const stall = isEvents(response) ? undefined : { ms: idleMs ?? measuredIdleMs, cuts: idleMs !== undefined };
  const { route, caller } = context;
  // As with an end by age, the tail would take the runtime's exception for a death.
  const unread = () =>
    deps.log({
      ...{ type: "stream", tier: route.tier, route: route.name || null, how: "unread", kind: "body" },
      request: caller.requestId,
    });
  const body = watchedBody(response.body as ReadableStream<Uint8Array>, { fail, unread }, stall, deps);
  const length = announcedBodyLength(headers);
  return new Response(length === undefined ? body : body.pipeThrough(new FixedLengthStream(length)), response);
};

const recordFailure = (
  how: BodyFailure,
  cause: unknown,
  status: number,
  context: Context,
  { log, recordBodyFailure }: BodyDeps,
): void => {
  const { route, caller } = context;
  recordBodyFailure?.(context, how, status);
  log({
    type: "fault",
    tier: route.tier,
    route: route.name || null,
    code: `response-${how}`,
    cause: (cause instanceof Error ? cause.message : String(cause)).slice(0, 200),
    request: caller.requestId,
  });
};

type Fail = (how: BodyFailure, cause: unknown) => void;

/** At most one of them is called, once. */
interface BodyEnds {
  readonly fail: Fail;
  /** It broke off after its client had not read for long. */
  readonly unread: () => void;
}

interface Stall {
  /** A longer pause of the service is a failure. */
  readonly ms: number;
  /** Whether the body is then cut off. */
  readonly cuts: boolean;
}

/**
 * Reads the service's body as the client asks for it, so a client that does not read is no pause of the service. A cancel
 * comes from the client, or from the age of streams.
 *
 * @param stall undefined when the service may pause
 */
const watchedBody = (
  from: ReadableStream<Uint8Array>,
  { fail, unread }: BodyEnds,
  stall: Stall | undefined,
  { now, after }: BodyDeps,
): ReadableStream<Uint8Array> => {
  const reader = from.getReader({ mode: "byob" });
  let size = firstBytes;
  let waitsSince: number | undefined;
  let deliveredAt = now();
  let isOver = false;
  const finish = () => {
    isOver = true;
    stopTimer();
  };
  const failOnce: Fail = (how, cause) => {
    if (isOver) return;
    finish();
    fail(how, cause);
  };
  let stopTimer = () => {};
  return new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        if (!stall) return;
        const { ms, cuts } = stall;
        const check = () => {
          const at = now();
          const end = (waitsSince ?? at) + ms;
          if (at < end) {
            stopTimer = after(end - at, check);
            return;
          }
          const error = new Error(`the service sent nothing for ${ms} ms`);
          failOnce("stalled", error);
          if (!cuts) return;
          controller.error(error);
          reader.cancel(error).catch(() => {});
        };
        stopTimer = after(ms, check);
      },
      pull: async (controller) => {
        waitsSince = now();
        const pausedMs = waitsSince - deliveredAt;
        try {
          const { done, value } = await reader.read(new Uint8Array(size));
          waitsSince = undefined;
          deliveredAt = now();
          if (value?.byteLength) controller.enqueue(value);
          if (value?.byteLength === size) size = Math.min(size * 2, maxBytes);
          if (!done) return;
          finish();
          controller.close();
        } catch (error) {
          if (pausedMs < clientPauseMs) failOnce("cut", error);
          else if (!isOver) {
            finish();
            unread();
          }
          throw error;
        }
      },
      cancel: (reason) => {
        finish();
        return reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
};
