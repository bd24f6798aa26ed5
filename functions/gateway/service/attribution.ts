/** Attributes calls and failures: which upstream was called, how long it took, and who failed. */
import { Fault } from "../core/problems.ts";
import type { Context, Deps, Handler } from "../core/types.ts";

/** @param call the upstream with its timeout */
export const attributeUpstream =
  (name: string, call: Handler, { now }: Pick<Deps, "now">): Handler =>
  async (request, context) => {
    const started = now();
    context.outcome.upstream = name;
    const { trace } = context.caller;
    const decision = trace && { id: `to:${name}`, verdict: "asked" as const, ms: 0 };
    // Recorded first, to keep the order of the trace.
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

/** Records who failed, unless an inner handler is recorded. A refusal is caused by the request, not by the part. */
const attributeFailure = (name: string, error: unknown, { outcome }: Context): never => {
  if (!(error instanceof Fault && error.problemType.status < 500)) outcome.by ??= name;
  throw error;
};

/** Attributes failures of a handler to a part. */
export const attributeErrors =
  (name: string, handler: Handler): Handler =>
  async (request, context) => {
    try {
      return await handler(request, context);
    } catch (error) {
      return attributeFailure(name, error, context);
    }
  };
