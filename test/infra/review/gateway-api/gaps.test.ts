/** What an import lists: nothing of the cluster's is dropped without a word, and what cannot be said refuses its requests. */
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { importGatewayApiFiles } from "../../../../infra/commands/review/import.ts";
import { compile } from "../../../../infra/compiler/compile.ts";
import { codeRoot } from "../../../../infra/project/generated-files.ts";
import { importGatewayApi } from "../../../../infra/review/import/gateway-api/import.ts";
import { gapLines, isIncomplete } from "../../../../infra/review/import/imported.ts";
import { writeProject } from "../../../e2e/project.ts";

const route = (rule: string, more = "") => `kind: HTTPRoute
metadata: { name: it, namespace: shop }
spec:
  hostnames: [shop.example]
  ${more}
  rules:
  - ${rule}
`;
const to = "backendRefs: [{ name: v1, port: 80 }]";
const header = (value: string) => `matches: [{ headers: [{ name: x, type: RegularExpression, value: '${value}' }] }]`;
const path_ = (value: string, type = "RegularExpression") =>
  `matches: [{ path: { type: ${type}, value: '${value}' } }]`;
const from = (text: string) => importGatewayApi([{ file: "shop.yaml", text }], {});

describe.each<[string, string, number, RegExp]>([
  ["retries", route(`{ ${to}, retry: { attempts: 3 } }`), 7, /retry has no equivalent/],
  ["sessions", route(`{ ${to}, sessionPersistence: {} }`), 7, /sessionPersistence has no equivalent/],
  ["a method that no service gets", route(`{ matches: [{ method: TRACE }], ${to} }`), 7, /no TRACE/],
  ["a pattern with groups", route(`{ ${header("(a|b)")}, ${to} }`), 7, /no groups/],
  ["a pattern over segments", route(`{ ${path_("/a.*b")}, ${to} }`), 7, /may match a \//],
  ["a path with a brace", route(`{ ${path_("/{id}", "PathPrefix")}, ${to} }`), 7, /brace/],
  ["an extension", route(`{ filters: [{ type: ExtensionRef, extensionRef: {} }], ${to} }`), 7, /type ExtensionRef/],
  [
    "external authorization",
    route(`{ filters: [{ type: ExternalAuth, externalAuth: {} }], ${to} }`),
    7,
    /externalAuth/,
  ],
  [
    "a header of the gateway's",
    route(
      `{ filters: [{ type: RequestHeaderModifier, requestHeaderModifier: { set: [{ name: Host, value: a }] } }], ${to} }`,
    ),
    7,
    /belongs to the gateway/,
  ],
  [
    "a value that reads as a reference",
    route(
      `{ filters: [{ type: RequestHeaderModifier, requestHeaderModifier: { set: [{ name: a, value: '{x}' }] } }], ${to} }`,
    ),
    7,
    /brace/,
  ],
  [
    "a rewrite for one backend of two",
    route(
      `{ backendRefs: [{ name: v1, port: 80 }, { name: v2, port: 80, filters: [{ type: URLRewrite, urlRewrite: {} }] }] }`,
    ),
    7,
    /URLRewrite of one backend/,
  ],
  [
    "a kind of another gateway's",
    `${route(`{ ${to} }`)}---\nkind: TCPRoute\nmetadata: { name: x }\n`,
    9,
    /TCPRoute is not read/,
  ],
  ["a mesh's route", route(`{ ${to} }`, "parentRefs: [{ kind: Service, name: v1 }]"), 5, /within the cluster/],
  ["a set of listeners", route(`{ ${to} }`, "parentRefs: [{ kind: ListenerSet, name: v1 }]"), 5, /ListenerSet has no/],
  [
    "a port that no listener has",
    `${route(`{ ${to} }`, "parentRefs: [{ name: gw, port: 81 }]")}---\nkind: Gateway\nmetadata: { name: gw, namespace: shop }\nspec: { listeners: [{ name: http, port: 80, protocol: HTTP }] }\n`,
    5,
    /no listener takes this route/,
  ],
  [
    "a listener for other kinds",
    `${route(`{ ${to} }`, "parentRefs: [{ name: gw }]")}---\nkind: Gateway\nmetadata: { name: gw, namespace: shop }\nspec: { listeners: [{ name: http, port: 80, protocol: HTTP, allowedRoutes: { kinds: [{ kind: GRPCRoute }] } }] }\n`,
    5,
    /no listener takes this route/,
  ],
  ["a shape that is none", route("{ matches: 7 }"), 7, /all of it is left out/],
  [
    "two routes for one request",
    `${route(`{ ${to} }`)}---\n${route(`{ ${to} }`).replace("name: it", "name: other")}`,
    15,
    /shop\/it takes the same requests/,
  ],
])("%s", (_, text, line, says) => {
  it("is listed with its line, and in the manifest's head if there is one", () => {
    const { files, gaps } = from(text);
    expect(isIncomplete(gaps)).toBe(true);
    const gap = gaps.find(({ what }) => says.test(what));
    expect(gap?.where).toMatch(new RegExp(`^shop.yaml:${line} `));
    expect(gap?.kind).toBe("left-out");
    const [file] = files;
    if (file && gap?.where.includes("HTTPRoute"))
      expect(file.text.replaceAll(/\n#\s+/g, " ")).toContain(gap.what.slice(0, 40));
  });
});

const gateway = (listeners: string, name = "gw") =>
  `---\nkind: Gateway\nmetadata: { name: ${name}, namespace: shop }\nspec: { listeners: [${listeners}] }\n`;
const at = (more: string) => `parentRefs: [{ ${more} }]`;

describe.each<[string, string, RegExp]>([
  [
    "a hostname that is rewritten",
    route(`{ filters: [{ type: URLRewrite, urlRewrite: { hostname: one.example } }], ${to} }`),
    /x-forwarded-host/,
  ],
  [
    "a service that speaks h2c",
    `${route(`{ ${to} }`)}---\nkind: Service\nmetadata: { name: v1, namespace: shop }\nspec: { ports: [{ port: 80, appProtocol: kubernetes.io/h2c }] }\n`,
    /uses h2c; the gate calls it by HTTP\/1\.1/,
  ],
  [
    "a port that is the only one",
    route(`{ ${to} }`, at("name: gw")) + gateway("{ name: http, port: 8000, protocol: HTTP }"),
    /8000 of the listener http is not a condition/,
  ],
  [
    "a port that the platform has not",
    route(`{ ${to} }`, at("name: gw, port: 8090")) +
      gateway("{ name: http, port: 80, protocol: HTTP }, { name: odd, port: 8090, protocol: HTTP }"),
    /8090 of the listener odd is not a port of the platform, which has 80, 8080/,
  ],
  ["a gateway that is not here", route(`{ ${to} }`, at("name: gw")), /shop\/gw is not here/],
])("%s", (_, text, says) => {
  it("is listed as what behaves otherwise, and serves", () => {
    const { gaps, routes } = from(text);
    expect(gaps.map(({ kind }) => kind)).toEqual(["otherwise"]);
    expect(gaps[0]?.what).toMatch(says);
    expect(routes).toBe(1);
  });
});

it("of several gateways with addresses of their own, one can be selected", () => {
  const listener = "{ name: http, port: 80, protocol: HTTP }";
  const text = [
    route(`{ ${to} }`, at("name: one")).replace("it,", "first,"),
    route(`{ ${to.replace("v1", "v2")} }`, at("name: two")).replace("it,", "second,"),
    "",
  ].join("---\n");
  const resources = text + gateway(listener, "one").slice(4) + gateway(listener, "two");
  const imported = (gateway?: string) => importGatewayApi([{ file: "shop.yaml", text: resources }], { gateway });
  expect(imported().gaps[0]?.what).toMatch(/shop\/first takes the same requests/);
  for (const [gateway, service] of [
    ["one", "v1"],
    ["shop/two", "v2"],
  ]) {
    const { gaps, values } = imported(gateway);
    expect([gaps, Object.keys(values)]).toEqual([[], [`service-shop-${service}-80`]]);
  }
  expect(() => imported("three")).toThrow("there is no Gateway three; there are: shop/one, shop/two");
});

it("services with long names have variables of their own, which an environment can name", () => {
  const far = "a-namespace-with-quite-a-long-name-of-its-own";
  const backend = (name: string, port: number) => `backendRefs: [{ name: ${name}, namespace: ${far}, port: ${port} }]`;
  const grant = `---\nkind: ReferenceGrant\nmetadata: { name: g, namespace: ${far} }\nspec: { from: [{ group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: shop }], to: [{ group: "", kind: Service }] }\n`;
  const rules = [
    `{ ${path_("/a", "Exact")}, ${backend("orders-of-the-whole-company-v1", 80)} }`,
    `{ ${path_("/b", "Exact")}, ${backend("orders-of-the-whole-company-v2", 80)} }`,
    `{ ${path_("/c", "Exact")}, ${backend("orders-of-the-whole-company-v2", 81)} }`,
  ].join("\n  - ");
  const { files, gaps, values } = from(route(rules) + grant);
  const names = Object.keys(values);
  expect([gaps, names.length]).toEqual([[], 3]);
  for (const name of names) expect(name).toMatch(/^service-orders-of-the-whole-[a-z0-9-]*-8[01]-[0-9a-f]{8}$/);
  const root = writeProject({
    "routes/environments/local.yaml": `values: { ${names.map((it) => `${it}: "https://${it.slice(-8)}.example"`).join(", ")} }\n`,
    ...Object.fromEntries(files.map((it) => [it.file, it.text])),
  });
  expect(compile(root, "local").problems).toEqual([]);
});

it("a rule's own name is its route's", () => {
  const { files } = from(route(`{ name: Cancel-Order, ${to} }`));
  expect(files[0]?.text).toMatch(/^ {2}it-cancel-order:$/m);
});

it("a filter that cannot be said refuses its requests, and a match that cannot is no route", () => {
  const filter = from(route(`{ filters: [{ type: ExtensionRef, extensionRef: {} }], ${to} }`));
  expect(filter.files[0]?.text).toContain("respond: { status: 500 }");
  expect(filter.files[0]?.text).not.toContain("to: v1");
  expect(from(route(`{ matches: [{ method: TRACE }], ${to} }`)).routes).toBe(0);
});

it("a configuration without gaps leaves none out, and says which values it needs", () => {
  const { gaps, values } = from(route(`{ ${to} }`));
  expect([gaps, Object.keys(values)]).toEqual([[], ["service-shop-v1-80"]]);
});

it("the verb writes manifests that hold, lists what it left out, and replaces nothing by itself", () => {
  const root = writeProject({
    "k8s/a.yaml": route(`{ ${to}, retry: {} }`),
    "k8s/b.yml": route(`{ ${to} }`).replaceAll("it,", "b,").replace("shop.example", "b.example"),
  });
  const options = { root, serviceUrl: "https://{name}.{namespace}.acme.example:{port}" };
  const { exitCode, text, data } = importGatewayApiFiles(path.join(root, "k8s"), options);
  expect(exitCode).toBe(1);
  expect(text).toContain("wrote routes/b-example.yaml\nwrote routes/shop-example.yaml\n");
  expect(text).toMatch(/k8s\/a\.yaml:7 HTTPRoute shop\/it: left out: retry has no equivalent/);
  expect(data).toMatchObject({ routes: 2, leftOut: true, problems: [], values: {} });
  expect(compile(root, "local").problems).toEqual([]);
  expect(fs.readFileSync(path.join(root, "routes/b-example.yaml"), "utf8")).toContain(
    "https://v1.shop.acme.example:80",
  );
  fs.appendFileSync(path.join(root, "routes/b-example.yaml"), "# mine\n");
  expect(() => importGatewayApiFiles(path.join(root, "k8s"), options)).toThrow(
    /routes\/b-example.yaml would be replaced; --force/,
  );
  expect(importGatewayApiFiles(path.join(root, "k8s/b.yml"), { ...options, force: true }).exitCode).toBe(0);
  expect(importGatewayApiFiles(path.join(root, "k8s"), { ...options, force: true, acceptGaps: true }).exitCode).toBe(0);
});

it("counts unrelated resources by kind, without a gap", () => {
  const root = writeProject({
    "k8s/a.yaml": `${route(`{ ${to} }`)}---\napiVersion: apps/v1\nkind: Deployment\n---\napiVersion: v1\nkind: Secret\n---\napiVersion: v1\nkind: Secret\n`,
    "k8s/b.yaml": "{{ if }}\nkind: Job\n",
  });
  const { exitCode, text, data } = importGatewayApiFiles(path.join(root, "k8s"), {
    root,
    serviceUrl: "https://{name}.example",
  });
  expect(exitCode).toBe(0);
  expect(text).toContain("not read, since it is no part of a gateway: 1 Deployment.apps, 2 Secret, 1 no YAML\n");
  expect(data).toMatchObject({ leftOut: false, gaps: [], others: { "Deployment.apps": 1, Secret: 2, "no YAML": 1 } });
});

it("reports invalid YAML and a source without a route, with the line", () => {
  expect(() => from("a: [")).toThrow(/^shop\.yaml:1 /);
  expect(() => from("kind: Service\nmetadata: { name: a }\nspec: {}\n")).toThrow(/no HTTPRoute in shop.yaml/);
  expect(() => importGatewayApiFiles("/nowhere", { root: "/" })).toThrow(/no file or folder/);
});

it("the page shows a real run", () => {
  const page = fs.readFileSync(path.join(codeRoot, "docs/gateway-api.md"), "utf8");
  const [resources = "", manifest] = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, yaml = ""]) => yaml);
  const given = [{ file: "k8s/shop.yaml", text: resources }];
  const { files, gaps } = importGatewayApi(given, { serviceUrl: "https://{name}.{namespace}.acme.example" });
  expect(files.map(({ text }) => text)).toEqual([manifest]);
  for (const line of gapLines(gaps)) expect(page).toContain(`no equivalent  ${line}\n`);
});
