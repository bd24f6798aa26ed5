/** CORS as browsers read it. */
import { expect } from "vitest";
import type { Answer, GatewayRow, RequestOptions } from "./gateway.ts";

const shop = "https://shop.example";
const protocol = "Fetch, CORS protocol";
const caches = "Fetch, CORS protocol and HTTP caches";
const allow = "access-control-allow-";
const exposes = "access-control-expose-headers";

const preflight = (origin: string, method: string, more: Record<string, string> = {}) => ({
  headers: { origin, "access-control-request-method": method, ...more },
});

const granted = ({ headers }: Answer) => headers[`${allow}origin`];

interface Readable extends RequestOptions {
  /** That the page may read beside the request's id. */
  readonly fields?: readonly string[];
}

/** What a browser lets its page read of a simple request. */
const readable =
  (line: string, code: string, { fields = [], headers, ...ask }: Readable = {}): GatewayRow["holds"] =>
  async (gateway) => {
    const answer = await gateway.ask(line, { ...ask, headers: { origin: "https://any.example", ...headers } });
    const exposed = ["x-request-id", ...fields].join(", ");
    expect([answer.code, granted(answer), answer.headers[exposes]]).toEqual([code, "*", exposed]);
  };

export const cors: readonly GatewayRow[] = [
  {
    it: "`*` is said to a request without Origin, so that what a cache keeps of it serves a page later",
    authority: caches,
    holds: async (gateway) => {
      const answer = await gateway.ask("GET /open/item");
      expect([granted(answer), answer.headers.vary]).toEqual(["*", undefined]);
    },
  },
  {
    it: "named origins: an answer without Origin varies by it",
    authority: caches,
    holds: async (gateway) => {
      const answer = await gateway.ask("GET /shop/item");
      expect([granted(answer), answer.headers.vary]).toEqual([undefined, "origin"]);
    },
  },
  {
    it: "named origins: an answer to another origin varies, and grants nothing, whatever the service grants",
    authority: caches,
    holds: async (gateway) => {
      const headers = { origin: "https://evil.example", [`answer-${allow}origin`]: "*" };
      const answer = await gateway.ask("GET /shop/item", { headers });
      expect([granted(answer), answer.headers[`${allow}credentials`], answer.headers.vary]).toEqual([
        undefined,
        undefined,
        "origin",
      ]);
    },
  },
  {
    it: "a service that varies by origin itself, in its own case: the field is there once, beside the others",
    authority: "RFC 9110, 12.5.5",
    holds: async (gateway) => {
      const headers = { origin: shop, "answer-vary": "Accept-Encoding, Origin" };
      expect((await gateway.ask("GET /shop/item", { headers })).headers.vary).toBe("Accept-Encoding, Origin");
      const other = await gateway.ask("GET /shop/item", { headers: { origin: shop, "answer-vary": "Accept" } });
      expect(other.headers.vary).toBe("Accept, origin");
      const all = await gateway.ask("GET /shop/item", { headers: { origin: shop, "answer-vary": "*" } });
      expect(all.headers.vary).toBe("*");
    },
  },
  {
    it: "a service that sends CORS headers too: each is there once, and is the manifest's",
    authority: `${protocol}; envoyproxy/envoy, cors filter`,
    holds: async (gateway) => {
      const answer = await gateway.ask("GET /shop/item", {
        headers: {
          origin: shop,
          [`answer-${allow}origin`]: "https://other.example",
          [`answer-${exposes}`]: "x-inside",
        },
      });
      expect([granted(answer), answer.headers[`${allow}credentials`], answer.headers[exposes]]).toEqual([
        shop,
        "true",
        "x-total, x-request-id",
      ]);
    },
  },
  {
    it: "`Origin: null` of a sandboxed page is none of the named ones",
    authority: "Fetch, CORS protocol; HTML, opaque origins",
    holds: async (gateway) => {
      expect(granted(await gateway.ask("GET /shop/item", { headers: { origin: "null" } }))).toBeUndefined();
      expect(granted(await gateway.ask("GET /open/item", { headers: { origin: "null" } }))).toBe("*");
    },
  },
  {
    it: "credentials for everybody: the origin itself, never `*`, and the answer varies",
    authority: "Fetch, CORS protocol and credentials",
    holds: async (gateway) => {
      const answer = await gateway.ask("GET /bare/everybody", { headers: { origin: shop } });
      expect([granted(answer), answer.headers[`${allow}credentials`], answer.headers.vary]).toEqual([
        shop,
        "true",
        "origin",
      ]);
      const plain = await gateway.ask("GET /bare/everybody");
      expect([granted(plain), plain.headers.vary]).toEqual([undefined, "origin"]);
    },
  },
  {
    it: "a refusal behind cors can be read, with the challenge that it holds",
    authority: `${protocol}; RFC 6750, 3`,
    holds: readable("GET /open/private", "token-missing", { fields: ["www-authenticate"] }),
  },
  {
    it: "a refusal of a filter ahead of cors can be read",
    authority: protocol,
    holds: readable("POST /open/item", "cross-site-refused", { headers: { "content-type": "text/plain" }, body: "a" }),
  },
  {
    it: "a timeout of the service can be read",
    authority: protocol,
    holds: readable("GET /open/slow", "upstream-timeout"),
  },
  {
    it: "a service that is gone can be read",
    authority: protocol,
    holds: readable("GET /open/gone", "upstream-unreachable"),
  },
  {
    it: "a body that is too large can be read",
    authority: `${protocol}; RFC 9110, 15.5.14`,
    holds: readable("POST /open/small", "body-too-large", {
      headers: { "content-type": "application/json" },
      body: "{ too long }",
    }),
  },
  {
    it: "a path that no route takes: its 404 can be read where the tier has cors",
    authority: protocol,
    holds: readable("GET /open/nowhere", "route-unknown"),
  },
  {
    it: "a path whose conditions hold for no route: its 404 can be read",
    authority: protocol,
    holds: readable("GET /open/beta", "condition-unmet"),
  },
  {
    it: "another method: its 405 can be read, and Allow too",
    authority: `${protocol}; RFC 9110, 10.2.1`,
    holds: readable("DELETE /open/private", "method-not-allowed", { fields: ["allow"] }),
  },
  {
    it: "another method on a path whose route alone has cors: its 405 can be read",
    authority: protocol,
    holds: async (gateway) => {
      const answer = await gateway.ask("DELETE /bare/item", { headers: { origin: shop } });
      expect([answer.code, granted(answer)]).toEqual(["method-not-allowed", "*"]);
      expect(granted(await gateway.ask("GET /bare/nowhere", { headers: { origin: shop } }))).toBeUndefined();
    },
  },
  {
    it: "a closed route: its 503 can be read, and when to come back",
    authority: `${protocol}; RFC 9110, 10.2.3`,
    holds: readable("GET /open/shut", "route-closed", { fields: ["retry-after"] }),
  },
  {
    it: "a route that drops cors keeps its answers from pages, its 405 included",
    authority: protocol,
    holds: async (gateway) => {
      for (const line of ["GET /open/plain", "DELETE /open/plain"])
        expect(granted(await gateway.ask(line, { headers: { origin: shop } }))).toBeUndefined();
    },
  },
  {
    it: "a 404 of named origins grants the named one, and varies for others",
    authority: caches,
    holds: async (gateway) => {
      const mine = await gateway.ask("GET /shop/nowhere", { headers: { origin: "https://www.shop.example" } });
      expect([granted(mine), mine.headers.vary]).toEqual(["https://www.shop.example", "origin"]);
      const others = await gateway.ask("GET /shop/nowhere", { headers: { origin: "https://evil.example" } });
      expect([granted(others), others.headers.vary]).toEqual([undefined, "origin"]);
    },
  },
  {
    it: "a preflight about a path that no route takes is granted, so that the page reads the 404 of its request",
    authority: "Fetch, CORS-preflight fetch: only an ok status lets the request go on",
    holds: async (gateway) => {
      const asks = preflight("https://any.example", "PUT", { "access-control-request-headers": "x-one, x_two" });
      const { status, headers } = await gateway.ask("OPTIONS /open/nowhere", asks);
      expect([status, headers[`${allow}origin`], headers[`${allow}methods`], headers[`${allow}headers`]]).toEqual([
        204,
        "*",
        "PUT",
        "x-one, x_two",
      ]);
      const evil = await gateway.ask("OPTIONS /shop/nowhere", preflight("https://evil.example", "PUT"));
      expect([evil.status, granted(evil)]).toEqual([404, undefined]);
    },
  },
  {
    it: "a preflight about a method that the path does not have names those that it has, and grants it not",
    authority: "Fetch, CORS-preflight fetch; RFC 9110, 10.2.1",
    holds: async (gateway) => {
      const { status, headers } = await gateway.ask("OPTIONS /open/private", preflight(shop, "DELETE"));
      expect([status, headers.allow, headers[`${allow}origin`], headers[`${allow}methods`]]).toEqual([
        204,
        "GET, HEAD, OPTIONS",
        "*",
        undefined,
      ]);
    },
  },
  {
    it: "max-age of 1500ms is 1: the field is a whole number of seconds",
    authority: "Fetch, HTTP new-header syntax: delta-seconds",
    holds: async (gateway) => {
      const { headers } = await gateway.ask("OPTIONS /open/private", preflight(shop, "GET"));
      expect(headers["access-control-max-age"]).toBe("1");
    },
  },
  {
    it: "a preflight that asks about a private network is answered as any other, and grants no such network",
    authority: "WICG, Local Network Access, which has replaced Private Network Access and its header",
    holds: async (gateway) => {
      const asks = preflight(shop, "GET", { "access-control-request-private-network": "true" });
      const { status, headers } = await gateway.ask("OPTIONS /open/private", asks);
      expect([status, headers[`${allow}private-network`]]).toEqual([204, undefined]);
    },
  },
];
