/**
 * The access log: one structured line per request. It holds no path, query, header or body, since those may contain
 * secrets.
 */
import { Consumer, getFact } from "../core/facts.ts";
import type { Context, Deps } from "../core/types.ts";
import { clusterName, clusterOf } from "./clusters.ts";

/**
 * @param sample share of requests that are logged, in [0, 1]; failures always are
 * @returns a function that logs a request; `started` is milliseconds since the epoch
 */
export const accessLog =
  (sample: number, deps: Deps) =>
  (request: Request, status: number, context: Context, started: number): void => {
    const { caller, outcome, route } = context;
    if (outcome.verdict !== "failed" && deps.random() >= sample) return;
    deps.log({
      type: "access",
      time: new Date(started).toISOString(),
      tier: route.tier,
      route: route.name || null,
      version: deps.version,
      method: request.method,
      status,
      verdict: outcome.verdict,
      side: outcome.side,
      by: outcome.by,
      code: outcome.code,
      ms: deps.now() - started,
      upstream: outcome.upstream,
      upstreamMs: outcome.upstreamMs,
      consumer: getFact(context, Consumer)?.id,
      cluster: clusterName(clusterOf(context)),
      shadow: outcome.shadow,
      degraded: outcome.degraded,
      request: caller.requestId,
      trace: caller.traceparent.slice(3, 35),
      span: caller.traceparent.slice(36, 52),
      parent: caller.parentSpan,
      sampled: caller.traceparent.endsWith("1"),
    });
  };
