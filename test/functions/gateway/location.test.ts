/** References to a service's own address, as the client resolves them. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { sanitizeResponse } from "../../../functions/gateway/proxy/service-response.ts";

const gate = "https://api.example";

/** The Location header of a response, rewritten for a public path and an upstream URL. */
const location = (value: string, publicPath: string, upstreamUrl: string): string | null => {
  const url = new URL(publicPath, gate);
  const response = new Response(null, { status: 302, headers: { location: value } });
  return sanitizeResponse(response, upstreamUrl, { url }, "rewrite").headers.get("location");
};

const segment = fc.stringMatching(/^[a-z0-9]{1,4}$/);
const path = fc.array(segment, { maxLength: 3 }).map((all) => all.map((it) => `/${it}`).join(""));

it("restores a replaced prefix, in every form of a reference", () => {
  fc.assert(
    fc.property(path, path, segment, path, fc.integer({ min: 0, max: 3 }), (ours, theirs, last, to, form) => {
      // A service's root is a folder.
      fc.pre(theirs + to !== "");
      // Without its own prefix, the reference may already have the public one.
      fc.pre(theirs !== "" || ours === "" || !`${to}/`.startsWith(`${ours}/`));
      // A common end of both prefixes is part of the unchanged rest.
      fc.pre(ours.split("/").at(-1) !== theirs.split("/").at(-1) || ours === "" || theirs === "");
      const service = "http://svc.internal:8080";
      const target = `${theirs}${to}?a=1#b`;
      const value = [service + target, `//svc.internal:8080${target}`, `https://svc.internal:8080${target}`, target][
        form
      ];
      const found = location(value as string, `${ours}/${last}`, `${service}${theirs}/${last}`);
      const followed = new URL(found as string, `${gate}${ours}/${last}`);
      expect(followed.href).toBe(new URL(`${gate}${ours}${to}?a=1#b`).href);
    }),
    { numRuns: 2000, seed: 19 },
  );
});

it("never throws, and never changes a foreign reference", () => {
  const text = fc.stringMatching(/^(?:https?:)?[!-~]{0,30}$/);
  fc.assert(
    fc.property(text, (value) => {
      const found = location(value, "/shop/orders/7", "http://svc.internal/api/orders/7");
      const host = URL.parse(value, "http://svc.internal/api/orders/7")?.host;
      if (host !== "svc.internal") expect(found).toBe(value);
    }),
    { numRuns: 1000, seed: 19 },
  );
});

it.each([
  ["http://svc.internal/api", "/shop/orders/7", "http://svc.internal/api/orders/7", `${gate}/shop`],
  ["http://svc.internal:80/api/x", "/shop/orders/7", "http://svc.internal/api/orders/7", `${gate}/shop/x`],
  ["https://svc.internal/api/x", "/shop/orders/7", "http://svc.internal/api/orders/7", `${gate}/shop/x`],
  ["http://svc.internal:443/api/x", "/shop/orders/7", "https://svc.internal/api/orders/7", `${gate}/shop/x`],
  [
    "http://svc.internal:8080/api/x",
    "/shop/orders/7",
    "http://svc.internal/api/orders/7",
    "http://svc.internal:8080/api/x",
  ],
  ["/accounts/8", "/wallet/v1/accounts/7/balance", "http://svc.internal/accounts/7", "/wallet/v1/accounts/8"],
  ["http://svc.internal/login", "/shop", "http://svc.internal/", `${gate}/shop/login`],
  ["http://svc.internal/", "/shop", "http://svc.internal/", `${gate}/shop`],
  ["http://svc.internal/a", "/a", "http://svc.internal/a", `${gate}/a`],
  ["http://svc.internal//evil.example", "/a", "http://svc.internal/a", `${gate}//evil.example`],
  ["/api/orders/7/", "/shop/orders/7", "http://svc.internal/api/orders/7", "/shop/orders/7/"],
  ["/wallet/v1/accounts/8", "/wallet/v1/accounts/7", "http://svc.internal/accounts/7", "/wallet/v1/accounts/8"],
  ["http://svc.internal/wallet/v1/a", "/wallet/v1/b", "http://svc.internal/b", `${gate}/wallet/v1/a`],
  [`${gate}/wallet/v1/a`, "/wallet/v1/b", `${gate}/b`, `${gate}/wallet/v1/a`],
  [`${gate}/a`, "/wallet/v1/b", `${gate}/b`, `${gate}/wallet/v1/a`],
  ["", "/shop/orders/7", "http://svc.internal/api/orders/7", ""],
  ["http://svc.internal./api/x", "/shop/orders/7", "http://svc.internal/api/orders/7", `${gate}/shop/x`],
  ["http://svc.internal/api/x", "/shop/orders/7", "http://svc.internal./api/orders/7", `${gate}/shop/x`],
])("%j for %s, requested as %s, becomes %j", (value, publicPath, upstreamUrl, expected) => {
  expect(location(value, publicPath, upstreamUrl)).toBe(expected);
});

it.each([
  ["5; url=http://svc.internal/api/x", `5; url=${gate}/shop/x`],
  ["0;URL='http://svc.internal/api/x'", `0;URL='${gate}/shop/x'`],
  // Text behind the second quote is not part of the URL.
  ['3; url="http://svc.internal/api/x"; more', `3; url="${gate}/shop/x"; more`],
  ["1, http://svc.internal/api/x", `1, ${gate}/shop/x`],
  ["2 http://svc.internal/api/x ", `2 ${gate}/shop/x`],
  ['2; url="http://svc.internal/api/x', `2; url="${gate}/shop/x`],
  ["5", "5"],
  ["http://svc.internal/api/x", "http://svc.internal/api/x"],
])("Refresh: %s becomes %s", (value, expected) => {
  const response = new Response("ok", { headers: { refresh: value } });
  const context = { url: new URL("/shop/orders/7", gate) };
  const found = sanitizeResponse(response, "http://svc.internal/api/orders/7", context, "rewrite");
  expect(found.headers.get("refresh")).toBe(expected);
});
