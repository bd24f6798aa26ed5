/**
 * Headers with which a client claims what only others may claim, and headers in which a service speaks for the gateway.
 */
import { answer, type MessageRow, request } from "../messages.ts";

const claims: readonly (readonly [what: string, field: string, value: string, authority: string])[] = [
  [
    "its address, as libraries look for it",
    "client-ip",
    "10.0.0.1",
    "OWASP, Unvalidated trust of client headers; npm request-ip",
  ],
  ["its address, as WebLogic receives it", "wl-proxy-client-ip", "10.0.0.1", "Oracle WebLogic plug-ins"],
  ["its address, as Fastly tells it", "fastly-client-ip", "10.0.0.1", "Fastly, Fastly-Client-IP"],
  ["its address, as App Engine tells it", "x-appengine-user-ip", "10.0.0.1", "App Engine, request headers"],
  ["its address, as Envoy tells it", "x-envoy-external-address", "10.0.0.1", "Envoy, HTTP connection manager headers"],
  ["its address, in a form ahead of the standard", "forwarded-for", "10.0.0.1", "RFC 7239, 1"],
  ["the Azure Front Door that it came by", "x-azure-fdid", "55ce4ed1", "Azure Front Door, HTTP headers protocol"],
  ["another method", "x-http-method", "DELETE", "OData, X-HTTP-Method"],
  ["another URL", "x-original-uri", "/admin", "ingress-nginx, X-Original-URI"],
  ["its user, as App Service tells it", "x-ms-client-principal-name", "root", "Azure App Service authentication"],
  [
    "its user, as a load balancer tells it",
    "x-amzn-oidc-identity",
    "root",
    "Elastic Load Balancing, authenticate users",
  ],
  ["its user, as an authenticating proxy tells it", "x-remote-user", "root", "Kubernetes, authenticating proxy"],
  ["its certificate", "client-cert", ":MIIB:", "RFC 9440, 4"],
  ["which file is sent", "x-sendfile-type", "X-Accel-Redirect", "Rack, CVE-2025-61780"],
  ["that checks ran already", "x-middleware-subrequest", "middleware", "Next.js, CVE-2025-29927"],
  ["its address, as CDNs tell it", "cdn-src-ip", "10.0.0.1", "CDNetworks, header_of_clientip"],
  ["its address, to who admits some of them", "x-custom-ip-authorization", "127.0.0.1", "lists of 403 bypasses"],
  ["another URL, to who looks for it where it is overridden", "x-override-url", "/admin", "lists of 403 bypasses"],
  ["its user, as Tailscale tells it", "tailscale-user-login", "root@acme.example", "Tailscale Serve, identity headers"],
  ["its session, as Shibboleth tells it", "shib-session-id", "_1", "Shibboleth SP, AttributeAccess"],
  ["its certificate, as IIS tells it", "ms-aspnetcore-clientcert", "MIIB", "ASP.NET Core, IISMiddleware"],
  ["a name with a dot, which CGI reads as a hyphen", "x.customer", "root", "RFC 3875, 4.1.18"],
];

const own = [
  "postern-version",
  "postern-trace",
  "x-postern-caller",
  "x-postern-later",
  "cloudflare-workers-version-key",
];

export const claimRows: readonly MessageRow[] = [
  ...claims.map(([what, field, value, authority]) => ({
    it: `no service receives from a client ${what}`,
    authority,
    send: request("GET /m/a", [`${field}: ${value}`]),
    gets: { status: 200 },
    sees: { headers: { [field]: null } },
  })),
  {
    it: "what clients of clouds send in good faith goes on",
    authority: "Azure Storage and AWS Signature Version 4, request headers",
    send: request("GET /m/a", ["x-ms-date: now", "x-amz-date: now", "x-goog-api-client: a", "CDN-Loop: c"]),
    gets: { status: 200 },
    sees: { headers: { "x-ms-date": "now", "x-amz-date": "now", "x-goog-api-client": "a", "cdn-loop": "c" } },
  },
  ...own.map((field) => ({
    it: `a service does not answer in the gateway's name: ${field}`,
    authority: "issue 20: a service's answer may not set the product's own headers",
    send: request("GET /m/a"),
    reply: { bytes: answer(["Content-Length: 6", `${field}: forged`], "served") },
    gets: { status: 200, headers: { [field]: null }, body: "served" },
  })),
  {
    it: "two Cookie fields are one list, as HTTP/2 has it",
    authority: "RFC 9113, 8.2.3; RFC 6265, 5.4",
    send: request("GET /m/a", ["Cookie: a=1", "Cookie: b=2; c=3"]),
    gets: { status: 200 },
    sees: { headers: { cookie: "a=1; b=2; c=3" } },
  },
  {
    it: "a cookie's value that is a date is one value",
    authority: "RFC 6265, 5.2: user agents send what they were set",
    send: request("GET /m/a", ["Cookie: seen=Thu, 01 Jan 2026 00:00:00 GMT; b=2"]),
    gets: { status: 200 },
    sees: { headers: { cookie: "seen=Thu, 01 Jan 2026 00:00:00 GMT; b=2" } },
  },
  {
    it: "a condition sees the second of two Cookie fields",
    authority: "RFC 9113, 8.2.3",
    send: request("GET /m/beta", ["Cookie: a=1", "Cookie: beta=yes"]),
    gets: { status: 200 },
    sees: { line: "GET /beta-of-cookie HTTP/1.1", headers: { cookie: "a=1; beta=yes" } },
  },
  {
    it: "a token in the second of two Cookie fields is read, and goes no further",
    authority: "RFC 6265, 5.4; RFC 6750, 5.3",
    send: request("GET /m/session", ["Cookie: a=1", "Cookie: session=not.a.token"]),
    gets: { status: 401, code: "token-invalid" },
    sees: "nothing",
  },
];
