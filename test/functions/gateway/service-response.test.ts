/** Sanitized service responses. */
import { expect, it } from "vitest";
import { sanitizeResponse } from "../../../functions/gateway/proxy/service-response.ts";

const upstreamUrl = "http://svc.internal/orders";
const context = { url: new URL("https://api.example/orders") };

const passed = (headers: Record<string, string>, locations: "rewrite" | "keep" = "rewrite") =>
  sanitizeResponse(new Response("ok", { headers }), upstreamUrl, context, locations);

it("returns the service's own response when nothing changes", () => {
  const response = new Response("ok", { headers: { "content-type": "text/plain", location: "/orders/7" } });
  expect(sanitizeResponse(response, upstreamUrl, context, "rewrite")).toBe(response);
});

it("removes the gateway's own fields, and no others", () => {
  const { headers } = passed({
    "x-postern-anything": "1",
    "postern-version": "1",
    "cloudflare-workers-version-key": "1",
    "x-posternal": "1",
    etag: "1",
  });
  expect([...headers.keys()].sort()).toEqual(["content-type", "etag", "x-posternal"]);
});

it("removes hop-by-hop fields that Connection names, and no end-to-end fields", () => {
  const { headers } = passed({ connection: "x-hop, ETag, content-type, absent", "x-hop": "1", etag: "1" });
  expect(headers.has("x-hop")).toBe(false);
  expect(headers.has("etag")).toBe(false);
  expect(headers.get("content-type")).toMatch(/^text\/plain/);
});

it.each(["location", "content-location", "refresh"])("rewrites %s, unless the manifest keeps it", (field) => {
  const value = field === "refresh" ? `5; url=${upstreamUrl}/7` : `${upstreamUrl}/7`;
  expect(passed({ [field]: value }).headers.get(field)).toBe(
    value.replace("http://svc.internal", "https://api.example"),
  );
  expect(passed({ [field]: value }, "keep").headers.get(field)).toBe(value);
});
