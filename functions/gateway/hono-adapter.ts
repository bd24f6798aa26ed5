/** Adapts Hono middleware to a layer of a gate. */
import type { MiddlewareHandler } from "hono";
import { HTTPException } from "hono/http-exception";
import { Hono } from "hono/tiny";
import type { Context, Layer } from "./core/types.ts";

/** State of one request in the middleware. */
interface RequestState {
  readonly context: Context;
  /** The middleware has called `next()`. */
  hasCalledNext: boolean;
  /** The error thrown by an inner handler. */
  thrown?: unknown;
}

/**
 * Creates one Hono app per chain. Errors of inner handlers come out unchanged, so that the gate answers them as
 * usual. A middleware sees `next()` reject and no `c.error`. It may replace `c.req.raw`, whose headers and body are
 * forwarded. Path and query are changed only by `rewrite`. It must not consume the body of the forwarded request, and
 * has no `c.executionCtx`.
 * @param id of the filter, for the access log when the middleware responds itself
 * @param onRefusal the response when the middleware throws Hono's `HTTPException`; by default that is an internal
 * error
 */
export const fromHono =
  (
    middleware: MiddlewareHandler,
    id: string,
    onRefusal?: (error: HTTPException, context: Context) => Response,
  ): Layer =>
  (next) => {
    const app = new Hono<{ readonly Bindings: RequestState }>()
      .use(middleware)
      .all("*", async (c) => {
        c.env.hasCalledNext = true;
        try {
          return withServiceCookies(c.res.headers, await next(c.req.raw, c.env.context));
        } catch (error) {
          c.env.thrown = error;
          throw error;
        }
      })
      .onError((error, c) => {
        if (!onRefusal || !(error instanceof HTTPException) || c.env.thrown === error) throw error;
        // Otherwise Hono would add the headers of the service's response.
        if (c.env.hasCalledNext) c.res = undefined;
        c.env.context.outcome.by = id;
        return onRefusal(error, c.env.context);
      });
    return async (request, context) => {
      const state: RequestState = { context, hasCalledNext: false };
      const response = await app.fetch(request, state);
      if (!state.hasCalledNext && context.outcome.code === undefined) {
        context.outcome.verdict = "answered";
        context.outcome.by = id;
      }
      return response;
    };
  };

/**
 * Adds the service's cookies to those of the middleware: Hono copies the response and would keep only the
 * middleware's.
 */
const withServiceCookies = (early: Headers, response: Response): Response => {
  for (const cookie of response.headers.getSetCookie()) early.append("set-cookie", cookie);
  return response;
};
