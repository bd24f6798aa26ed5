/** Redirects from HTTP to HTTPS as the Gateway API's guide writes them, without a redirect loop. */
import { all, gateway, http, https, route, type Source, to, upgrade } from "./resources.ts";

const guide = "Gateway API guide, HTTP redirects and rewrites: HTTP-to-HTTPS redirects";
const spec = "Gateway API v1, Listener: routes are attached to a listener by sectionName";

const at = (section: string) => `{ name: gw, sectionName: ${section} }`;

const sentTo = (host: string, path: string) => ({ status: 301, location: `https://${host}${path}` });

export const redirects: readonly Source[] = [
  {
    it: "a redirect of the HTTP listener, the Gateway and the application in three files: HTTP is redirected, HTTPS is served",
    authority: guide,
    files: {
      "gateway.yaml": gateway(`${http}, ${https}`),
      "redirect.yaml": route(upgrade, { name: "redirect-1", parent: at("http"), hosts: "three.example" }),
      "app.yaml": route(to("v1"), { parent: at("https"), hosts: "three.example" }),
    },
    asks: [
      ["http://three.example/a?b=1", sentTo("three.example", "/a?b=1")],
      ["https://three.example/a", "v1"],
    ],
  },
  {
    it: "the redirect and the Gateway without the application's file: HTTPS is not redirected to itself",
    authority: spec,
    files: {
      "gateway.yaml": gateway(`${http}, ${https}`),
      "redirect.yaml": route(upgrade, { name: "redirect-2", parent: at("http"), hosts: "alone.example" }),
    },
    asks: [
      ["http://alone.example/a", sentTo("alone.example", "/a")],
      ["https://alone.example/a", 404],
    ],
  },
  {
    it: "a redirect whose Gateway is nowhere: what sends to https stands on HTTP",
    authority: guide,
    files: {
      "redirect.yaml": route(upgrade, { name: "redirect-3", parent: "{ name: gw }", hosts: "nowhere.example" }),
    },
    asks: [
      ["http://nowhere.example/", sentTo("nowhere.example", "/")],
      ["https://nowhere.example/", 404],
    ],
  },
  {
    it: "a redirect that names its own host as well",
    authority: guide,
    files: {
      "redirect.yaml": route(upgrade.replace("scheme", "hostname: Own.example, scheme"), { hosts: "own.example" }),
    },
    asks: [["https://own.example/", 404]],
  },
  {
    it: "a redirect for all hosts, which stands with the Gateway of another team, and a host of HTTPS only",
    authority: "Gateway API v1, HTTPRoute.hostnames: without any, a route is for all hosts of its listener",
    files: {
      "infra/gateway.yaml": all(
        gateway(`${http}, ${https}`),
        route(upgrade, { name: "redirect-4", parent: at("http") }),
      ),
      "shop/app.yaml": route(to("v1"), { parent: at("https"), hosts: "wide.example" }),
    },
    host: "rest.example",
    asks: [
      ["http://wide.example/a", sentTo("wide.example", "/a")],
      ["https://wide.example/a", "v1"],
      ["http://rest.example/a", sentTo("rest.example", "/a")],
    ],
  },
  {
    it: "the same, of a Gateway that is not there: the listeners are known by the redirect and by their names",
    authority: guide,
    files: {
      "redirect.yaml": route(upgrade, { name: "redirect-5", parent: at("web") }),
      "app.yaml": route(to("v1"), { parent: at("websecure"), hosts: "guess.example" }),
    },
    host: "guess-rest.example",
    asks: [
      ["http://guess.example/a", sentTo("guess.example", "/a")],
      ["https://guess.example/a", "v1"],
    ],
  },
  {
    it: "a Gateway for HTTP and another for HTTPS, each in its file",
    authority: "cloud.google.com, GKE Gateway: redirect HTTP to HTTPS; the Gateways share an address",
    files: {
      "http.yaml": all(gateway(http, "", "plain"), route(upgrade, { name: "redirect-6", parent: "{ name: plain }" })),
      "https.yaml": all(
        gateway(https, "", "secure"),
        route(to("v1"), { parent: "{ name: secure }", hosts: "two.example" }),
      ),
    },
    host: "two-rest.example",
    asks: [
      ["http://two.example/", sentTo("two.example", "/")],
      ["https://two.example/", "v1"],
    ],
  },
  {
    it: "a route of the HTTPS listener is not served at the HTTP listener, which has no route",
    authority: "Gateway API v1, HTTPRouteRule.matches: where no rule is attached to the listener, the answer is 404",
    files: {
      "it.yaml": all(gateway(`${http}, ${https}`), route(to("v1"), { parent: at("https"), hosts: "only.example" })),
    },
    asks: [
      ["http://only.example/", 404],
      ["https://only.example/", "v1"],
    ],
  },
  {
    it: "a route of both listeners has a host to itself, and the redirect for all hosts does not reach it",
    authority: "Gateway API v1, HTTPRoute.hostnames: the longer matching hostname has precedence",
    files: {
      "it.yaml": all(
        gateway(`${http}, ${https}`),
        route(upgrade, { name: "redirect-7", parent: at("http") }),
        route(to("v1"), { parent: "{ name: gw }", hosts: "both.example" }),
      ),
    },
    host: "both-rest.example",
    asks: [
      ["http://both.example/", "v1"],
      ["https://both.example/", "v1"],
    ],
  },
];
