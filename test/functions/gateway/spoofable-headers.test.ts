/** Spoofable headers reach no service, through the front or directly. */
import { describe, expect, it } from "vitest";
import { front } from "../../../functions/front.ts";
import type { FrontPlan } from "../../../functions/gateway/core/plan.ts";
import { cookies } from "../../../functions/gateway/http/cookies.ts";
import { callerFromFront } from "../../../functions/gateway/proxy/forwarding.ts";
import { isAcceptable, isSpoofable, spoofableHeaders } from "../../../functions/gateway/proxy/spoofable-headers.ts";
import { gateHarness } from "../gate-harness.ts";

/** One example for each entry, and alternative spellings. */
const spoofed = [
  ...Object.values(spoofableHeaders)
    .flat()
    .map((it) => it.replace(/-?\*$/, "-anything"))
    .filter((it) => it !== "x-request-id"),
  ...["x-http-method", "client-ip", "x-original-uri", "x-envoy-external-address", "fastly-client-ip", "x-forwarded"],
  ...[
    "forwarded-for",
    "x-proxyuser-ip",
    "wl-proxy-client-ip",
    "x-appengine-user-ip",
    "akamai-origin-hop",
    "x-azure-fdid",
  ],
  ...["x-sendfile-type", "x-accel-redirect", "x-wap-profile", "x-arr-clientcert", "x-ms-client-principal-id"],
  ...["x-amzn-oidc-identity", "cf-ipcity", "cf-access-authenticated-user-email", "x-goog-authenticated-user-email"],
  ...[
    "x-middleware-subrequest",
    "remote-user",
    "x-remote-group",
    "ssl-client-verify",
    "client-cert",
    "l5d-dst-override",
  ],
  ...["x-forwarder-for", "impersonate-user", "impersonate-extra-scopes", "es-security-runas-user", "x-scope-orgid"],
  ...["dapr-app-id", "tailscale-user-login", "iv-user", "iv-creds", "sm-user", "sm-userdn", "shib-identity-provider"],
  ...["ms-aspnetcore-clientcert", "ms-aspnetcore-winauthtoken", "x-apigateway-event", "x-apigateway-api-userinfo"],
  ...["x-endpoint-api-userinfo", "x-cloudtasks-queuename", "x-cloudscheduler", "x-userinfo", "x-proxied-https"],
  ...["x-client-scheme", "thanos-tenant", "$wsra", "$wsru", "x_forwarded_for", "sm_user", "ssl_client_cert"],
  ...["cluster-client-ip", "real-ip", "x-forwarder-for", "z-forwarded-for", "cdn-src-ip", "x-custom-ip-authorization"],
  ...["x-override-url", "x-rewrite-path", "x-http-path-override", "base-url", "x-backend-host", "x-client-verify"],
  ...["x-tls-client-cert", "ms-aspnetcore-clientcert", "tailscale-user-login", "shib-session-id", "x-userinfo"],
  ...["x_customer", "x.customer", "x~customer", "postern-version", "postern-label", "x-forwarded-client-cert"],
];

/** Harmless headers of clients. */
const honest = [
  ...["accept", "authorization", "content-type", "user-agent", "x-api-key", "x-request-start", "idempotency-key"],
  ...["x-amz-date", "x-amz-content-sha256", "x-ms-date", "x-ms-version", "x-ms-client-request-id", "x-goog-api-client"],
  ...["x-goog-user-project", "x-requested-with", "x-csrf-token", "x-auth-token", "x-correlation-id", "x-b3-traceid"],
  ...["sec-ch-ua", "sec-fetch-site", "cdn-loop", "via", "max-forwards", "range", "if-none-match", "baggage", "dpop"],
  ...["cf-ray", "cf-ipcountry", "cf-visitor", "cf-access-jwt-assertion", "x-cloud-trace-context", "x-client-version"],
  ...[
    "x-customer",
    "x-device-id",
    "x-method-name",
    "x-hostname",
    "x-client-id",
    "x-client-info",
    "x-user-id",
    "x-id-token",
    "iv",
    "sm-session",
    "x-client-data",
    "x-next-url",
    "x-tenant-id",
    "signature-input",
  ],
];

describe("spoofable headers", () => {
  const plan: FrontPlan = {
    grayKey: { cookie: "postern-gray" },
    tiers: [
      { tier: "a", binding: "A", hosts: ["a.example"], base: "/a", accepts: ["x-http-method-override"] },
      { tier: "b", binding: "B", hosts: ["a.example"], base: "/b", accepts: ["cf-ipcity"] },
      { tier: "c", binding: "C", hosts: ["a.example"], base: "/c" },
    ],
  };
  const through = async (path: string, headers: Headers | Record<string, string>): Promise<Headers> => {
    let seen = new Headers();
    const gate = {
      fetch: async (request: Request) => {
        seen = new Headers(request.headers);
        return new Response();
      },
    } as unknown as Fetcher;
    const request = new Request(`https://a.example${path}`, { headers });
    await front(plan).fetch(request, { A: gate, B: gate, C: gate }, { waitUntil: () => {} });
    return seen;
  };
  const all = Object.fromEntries([...spoofed, ...honest].map((name) => [name, "forged"]));

  it("are removed by the front, and no harmless headers", async () => {
    const seen = await through("/c", all);
    const { gateOnlyHeaders = [] } = callerFromFront(seen, () => "id");
    expect(spoofed.filter((name) => seen.get(name) === "forged" && !gateOnlyHeaders.includes(name))).toEqual([]);
    expect(honest.filter((name) => seen.get(name) !== "forged")).toEqual([]);
  });

  it("are removed by a gate without a front", async () => {
    const { upstream } = await gateHarness({}).send("GET /", { headers: all });
    const seen = upstream[0]?.headers ?? {};
    expect(spoofed.filter((name) => seen[name] === "forged")).toEqual([]);
    expect(honest.filter((name) => seen[name] !== "forged")).toEqual([]);
  });

  it("are forwarded to the tier that accepts them, and to no other of the same front", async () => {
    const claims = { "x-http-method-override": "DELETE", "cf-ipcity": "Bern", "x-real-ip": "10.0.0.1" };
    const kept = async (path: string) => {
      const seen = await through(path, claims);
      return Object.keys(claims).filter((name) => seen.has(name));
    };
    expect([await kept("/a"), await kept("/b"), await kept("/c")]).toEqual([
      ["x-http-method-override"],
      ["cf-ipcity"],
      [],
    ]);
  });

  it("that the gate sets, or that control Postern, cannot be accepted", () => {
    const never = ["x-request-id", "forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"];
    for (const name of [...never, "proxy-authorization", "postern-label", "x-postern-caller", "x_customer", "accept"])
      expect([name, isAcceptable(name)]).toEqual([name, false]);
    expect(isSpoofable("cloudflare-workers-version-overrides")).toBe(true);
    expect(isAcceptable("cloudflare-workers-version-overrides")).toBe(false);
    expect(["x-real-ip", "x-http-method", "cf-ipcity"].every(isAcceptable)).toBe(true);
  });
});

describe("a service's response", () => {
  it("has none of Postern's own headers, in any case", async () => {
    const forged = {
      ...{ "Postern-Version": "v9", "postern-trace": "{}", "X-Postern-Caller": "me", "x-postern-anything": "1" },
      ...{ "Cloudflare-Workers-Version-Key": "k", "cloudflare-workers-version-overrides": 'gate="old"' },
      ...{ "x-poster": "kept", "my-postern-x": "kept", connection: "x-hop", "x-hop": "1", "x-request-id": "forged" },
    };
    const { headers } = await gateHarness({}, { replies: () => new Response("ok", { headers: forged }) }).send("GET /");
    expect(headers).toEqual({
      connection: "x-hop",
      "content-type": "text/plain;charset=UTF-8",
      "my-postern-x": "kept",
      "x-poster": "kept",
      "x-request-id": "00000000-0000-4000-8000-00000000cafe",
    });
  });
});

describe("two Cookie fields", () => {
  it.each([
    ["a=1, b=2", "a=1; b=2"],
    ["a=1, b=2, c=3; d=4", "a=1; b=2; c=3; d=4"],
    ["a=1, __Host-b=2", "a=1; __Host-b=2"],
    ["a=1; b=2", "a=1; b=2"],
    ["a=1,b=2", "a=1,b=2"],
    ["seen=Thu, 01 Jan 2026 10:00:00 GMT; b=2", "seen=Thu, 01 Jan 2026 10:00:00 GMT; b=2"],
    ['a={"x":1, "y":2}', 'a={"x":1, "y":2}'],
    ["a=1, b", "a=1, b"],
  ])("sent as %j are %j for the gate and the service", async (given, joined) => {
    const headers = { cookie: given };
    const { upstream } = await gateHarness({}).send("GET /", { headers });
    expect(upstream[0]?.headers.cookie).toBe(joined);
    for (const pair of joined.split(";")) {
      const [name = "", ...value] = pair.split("=");
      if (value.length > 0) expect(cookies(new Headers(headers), name.trim())).toEqual([value.join("=").trim()]);
    }
  });
});
