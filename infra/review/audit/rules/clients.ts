/** Audit rules for what one client may send and use. */
import { share } from "../../../../functions/gateway/core/quantities.ts";
import { hasUpstream } from "../rule-kit/chains.ts";
import type { Rule } from "../rule-kit/rule.ts";

export const acceptedSpoofableHeader: Rule = {
  id: "accepted-spoofable-header",
  severity: "high",
  summary: "Services receive a header with which a client can impersonate a proxy, a platform or a router.",
  incident:
    "Servers that read the client's address or certificate from a header let in anybody who sent one: a gateway skipped its authorization for a header that only its own proxies should send (F5 BIG-IP, CVE-2022-1388, 2022).",
  remedy:
    "Remove `accept-headers`, and set what the service needs by `headers`, from what the gate knows: `{client.ip}`, `{consumer.id}`. It is right where the service does not trust the header, such as a method override whose methods the route accepts anyway.",
  check: ({ tier: { source, manifest } }) =>
    manifest["accept-headers"].map((name, index) => ({
      source,
      at: ["accept-headers", index],
      message: `any client can set ${name}, and services receive it`,
      remedy: "remove it, or set it by `headers` from what the gate knows",
    })),
};

export const greedyClient: Rule = {
  id: "greedy-client",
  severity: "medium",
  summary: "One client may use the whole concurrency of a gate.",
  incident:
    "A single machine that held many connections open, with a few bytes on each from time to time, made web servers unavailable for everybody else (Slowloris, 2009).",
  remedy:
    "Remove `limits.client-share`, or raise it no further than the busiest address needs: its requests per second, times the seconds each takes, divided by `limits.concurrency`. A quarter of 1000 serves 2500 requests a second of 100 ms from one address. Each identified consumer has its own share. `100%` is right where all requests come from one proxy and users cannot be distinguished.",
  check: ({ tier: { source, manifest, routes } }) =>
    share(manifest.limits["client-share"]) > 0.5 && routes.some(hasUpstream)
      ? [
          {
            source,
            at: ["limits", "client-share"],
            message: `one client may hold ${manifest.limits["client-share"]} of the gate's concurrent requests`,
            remedy: "remove it, or set 50% at most",
          },
        ]
      : [],
};
