/** Bounds the wait for a response's headers; the body may stream on. */
import { BodyAwaited, known } from "./facts.ts";
import { Fault, upstreamCodes } from "./faults.ts";
import { within } from "./patience.ts";
import type { Deps, Layer } from "./types.ts";

/**
 * Who is late while the gate waits for the client is the client.
 *
 * @param late makes the fault that callers see, and that aborts what is still under way
 */
export const deadline =
  (ms: number, late: () => Fault, deps: Pick<Deps, "after">): Layer =>
  (next) =>
  (request, context) => {
    const work = (cut: AbortSignal) => {
      const signal = context.signal ? AbortSignal.any([context.signal, cut]) : cut;
      return next(request, { ...context, signal });
    };
    return within(ms, deps, work, () => (known(context, BodyAwaited) ? clientLate() : late()));
  };

const clientLate = () => new Fault(upstreamCodes, "body-late");
