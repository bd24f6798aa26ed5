/** Which route is served on a host: hostnames and listeners. */
import { type Case, gateway, header, prefix, redirect, replacePrefix, route, routeTo } from "./case-helpers.ts";

const labelled = (name: string): string =>
  `---\nkind: Namespace\nmetadata: { name: ${name}, labels: { tier: web${name === "closed" ? ", closed: 'yes'" : ""} } }\n`;

export const hosts: Readonly<Record<string, Case>> = {
  "a route is served where its hostnames and a listener's meet": {
    resources:
      gateway(`
    - { name: one, port: 80, protocol: HTTP, hostname: very.specific.example }
    - { name: two, port: 80, protocol: HTTP, hostname: "*.wildcard.example" }
    - { name: three, port: 80, protocol: HTTP, hostname: "*.another.example" }`) +
      route(routeTo(prefix("/s1"), "v1"), {
        name: "s1",
        hostnames: '[other.example, "*.else.example", very.specific.example]',
      }) +
      route(routeTo(prefix("/s2"), "v2"), {
        name: "s2",
        hostnames: "[wildcard.example, foo.wildcard.example, a.b.wildcard.example]",
      }) +
      route(routeTo(prefix("/s3"), "v3"), { name: "s3", hostnames: '["*.specific.example"]' }) +
      route(routeTo(prefix("/s4"), "v1"), { name: "s4", hostnames: '["*.another.example"]' }) +
      route(routeTo(prefix("/s5"), "v2"), { name: "s5", hostnames: "[wrong.example]" }),
    exchanges: [
      ["GET very.specific.example/s1", "v1"],
      ["GET other.example/s1", 404],
      ["GET foo.wildcard.example/s2", "v2"],
      ["GET a.b.wildcard.example/s2", "v2"],
      ["GET bar.wildcard.example/s2", 404],
      ["GET wildcard.example/s2", 404],
      ["GET very.specific.example/s3", "v3"],
      ["GET less.specific.example/s3", 404],
      ["GET a.b.another.example/s4", "v1"],
      ["GET another.example/s4", 404],
      ["GET wrong.example/s5", 404],
    ],
  },
  "a listener that names a host better has it to itself": {
    resources:
      gateway(`
    - { name: one, port: 80, protocol: HTTP, hostname: bar.test }
    - { name: two, port: 80, protocol: HTTP, hostname: foo.bar.test }
    - { name: three, port: 80, protocol: HTTP, hostname: "*.bar.test" }
    - { name: four, port: 80, protocol: HTTP, hostname: "*.foo.test" }
    - { name: five, port: 80, protocol: HTTP, hostname: idle.bar.test }`) +
      route(routeTo(prefix("/"), "v1"), { name: "b1", parent: "{ name: gw, sectionName: one }" }) +
      route(routeTo(prefix("/two"), "v2"), { name: "b2", parent: "{ name: gw, sectionName: two }" }) +
      route(routeTo(prefix("/"), "v3"), {
        name: "b3",
        parent: "{ name: gw, sectionName: three }, { name: gw, sectionName: four }",
      }),
    exchanges: [
      ["GET bar.test/", "v1"],
      ["GET foo.bar.test/two", "v2"],
      ["GET foo.bar.test/", 404],
      ["GET baz.bar.test/", "v3"],
      ["GET a.b.bar.test/", "v3"],
      ["GET a.b.foo.test/", "v3"],
      ["GET idle.bar.test/", 404],
      ["GET foo.test/", 404],
      ["GET nobody.test/", 404],
    ],
  },
  "routes of one host are matched as one": {
    resources:
      gateway() +
      route(routeTo(`${prefix("/")}, { ${header("version", "one")} }`, "v1"), {
        name: "p1",
        hostnames: "[both.example, only.example]",
      }) +
      route(routeTo(`${prefix("/v2")}, { ${header("version", "two")} }`, "v2"), {
        name: "p2",
        hostnames: "[both.example]",
      }),
    exchanges: [
      ["GET both.example/", "v1"],
      ["GET both.example/v2", "v2"],
      ["GET both.example/x", "v2", { version: "two" }],
      ["GET only.example/v2", "v1"],
      ["GET only.example/x", "v1", { version: "two" }],
    ],
  },
  "listeners of HTTP and HTTPS can have routes of their own": {
    resources:
      gateway(`
    - { name: http, port: 80, protocol: HTTP }
    - { name: https, port: 443, protocol: HTTPS, tls: { certificateRefs: [{ name: shop }] } }`) +
      route(`    - { filters: [${redirect("scheme: https, statusCode: 301")}] }`, {
        name: "up",
        hostnames: "[tls.example]",
        parent: "{ name: gw, sectionName: http }",
      }) +
      route(routeTo(prefix("/"), "v1"), {
        name: "real",
        hostnames: "[tls.example]",
        parent: "{ name: gw, sectionName: https }",
      }),
    exchanges: [["GET tls.example/a?b=1", { status: 301, gets: { location: "https://tls.example/a?b=1" } }]],
  },
  "listeners of other ports can have routes of their own, or none": {
    resources:
      gateway(`
    - { name: usual, port: 80, protocol: HTTP, hostname: ports.example }
    - { name: other, port: 8080, protocol: HTTP, hostname: ports.example }
    - { name: other-too, port: 8080, protocol: HTTP, hostname: beside.example }
    - { name: third, port: 8880, protocol: HTTP, hostname: ports.example }
    - { name: idle, port: 8880, protocol: HTTP, hostname: beside.example }`) +
      route(routeTo("{ method: GET }", "v1"), { name: "r1", parent: "{ name: gw, port: 80 }" }) +
      route(routeTo(prefix("/"), "v2"), { name: "r2", parent: "{ name: gw, port: 8080 }" }) +
      route(
        `${routeTo(prefix("/"), "v3")}\n    - { matches: [${prefix("/away")}], filters: [${redirect(replacePrefix("/there"))}] }`,
        {
          name: "r3",
          parent: "{ name: gw, port: 8880, sectionName: third }",
        },
      ),
    exchanges: [
      ["GET ports.example:80/", "v1"],
      ["POST ports.example:80/", 404],
      ["GET ports.example:8080/", "v2"],
      ["GET beside.example:8080/", "v2"],
      ["POST ports.example:8880/", "v3"],
      ["GET ports.example:8880/away/x", { status: 302, gets: { location: "/there/x" } }],
      ["GET beside.example:8880/", 404],
      ["GET beside.example:80/", 404],
    ],
  },
  "a gateway takes routes of the namespaces that it allows": {
    resources:
      gateway(
        "- { name: http, port: 80, protocol: HTTP, hostname: near.example, allowedRoutes: { namespaces: { from: Same } } }",
      ) +
      route(routeTo(prefix("/"), "v1")) +
      route(routeTo(prefix("/far"), "v2"), { name: "far", parent: "{ name: gw, namespace: shop }" }).replace(
        "namespace: shop }\nspec",
        "namespace: other }\nspec",
      ),
    exchanges: [
      ["GET near.example/", "v1"],
      ["GET near.example/far", "v1"],
    ],
  },
  "a gateway takes routes of the namespaces that have its labels": {
    resources:
      gateway(
        "- { name: http, port: 80, protocol: HTTP, hostname: labels.example, allowedRoutes: { namespaces: { from: Selector, selector: { matchExpressions: [{ key: tier, operator: In, values: [web] }, { key: closed, operator: DoesNotExist }, { key: kubernetes.io/metadata.name, operator: NotIn, values: [other] }] } } } }",
      ) +
      ["web", "other", "closed"].map(labelled).join("") +
      ["web", "other", "closed", "bare"]
        .map((namespace, index) =>
          route(routeTo(prefix(`/${namespace}`), `v${(index % 3) + 1}`), {
            parent: "{ name: gw, namespace: shop }",
          }).replace("namespace: shop }\nspec", `namespace: ${namespace} }\nspec`),
        )
        .join("") +
      "---\nkind: Namespace\nmetadata: { name: bare }\n",
    exchanges: [
      ["GET labels.example/web", "v1"],
      ["GET labels.example/other", 404],
      ["GET labels.example/closed", 404],
      ["GET labels.example/bare", 404],
    ],
  },
};
