/** Bounds the wait for a response's headers; the body may stream on. */
import type { Fault } from "./faults.ts";
import type { Deps, Layer } from "./types.ts";

/**
 * Every request comes through here, so it is one promise, one timer and one signal.
 * @param late makes the fault that callers see, and that aborts what is still under way
 */
export const deadline =
  (ms: number, late: () => Fault, { after }: Pick<Deps, "after">): Layer =>
  (next) =>
  (request, context) =>
    new Promise((resolve, reject) => {
      const cut = new AbortController();
      const signal = context.signal ? AbortSignal.any([context.signal, cut.signal]) : cut.signal;
      const callOff = after(ms, () => {
        const fault = late();
        reject(fault);
        cut.abort(fault);
      });
      next(request, { ...context, signal }).then(
        (response) => {
          callOff();
          resolve(response);
        },
        (error: unknown) => {
          callOff();
          reject(error);
        },
      );
    });
