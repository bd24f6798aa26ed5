/**
 * The duties of a gate by hand, added one after the other, each in the cheapest way that the runtime has: no routes, no
 * plan, no filters. Their cost is the floor of any gate. Used by `infra/bench/measure/breakdown.ts`.
 */

import type { webcrypto } from "node:crypto";

/** In the order in which they are added. */
export const duties = [
  "the response copied, and a header set in it",
  "the request's headers copied, and sent to another URL",
  "five headers set for the service: id, trace, host, scheme, address",
  "the names of all headers read, and what only a gate may say removed",
  "the same of the response",
  "a deadline, which aborts the service's request",
  "the client's leaving listened for",
  "the headers that five filters read, set and remove",
  "a token's signature verified (RS256), and its claims read",
] as const;

const id = "0af76519-16cd-43dd-8448-eb211c80319c";
const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const deadlineMs = 30_000;
const abortCount = { left: 0 };

/**
 * @param count of duties, from the first
 * @param upstream base URL of the service
 * @param jwk the key that verifies tokens
 */
export const workerWithDuties = (count: number, upstream: string, jwk: webcrypto.JsonWebKey) => ({
  fetch: async (request: Request): Promise<Response> => {
    if (count === 0) return fetch(request);
    if (count === 1) return copyResponse(await fetch(request));
    const headers = new Headers(request.headers);
    const doesFiveFilters =
      count > 7 && request.headers.get("authorization") !== null && request.headers.get("origin") !== null;
    if (count > 8) await verifyToken(request.headers.get("authorization")?.slice("Bearer ".length) ?? "", jwk);
    if (count > 3) removeSpoofableHeaders(headers);
    if (count > 2) setForwardingHeaders(headers);
    if (doesFiveFilters) editRequestHeaders(headers, "x-customer");
    if (count > 6)
      request.signal.onabort = () => {
        abortCount.left++;
      };
    const url = upstream + request.url.slice(request.url.indexOf("/", "https://".length));
    const init: RequestInit = { method: request.method, headers, redirect: "manual" };
    const response = copyResponse(count > 5 ? await fetchWithDeadline(url, init) : await fetch(url, init));
    if (count > 4) removeSpoofableHeaders(response.headers);
    if (doesFiveFilters) editResponseHeaders(response.headers);
    return response;
  },
});

const algorithm = "RSASSA-PKCS1-v1_5";
const keys = new Map<webcrypto.JsonWebKey, webcrypto.CryptoKey>();
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const { fromBase64 } = Uint8Array as unknown as {
  readonly fromBase64: (text: string, options: { readonly alphabet: "base64url" }) => Uint8Array<ArrayBuffer>;
};
const bytes = (text: string) => fromBase64.call(Uint8Array, text, { alphabet: "base64url" });

const verifyToken = async (token: string, jwk: webcrypto.JsonWebKey): Promise<unknown> => {
  const [header = "", payload = "", signature = ""] = token.split(".");
  const known = keys.get(jwk);
  const key =
    known ?? (await crypto.subtle.importKey("jwk", jwk, { name: algorithm, hash: "SHA-256" }, false, ["verify"]));
  if (!known) keys.set(jwk, key);
  const { alg } = JSON.parse(decoder.decode(bytes(header)));
  const holds = await crypto.subtle.verify(algorithm, key, bytes(signature), encoder.encode(`${header}.${payload}`));
  if (alg !== "RS256" || !holds) throw new Error("the token does not hold");
  return JSON.parse(decoder.decode(bytes(payload)));
};

/** The duties of a front ahead of a gate: one copy of the request, spoofable headers removed, and four headers set. */
export const front = {
  fetch: (
    request: Request,
    env: { readonly NEXT: { readonly fetch: (request: Request) => Promise<Response> } },
  ): Promise<Response> => {
    const forwarded = new Request(request);
    const { headers } = forwarded;
    removeSpoofableHeaders(headers);
    headers.set("x-request-id", id);
    headers.set("traceparent", trace);
    headers.set("x-postern-caller", id);
    headers.set("cloudflare-workers-version-key", id);
    return env.NEXT.fetch(forwarded);
  },
};

const copyResponse = (response: Response): Response => {
  const copy = new Response(response.body, response);
  copy.headers.set("x-request-id", id);
  return copy;
};

const setForwardingHeaders = (headers: Headers): void => {
  headers.set("x-request-id", id);
  headers.set("traceparent", trace);
  headers.set("x-forwarded-host", "localhost");
  headers.set("x-forwarded-proto", "http");
  headers.set("x-forwarded-for", headers.get("cf-connecting-ip") ?? "");
};

const removeSpoofableHeaders = (headers: Headers): void => {
  const found: string[] = [];
  for (const name of headers.keys()) if (name.includes("_") || name.startsWith("x-postern-")) found.push(name);
  for (const name of found) headers.delete(name);
};

const fetchWithDeadline = async (url: string, init: RequestInit): Promise<Response> => {
  const cut = new AbortController();
  const timer = setTimeout(() => cut.abort(), deadlineMs);
  try {
    return await fetch(url, { ...init, signal: cut.signal });
  } finally {
    clearTimeout(timer);
  }
};

const editRequestHeaders = (headers: Headers, customer: string): void => {
  headers.delete("authorization");
  headers.delete("cookie");
  headers.set(customer, "alice");
};

const editResponseHeaders = (headers: Headers): void => {
  headers.append("vary", "origin");
  headers.set("access-control-allow-origin", "https://shop.acme.example");
  headers.delete("access-control-allow-credentials");
  headers.set("access-control-expose-headers", "x-request-id");
  headers.append("ratelimit-policy", `"rate-limit";q=10000000;w=3600`);
  headers.append("ratelimit", `"rate-limit";r=9999999;t=3600`);
  headers.set("strict-transport-security", "max-age=31536000");
  headers.delete("x-powered-by");
};
