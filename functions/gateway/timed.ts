/** Notes which upstream was asked, and how long that took. */
import type { Deps, Handler } from "./types.ts";

export const timed =
  (name: string, handler: Handler, deps: Pick<Deps, "now">): Handler =>
  async (request, context) => {
    const started = deps.now();
    context.outcome.upstream = name;
    try {
      return await handler(request, context);
    } finally {
      context.outcome.upstreamMs = deps.now() - started;
    }
  };
