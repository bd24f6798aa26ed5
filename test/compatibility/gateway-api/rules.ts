/** Rules and listeners with unknown or invalid parts: none takes more requests than it should. */
import { all, gateway, http, https, path, route, type Source, to } from "./resources.ts";

const spec = "Gateway API v1, HTTPRouteFilter.type: an unknown filter must not be skipped; its requests get an error";

const one = (name: string, rule: string, more: Partial<Source>): Omit<Source, "it" | "authority"> => ({
  files: { "it.yaml": route(`${rule}, ${to("v2", path("/sound"))}`, { hosts: `${name}.example` }) },
  ...more,
});

export const rules: readonly Source[] = [
  {
    it: "a condition that is not known takes its match out, and does not make it a wider one",
    authority: "Gateway API v1, HTTPRouteMatch: all conditions of a match have to hold",
    ...one(
      "condition",
      `{ matches: [{ path: { value: / }, sourceIPs: [10.0.0.0/8] }], backendRefs: [{ name: v1, port: 80 }] }`,
      {
        leftOut: [/sourceIPs has no equivalent/],
        asks: [
          ["http://condition.example/", 404],
          ["http://condition.example/sound", "v2"],
        ],
      },
    ),
  },
  {
    it: "a header that has to be absent is no header that may be anything",
    authority: "Gateway API v1, HTTPHeaderMatch",
    ...one(
      "inverted",
      `{ matches: [{ headers: [{ name: a, value: b, invert: true }] }], backendRefs: [{ name: v1, port: 80 }] }`,
      {
        leftOut: [/invert has no equivalent/],
        asks: [["http://inverted.example/", 404]],
      },
    ),
  },
  {
    it: "a filter with a field that is not known refuses the rule's requests",
    authority: spec,
    ...one(
      "field",
      to(
        "v1",
        `filters: [{ type: URLRewrite, urlRewrite: { path: { type: ReplaceFullPath, replaceFullPath: /a }, regex: "a" } }]`,
      ),
      {
        leftOut: [/regex has no equivalent/, /a filter of the type URLRewrite/, /the rule answers 500/],
        asks: [["http://field.example/", 500]],
      },
    ),
  },
  ...["foo", "//a", "/a/../b", "/a//b", "/a/%2e%2e/b", "/a?b=c", "/a#b", "/a%2fb", "/a b"].map(
    (value, index): Source => ({
      it: `the path ${value} is none: no other one, and not all of them, is served in its place`,
      authority: "Gateway API v1, HTTPPathMatch.value: absolute, no //, /./, /../, %2F or #",
      ...one(`path-${index}`, to("v1", path(value)), {
        leftOut: [/is not a valid path|is refused|has an encoding/],
        asks: [
          [`http://path-${index}.example/`, 404],
          [`http://path-${index}.example/b`, 404],
          [`http://path-${index}.example/sound`, "v2"],
        ],
      }),
    }),
  ),
  ...["10", "1.5s", "soon", "-1s"].map(
    (text, index): Source => ({
      it: `a timeout of "${text}" is none, which is no timeout without an end`,
      authority: "GEP-2257, Gateway API Duration Format",
      ...one(`time-${index}`, to("v1", `timeouts: { request: "${text}" }`), {
        leftOut: [/is not a duration/],
        asks: [[`http://time-${index}.example/`, "v1"]],
      }),
    }),
  ),
  {
    it: "the longest duration of the Gateway API is one that a manifest can have",
    authority: "GEP-2257: up to four parts of five digits",
    ...one("longest", to("v1", `timeouts: { request: 99999h, backendRequest: 99999h59m }`), {
      asks: [["http://longest.example/", "v1"]],
    }),
  },
  {
    it: "what is experimental is listed, and its rule is served",
    authority: "Gateway API, experimental channel: HTTPRouteRule.retry, sessionPersistence",
    ...one(
      "experimental",
      to("v1", "retry: { attempts: 2, codes: [503] }, sessionPersistence: { sessionName: a, type: Cookie }"),
      {
        leftOut: [/retry has no equivalent/, /sessionPersistence has no equivalent/],
        asks: [["http://experimental.example/", "v1"]],
      },
    ),
  },
  {
    it: "a share of a mirror that is none refuses the rule's requests",
    authority: "Gateway API v1, Fraction: the numerator is not above the denominator",
    ...one(
      "share",
      to(
        "v1",
        "filters: [{ type: RequestMirror, requestMirror: { backendRef: { name: v2, port: 80 }, fraction: { numerator: 3, denominator: 0 } } }]",
      ),
      { leftOut: [/share is 0 to 100/, /the rule answers 500/], asks: [["http://share.example/", 500]] },
    ),
  },
  {
    it: "a listener that lets only clients with a certificate in is listed",
    authority: "Gateway API, Gateway.spec.tls.frontend; Listener.tls.frontendValidation before",
    files: {
      "it.yaml": all(
        gateway(
          https.replace("mode:", "frontendValidation: { caCertificateRefs: [{ name: ca }] }, mode:"),
          "tls: { frontend: { default: {} } }",
        ),
        route(to("v1"), { hosts: "mutual.example", parent: "{ name: gw }" }),
      ),
    },
    leftOut: [/tls has no equivalent/, /frontendValidation of https has no equivalent/],
  },
  {
    it: "listeners of TLS and TCP take no HTTPRoute, nor does one that passes TLS on, and they are listed",
    authority: "Gateway API v1, Listener.protocol; TLSModeType",
    files: {
      "it.yaml": all(
        gateway(
          `{ name: tls, port: 8443, protocol: TLS, tls: { mode: Passthrough } }, { name: tcp, port: 9000, protocol: TCP }, ${https.replace("Terminate", "Passthrough")}`,
        ),
        route(to("v1"), { hosts: "through.example", parent: "{ name: gw }" }),
      ),
    },
    leftOut: [/listener tls of the protocol TLS/, /listener tcp of the protocol TCP/, /no listener takes this route/],
  },
  {
    it: "one of two parents that takes the route in no listener is listed, and the other one serves",
    authority: "Gateway API v1, ParentReference.sectionName: where there is no such section, the route is not attached",
    files: {
      "it.yaml": all(
        gateway(http),
        route(to("v1"), {
          hosts: "section.example",
          parent: "{ name: gw, sectionName: gone }, { name: gw, sectionName: http }",
        }),
      ),
    },
    leftOut: [/no listener takes this route/],
    asks: [["http://section.example/", "v1"]],
  },
  {
    it: "an empty hostname of a listener is every host",
    authority: "Gateway API v1, Listener.hostname: empty matches all",
    files: {
      "it.yaml": all(
        gateway(http.replace(" }", ', hostname: "" }')),
        route(to("v1"), { hosts: "Empty.Example", parent: "{ name: gw }" }),
      ),
    },
    asks: [["http://empty.example/", "v1"]],
  },
];
