/** Bounds the wait for a response's headers; the body may stream on. */
import type { Fault } from "./faults.ts";
import type { Deps, Layer } from "./types.ts";

/** @param late makes the fault that callers see, and that aborts what is still under way */
export const deadline =
  (ms: number, late: () => Fault, deps: Deps): Layer =>
  (next) =>
  async (request, context) => {
    const cut = new AbortController();
    const settled = new AbortController();
    const signal = context.signal ? AbortSignal.any([context.signal, cut.signal]) : cut.signal;
    const expiry = deps.sleep(ms, settled.signal).then(() => {
      const fault = late();
      cut.abort(fault);
      throw fault;
    });
    expiry.catch(() => {});
    try {
      return await Promise.race([next(request, { ...context, signal }), expiry]);
    } finally {
      settled.abort();
    }
  };
