/** Any middleware of Hono as a layer of a gate. */
import type { MiddlewareHandler } from "hono";
import { HTTPException } from "hono/http-exception";
import { Hono } from "hono/tiny";
import type { Context, Layer } from "./core/types.ts";

/** What one request leaves behind on its way through. */
interface RequestState {
  readonly context: Context;
  /** The middleware has gone on. */
  hasCalledNext: boolean;
  /** What was thrown further in. */
  thrown?: unknown;
}

/**
 * The application is made once for each chain; a request only passes through it. What is thrown further in comes out as it
 * is, so that a gate answers it as ever; a middleware sees `next()` reject, and no `c.error`. It may put another request in
 * place of `c.req.raw`, whose headers and body go on; what path and query are asked for is `rewrite`'s to say. It may not
 * use up the body of the request that goes on, and finds no `c.executionCtx`.
 * @param id of the filter, which stands in the access log where the middleware answers by itself
 * @param onRefusal what a client is answered whom the middleware refuses (Hono's `HTTPException`), whatever the exception
 *   says; by default that is a fault of the gateway
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
        // Hono would give it the headers of the service's response.
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
 * Hono copies the response, which makes its headers mutable, and adds the headers that the middleware has set ahead of
 * `next()`; but of cookies it would keep those alone.
 */
const withServiceCookies = (early: Headers, response: Response): Response => {
  for (const cookie of response.headers.getSetCookie()) early.append("set-cookie", cookie);
  return response;
};
