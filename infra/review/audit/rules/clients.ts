/** What one client is believed, and how much of a gate it may take. */
import { share } from "../../../../functions/gateway/core/quantities.ts";
import { hasUpstream } from "../rule-kit/chains.ts";
import type { Rule } from "../rule-kit/rule.ts";

export const acceptedSpoofableHeader: Rule = {
  id: "accepted-spoofable-header",
  severity: "high",
  summary: "Services are sent a header by which a client can speak for a proxy, a platform or a router.",
  incident:
    "Servers that took the client's address or its certificate from a header let in whoever wrote one: a gateway's check of who may do what was left out for a name that only its own proxies should send (F5 BIG-IP, CVE-2022-1388, 2022).",
  remedy:
    "Leave `accept-headers` out, and set what the service needs by `headers`, from what the gate knows: `{client.ip}`, `{consumer.id}`. It is right where the service takes the header for a client's word, such as a method override whose methods the route takes anyway.",
  check: ({ tier: { source, manifest } }) =>
    manifest["accept-headers"].map((name, index) => ({
      source,
      at: ["accept-headers", index],
      message: `any client can write ${name}, and services are sent it`,
      remedy: "leave it out, or set it by `headers` from what the gate knows",
    })),
};

export const greedyClient: Rule = {
  id: "greedy-client",
  severity: "medium",
  summary: "One client may take all places of a gate.",
  incident:
    "A single machine that opened connections and sent a few bytes on each from time to time closed web servers for everybody else (Slowloris, 2009).",
  remedy:
    "Leave `limits.client-share` out, or raise it no further than the busiest address needs: requests per second from there, times the seconds each takes, over `limits.concurrency`. A quarter of 1000 places serves 2500 requests a second of 100 ms from one address. Each consumer whom a filter identifies has a share of its own. All of it is right where every request comes from one proxy, whose users nothing tells apart.",
  check: ({ tier: { source, manifest, routes } }) =>
    share(manifest.limits["client-share"]) > 0.5 && routes.some(hasUpstream)
      ? [
          {
            source,
            at: ["limits", "client-share"],
            message: `one client may hold ${manifest.limits["client-share"]} of the requests that the gate has room for`,
            remedy: "leave it out, or give 50% at most",
          },
        ]
      : [],
};
