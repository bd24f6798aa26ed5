/** Any middleware of Hono as a layer of a gate. */
import type { MiddlewareHandler } from "hono";
import { HTTPException } from "hono/http-exception";
import { Hono } from "hono/tiny";
import type { Context, Layer } from "./types.ts";

interface Types {
  readonly Bindings: { readonly context: Context };
}

/**
 * The application is made once for each chain; a request only passes through it. What is thrown further in comes out as it
 * is, so that a gate answers it as ever.
 * @param refused what a client is answered whom the middleware refuses (Hono's `HTTPException`)
 */
export const fromHono =
  (middleware: MiddlewareHandler, refused: (error: HTTPException, context: Context) => Response): Layer =>
  (next) => {
    const app = new Hono<Types>()
      .use(middleware)
      // Middlewares edit headers in place, which those of a fetched response do not allow.
      .all("*", async (c) => mutable(await next(c.req.raw, c.env.context)))
      .onError((error, c) => {
        if (error instanceof HTTPException) return refused(error, c.env.context);
        throw error;
      });
    return async (request, context) => app.fetch(request, { context });
  };

const mutable = (response: Response): Response => new Response(response.body, response);
