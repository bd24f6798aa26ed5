/** Bounds the wait for a response's headers; the body may stream on. */
import { BodyAwaited, known } from "../core/facts.ts";
import { Fault, upstreamCodes } from "../core/problems.ts";
import type { Context, Deps, Layer } from "../core/types.ts";
import { untilGivenUp } from "../core/with-timeout.ts";

/**
 * @param late makes the fault that callers see, and that aborts what is still under way
 */
export const deadline =
  (ms: number, late: () => Fault, deps: Pick<Deps, "after" | "now">): Layer =>
  (next) =>
  (request, context) => {
    const work = (cut: AbortSignal) => {
      const signal = context.signal ? AbortSignal.any([context.signal, cut]) : cut;
      return next(request, { ...context, signal });
    };
    return withinTimes(ms, context, deps, work, late);
  };

/**
 * Bounds a wait for others and, within it, each wait for the client: who sends nothing for `limits.body-idle` while the gate
 * waits for more of the body, or is awaited when the whole time is over, is late. One timer, whatever is waited for.
 *
 * @param work returns a promise, and is told to give up by the signal
 * @param late makes what is thrown when the time is over and the client is not to blame
 * @throws Fault `body-late`, what the work throws, or what `late` makes
 */
export const withinTimes = <T>(
  ms: number,
  context: Context,
  { after, now }: Pick<Deps, "after" | "now">,
  work: (signal: AbortSignal) => Promise<T>,
  late: () => Fault,
): Promise<T> =>
  untilGivenUp((giveUp) => {
    const idleMs = context.settings?.bodyIdleMs ?? Number.POSITIVE_INFINITY;
    const end = now() + ms;
    const look = () => {
      const at = now();
      const since = known(context, BodyAwaited);
      const idleEnd = (since ?? at) + idleMs;
      if (at < end && at < idleEnd) callOff = after(Math.min(end, idleEnd) - at, look);
      else giveUp(since === undefined ? late() : new Fault(upstreamCodes, "body-late"));
    };
    let callOff = after(Math.min(ms, idleMs), look);
    return () => callOff();
  }, work);
