/**
 * The five jobs on Hono, with its own middleware where there is one. Hono has none that limits. It does no more than these
 * jobs, while a gate also sets request ids, continues traces, removes spoofable headers and keeps a deadline.
 */
import { Hono } from "hono";
import { cors } from "hono/cors";
import { createMiddleware } from "hono/factory";
import { proxy } from "hono/proxy";
import { createLocalJWKSet, jwtVerify } from "jose";
import type { Jobs } from "./jobs.ts";

interface Types {
  readonly Variables: { customer: string };
}

/** @param upstream base URL of the service */
export const gateway = (jobs: Jobs, upstream: string) =>
  new Hono<Types>()
    .use(cors({ origin: [jobs.origin], exposeHeaders: [jobs.exposed] }))
    .use(bearer(jobs))
    .use(limit(jobs))
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

/** A reverse proxy as in Hono's documentation. */
export const passthrough = (upstream: string) =>
  new Hono().get("/v1/users/:id/orders", (c) => {
    const { pathname, search } = new URL(c.req.url);
    return proxy(upstream + pathname + search, { ...c.req, headers: c.req.header() });
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

/** Counts by customer in windows of an hour, for as many customers as a gate does. */
const limit = ({ requestsAnHour }: Jobs) => {
  const windows = new Map<string, { count: number; readonly ends: number }>();
  return createMiddleware<Types>(async (c, next) => {
    const customer = c.get("customer");
    const now = Date.now();
    const known = windows.get(customer);
    const window = known && known.ends > now ? known : { count: 0, ends: now + hourMs };
    if (window !== known) windows.set(customer, window);
    if (windows.size > maxCustomers) windows.delete(windows.keys().next().value as string);
    window.count += 1;
    const left = requestsAnHour - window.count;
    const seconds = Math.ceil((window.ends - now) / 1000);
    if (left < 0) return c.json({ error: "too many requests" }, 429, { "retry-after": String(seconds) });
    await next();
    c.res.headers.append("ratelimit-policy", `"customer";q=${requestsAnHour};w=3600`);
    c.res.headers.append("ratelimit", `"customer";r=${left};t=${seconds}`);
    return undefined;
  });
};

const hourMs = 3_600_000;
const maxCustomers = 10_000;

const responseHeaders = ({ setInResponse: [name, value], removedFromResponse }: Jobs) =>
  createMiddleware(async (c, next) => {
    await next();
    c.res.headers.set(name, value);
    c.res.headers.delete(removedFromResponse);
  });
