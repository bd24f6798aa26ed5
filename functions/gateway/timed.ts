/** Notes which upstream was asked, and how long that took. */
import type { Deps, Handler } from "./types.ts";

export const timed =
  (name: string, handler: Handler, deps: Pick<Deps, "now">): Handler =>
  async (request, context) => {
    const started = deps.now();
    context.outcome.upstream = name;
    // Written down at once: whoever gives up waiting answers before this ends.
    const asked = context.caller.trace && { id: `to:${name}`, verdict: "asked" as const, ms: 0 };
    if (asked) context.caller.trace?.decisions.push(asked);
    try {
      return await handler(request, context);
    } finally {
      context.outcome.upstreamMs = deps.now() - started;
      if (asked) asked.ms = context.outcome.upstreamMs;
    }
  };
