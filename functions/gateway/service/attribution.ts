/** Notes which upstream was asked, how long that took, and who failed. */
import { Fault } from "../core/problems.ts";
import type { Context, Deps, Handler } from "../core/types.ts";

/** @param call the upstream, within its time */
export const attributeUpstream =
  (name: string, call: Handler, { now }: Pick<Deps, "now">): Handler =>
  async (request, context) => {
    const started = now();
    context.outcome.upstream = name;
    const { trace } = context.caller;
    const decision = trace && { id: `to:${name}`, verdict: "asked" as const, ms: 0 };
    // Written down at once, ahead of what comes after it.
    if (decision) trace.decisions.push(decision);
    try {
      return await call(request, context);
    } catch (error) {
      return attributeFailure(name, error, context);
    } finally {
      context.outcome.upstreamMs = now() - started;
      if (decision) decision.ms = context.outcome.upstreamMs;
    }
  };

/** Notes who failed, unless someone further in has been noted. A refusal is the request's doing, not the part's. */
const attributeFailure = (name: string, error: unknown, { outcome }: Context): never => {
  if (!(error instanceof Fault && error.problemType.status < 500)) outcome.by ??= name;
  throw error;
};

/** A part to whose name its failures are noted. */
export const attributeErrors =
  (name: string, handler: Handler): Handler =>
  async (request, context) => {
    try {
      return await handler(request, context);
    } catch (error) {
      return attributeFailure(name, error, context);
    }
  };
