/** Bounds the time until response headers. The body may keep streaming. */
import { BodyAwaited, getFact } from "../core/facts.ts";
import { Fault, upstreamCodes } from "../core/problems.ts";
import type { Context, Deps, Layer } from "../core/types.ts";
import { untilAborted } from "../core/with-timeout.ts";

/** @param timeoutFault creates the fault that the caller gets and the abort's reason */
export const deadline =
  (ms: number, timeoutFault: () => Fault, deps: Pick<Deps, "after" | "now">): Layer =>
  (next) =>
  (request, context) => {
    const work = (timeoutSignal: AbortSignal) => {
      const signal = context.signal ? AbortSignal.any([context.signal, timeoutSignal]) : timeoutSignal;
      return next(request, { ...context, signal });
    };
    return withBodyTimeouts(ms, context, deps, work, timeoutFault);
  };

/**
 * Bounds a wait and, within it, each wait for the client's body. A client that pauses longer than `limits.body-idle`,
 * or is still sending when the whole time is over, gets `body-late`. Uses one timer.
 *
 * @param work returns a promise, and stops when the signal aborts
 * @param timeoutFault creates the fault on timeout, unless the client is the cause
 * @throws Fault `body-late`, what the work throws, or the timeout fault
 */
export const withBodyTimeouts = <T>(
  ms: number,
  context: Context,
  { after, now }: Pick<Deps, "after" | "now">,
  work: (signal: AbortSignal) => Promise<T>,
  timeoutFault: () => Fault,
): Promise<T> =>
  untilAborted((abort) => {
    const idleMs = context.settings?.bodyIdleMs ?? Number.POSITIVE_INFINITY;
    const end = now() + ms;
    const check = () => {
      const at = now();
      const since = getFact(context, BodyAwaited);
      const idleEnd = (since ?? at) + idleMs;
      if (at < end && at < idleEnd) cancelTimer = after(Math.min(end, idleEnd) - at, check);
      else abort(since === undefined ? timeoutFault() : new Fault(upstreamCodes, "body-late"));
    };
    let cancelTimer = after(Math.min(ms, idleMs), check);
    return () => cancelTimer();
  }, work);
