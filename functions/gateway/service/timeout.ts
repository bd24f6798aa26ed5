/** Bounds the wait for a response's headers; the body may stream on. */
import { BodyAwaited, getFact } from "../core/facts.ts";
import { Fault, upstreamCodes } from "../core/problems.ts";
import type { Context, Deps, Layer } from "../core/types.ts";
import { untilAborted } from "../core/with-timeout.ts";

/**
 * @param timeoutFault makes the fault that callers see, and that aborts what is still under way
 */
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
 * Bounds a wait for others and, within it, each wait for the client: who sends nothing for `limits.body-idle` while the gate
 * waits for more of the body, or is awaited when the whole time is over, is late. One timer, whatever is waited for.
 *
 * @param work returns a promise, and is told to give up by the signal
 * @param timeoutFault makes what is thrown when the time is over and the client is not to blame
 * @throws Fault `body-late`, what the work throws, or what `late` makes
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
