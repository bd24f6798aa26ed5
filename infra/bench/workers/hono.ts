/**
 * The five jobs by hand on Hono, with its own middleware where there is one. It does no more than them, while a gate also
 * names requests, continues traces, cleans forwarding headers and keeps a deadline.
 */
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { cors } from "hono/cors";
import { createMiddleware } from "hono/factory";
import { ipRestriction } from "hono/ip-restriction";
import { proxy } from "hono/proxy";
import { createLocalJWKSet, jwtVerify } from "jose";
import type { Jobs } from "../jobs.ts";

interface Types {
  readonly Variables: { customer: string };
}

/** @param upstream base URL of the service */
export const gateway = (jobs: Jobs, upstream: string) =>
  new Hono<Types>()
    .use(cors({ origin: [jobs.origin], exposeHeaders: [jobs.exposed] }))
    .use(bodyLimit({ maxSize: jobs.maxBytes }))
    .use(ipRestriction((c) => c.req.header("cf-connecting-ip") ?? "", { allowList: [...jobs.allowed] }))
    .use(bearer(jobs))
    .use(responseHeaders(jobs))
    .get("/v1/users/:id/orders", (c) => {
      const { pathname, search } = new URL(c.req.url);
      return proxy(upstream + pathname + search, {
        ...c.req,
        headers: {
          ...c.req.header(),
          ...Object.fromEntries(jobs.removedFromRequest.map((name) => [name, undefined])),
          [jobs.customerHeader]: c.get("customer"),
        },
      });
    });

const bearer = ({ key, issuer, audience, algorithm, leewaySeconds }: Jobs) => {
  const keys = createLocalJWKSet({ keys: [key] });
  const expected = { issuer, audience, algorithms: [algorithm], clockTolerance: leewaySeconds };
  return createMiddleware<Types>(async (c, next) => {
    const [scheme, token] = c.req.header("authorization")?.split(" ") ?? [];
    if (scheme?.toLowerCase() !== "bearer" || !token) return c.json({ error: "a token is required" }, 401);
    try {
      const { payload } = await jwtVerify(token, keys, expected);
      c.set("customer", payload.sub ?? "");
    } catch {
      return c.json({ error: "the token is not trusted" }, 401);
    }
    return next();
  });
};

const responseHeaders = ({ setInResponse: [name, value], removedFromResponse }: Jobs) =>
  createMiddleware(async (c, next) => {
    await next();
    c.res.headers.set(name, value);
    c.res.headers.delete(removedFromResponse);
  });
