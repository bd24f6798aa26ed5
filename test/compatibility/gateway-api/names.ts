/** Kubernetes names as Postern's names: `check` accepts all of them, and they stay unique. */
import { all, gateway, http, route, type Source, to } from "./resources.ts";

const dns = "kubernetes.io, Object Names and IDs: a subdomain name holds dots, begins with a digit, has 253 characters";

const long = "a-team-with-quite-a-long-name-of-its-own-and-more";

export const names: readonly Source[] = [
  {
    it: "internationalised hosts, as requests have them",
    authority: "RFC 5891, 4.4: A-labels begin with xn--",
    files: {
      "it.yaml": route(to("v1"), { hosts: "xn--bcher-kva.example, xn--80ak6aa92e.xn--p1ai, '*.xn--p1ai.example'" }),
    },
    asks: [
      ["http://xn--bcher-kva.example/", "v1"],
      ["http://xn--80ak6aa92e.xn--p1ai/", "v1"],
      ["http://any.xn--p1ai.example/", "v1"],
    ],
  },
  ...[
    "shared",
    "consumers",
    "units",
    "preview-7",
    "4you.example",
    "a--b.example",
    `${long}.example.${long}.example`,
  ].map(
    (host): Source => ({
      it: `a tier for the host ${host} has a name that it may have`,
      authority: dns,
      files: { "it.yaml": route(to("v1"), { hosts: host }) },
      asks: [[`http://${host}/`, "v1"]],
    }),
  ),
  {
    it: "names with dots, digits ahead, capitals and two hyphens, which are alike when only letters are left",
    authority: dns,
    files: {
      "it.yaml": all(
        ...["9.orders", "9-orders", "9--orders", "9.Orders"].map((name, index) =>
          route(`{ name: Rule_1, matches: [{ path: { value: /${index} } }], backendRefs: [{ name: v1, port: 80 }] }`, {
            name,
            hosts: "alike.example",
          }),
        ),
      ),
    },
    asks: [0, 1, 2, 3].map((index) => [`http://alike.example/${index}`, "v1"]),
  },
  {
    it: "Services whose namespaces and names read alike have variables of their own",
    authority: "kubernetes.io, Namespaces: names are unique within one",
    files: {
      "it.yaml": all(
        route(to("c"), { namespace: "a-b", hosts: "alike-1.example" }),
        route(to("b-c"), { namespace: "a", hosts: "alike-2.example" }),
      ),
    },
    values: ["service-a-b-c-80", "service-a-b-c-80-2"],
  },
  {
    it: "a Service that is called as the upstream for backends that are none",
    authority: dns,
    files: {
      "it.yaml": route(`{ backendRefs: [{ kind: Gone, name: v1, weight: 0 }, { name: no-backend, port: 80 }] }`, {
        hosts: "nobody.example",
      }),
    },
    leftOut: [/Gone is not a Service/],
    asks: [["http://nobody.example/", "no-backend"]],
  },
  {
    it: "a host that Flux completes is a variable, also where it is written in capitals",
    authority: "fluxcd.io, Kustomization: post build variable substitution",
    files: {
      // biome-ignore-start lint/suspicious/noTemplateCurlyInString: of Flux
      "it.yaml": route(to("v1"), { hosts: '"app.${SECRET_DOMAIN}", "${APP_HOST:=app.example}"' }),
      // biome-ignore-end lint/suspicious/noTemplateCurlyInString: of Flux
    },
    values: ["host-app-host-app-example", "host-app-secret-domain", "service-shop-v1-80"],
  },
  ...["192.0.2.1", "shop.example:8080", "sh_op.example", '"*"', '"*.example"', "shop..example"].map(
    (host, index): Source => ({
      it: `the hostname ${host} is none, and its route is not served on all hosts instead`,
      authority: "Gateway API v1, Hostname: RFC 1123, no IP address, one wildcard label ahead",
      files: {
        "it.yaml": all(
          route(to("v1"), { hosts: host, name: "odd" }),
          route(to("v2"), { hosts: `sound-${index}.example`, name: "sound" }),
        ),
      },
      leftOut: [/is not a host name|a whole top-level domain/],
      asks: [[`http://sound-${index}.example/`, "v2"]],
    }),
  ),
  {
    it: "a listener for a whole top-level domain, as on machines of developers, takes routes that name hosts beneath it",
    authority: "Gateway API v1, Listener.hostname: a wildcard label ahead of any suffix",
    files: {
      "it.yaml": all(
        gateway(http.replace(" }", ', hostname: "*.localhost" }')),
        route(to("v1"), { hosts: "app.localhost", parent: "{ name: gw }" }),
      ),
    },
    asks: [["http://app.localhost/", "v1"]],
  },
  {
    it: "more hosts than one tier can have are served by several",
    authority:
      "Gateway API v1, Gateway.listeners: 64 of them, each with a hostname, and a route may have several Gateways",
    files: {
      "it.yaml": all(
        ...["a", "b"].map((name) =>
          gateway(
            Array.from(
              { length: 60 },
              (_, index) => `{ name: l${index}, port: 80, protocol: HTTP, hostname: ${name}${index}.many.example }`,
            ).join(", "),
            "",
            name,
          ),
        ),
        route(to("v1"), { parent: "{ name: a }, { name: b }" }),
      ),
    },
    asks: [
      ["http://a0.many.example/", "v1"],
      ["http://b59.many.example/", "v1"],
    ],
  },
];
