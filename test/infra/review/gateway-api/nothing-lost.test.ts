/** Whatever a route holds, each of its matches is a route of a manifest or is listed, and `check` takes all that is written. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { compile } from "../../../../infra/compiler/compile.ts";
import { importGatewayApi } from "../../../../infra/review/import/gateway-api/import.ts";
import { parseResources } from "../../../../infra/review/import/gateway-api/resources/documents.ts";
import { full } from "../../../full.ts";

const oneOf = <T>(...values: readonly T[]) => fc.constantFrom(...values);
const some = <T>(it: fc.Arbitrary<T>, maxLength: number) => fc.array(it, { maxLength });
/** Without a key now and then. */
const record = <T extends Record<string, fc.Arbitrary<unknown>>>(model: T) => fc.record(model, { requiredKeys: [] });

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: what people write into their files
const hosts = oneOf(
  ...["a.example", "A.Example", "b.example", "*.example", "*.c.example", "*.b.c.example", "x.b.c.example"],
  ...[
    "xn--bcher-kva.example",
    "${DOMAIN}",
    "app.${DOMAIN}",
    "192.0.2.1",
    "a.example:80",
    "",
    "*",
    "shared",
    "a_b.example",
  ],
);
const paths = oneOf(
  ...["/", "/a", "/a/", "/a/b", "/a//b", "foo", "", "/{id}", "/a%20b", "/%2f", "/ä", "/a?b", "/..", "/a;b=c", "/*"],
  ...["/a.*", "/v[0-9]+/.*", "/(a|b)", "^/a$", "/[", "/a{2}", "/.*/b", `/${"a".repeat(1100)}`],
);
const values = oneOf("1", "", "present", "{x}", "${x}", "a b", "[a-z]+", "(a|b)", ".*");
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: what people write into their files
const names = oneOf("x-a", "X-B", "a b", "", "host", "content-length", "ä", "n".repeat(70));
const comparison = fc.record(
  { name: names, value: values, type: oneOf("Exact", "RegularExpression"), invert: oneOf(true) },
  { requiredKeys: ["name", "value"] },
);
const match = record({
  path: record({ type: oneOf("Exact", "PathPrefix", "RegularExpression"), value: paths }),
  method: oneOf("GET", "POST", "TRACE", "get"),
  headers: some(comparison, 2),
  queryParams: some(comparison, 2),
});
// biome-ignore-start lint/suspicious/noTemplateCurlyInString: of Flux
const backend = fc.record(
  {
    name: oneOf("v1", "V1", "9-lives", "no-backend", "a.b", "${APP}", "n".repeat(60)),
    port: oneOf(80, 81),
    kind: oneOf("Service", "Bucket"),
    group: oneOf("", "example.com"),
    namespace: oneOf("shop", "far"),
    weight: oneOf(0, 1, 1_000_000),
  },
  { requiredKeys: ["name"] },
);
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: of Flux
const pathChange = oneOf(
  { type: "ReplaceFullPath", replaceFullPath: "/x" },
  { type: "ReplacePrefixMatch", replacePrefixMatch: "/" },
  { type: "ReplaceFullPath", replaceFullPath: "{x}" },
  { type: "ReplacePrefixMatch", replacePrefixMatch: "/{x}" },
);
const headerList = record({
  set: some(fc.record({ name: names, value: values }), 2),
  remove: some(names, 1),
});
const filter = fc.oneof(
  fc.record({ type: oneOf("RequestHeaderModifier"), requestHeaderModifier: headerList }),
  fc.record({ type: oneOf("ResponseHeaderModifier"), responseHeaderModifier: headerList }),
  fc.record({
    type: oneOf("RequestRedirect"),
    requestRedirect: record({
      scheme: oneOf("http", "https"),
      hostname: hosts,
      port: oneOf(443, 8443),
      path: pathChange,
      statusCode: oneOf(301, 308),
    }),
  }),
  fc.record({ type: oneOf("URLRewrite"), urlRewrite: record({ hostname: hosts, path: pathChange, more: oneOf(1) }) }),
  fc.record({ type: oneOf("RequestMirror"), requestMirror: fc.record({ backendRef: backend }) }),
  fc.record({
    type: oneOf("CORS"),
    cors: record({
      allowOrigins: some(oneOf("*", "https://a.example", "https://*.a.example", "a", "null"), 2),
      allowMethods: some(oneOf("*", "GET", "get", "TRACE"), 2),
      allowHeaders: some(names, 2),
      exposeHeaders: some(oneOf("*", "x-a", "X-B"), 2),
      allowCredentials: oneOf(true),
      maxAge: oneOf(0, 1, 100_000_000),
    }),
  }),
  fc.record({ type: oneOf("ExtensionRef", "New") }),
);
const rule = record({
  name: oneOf("One", "a.b", "1"),
  matches: fc.array(match, { minLength: 1, maxLength: 3 }),
  filters: some(filter, 2),
  backendRefs: some(backend, 3),
  timeouts: record({ request: oneOf("1s", "0s", "soon", "99999h"), backendRequest: oneOf("500ms", "-1s") }),
  retry: oneOf({ attempts: 1 }),
});
const parent = fc.record(
  {
    name: oneOf("gw", "gone"),
    sectionName: oneOf("http", "https", "lost"),
    kind: oneOf("Gateway", "Service", "ListenerSet"),
    group: oneOf("gateway.networking.k8s.io", "example.com"),
    port: oneOf(80, 443, 8080),
  },
  { requiredKeys: ["name"] },
);
const route = fc.record({
  apiVersion: oneOf("gateway.networking.k8s.io/v1"),
  kind: oneOf("HTTPRoute"),
  metadata: fc.record({ name: oneOf("one", "2.two", "2-two", "t".repeat(80)), namespace: oneOf("shop", "far") }),
  spec: record({
    parentRefs: some(parent, 2),
    hostnames: some(hosts, 3),
    rules: fc.array(rule, { minLength: 1, maxLength: 3 }),
  }),
});

const gateway = {
  apiVersion: "gateway.networking.k8s.io/v1",
  kind: "Gateway",
  metadata: { name: "gw", namespace: "shop" },
  spec: {
    gatewayClassName: "any",
    listeners: [
      { name: "http", port: 80, protocol: "HTTP", allowedRoutes: { namespaces: { from: "All" } } },
      { name: "https", port: 443, protocol: "HTTPS", hostname: "*.example" },
    ],
  },
};

/** Lines of the document at which something has to be said of each match, or of what holds it. */
const problemsOf = (items: readonly object[]): string[] => {
  const text = JSON.stringify({ apiVersion: "v1", kind: "List", items: [gateway, ...items] }, null, 1);
  const given = { file: "it.json", text };
  const { files, gaps, values: needed } = importGatewayApi([given], { host: ["rest.example"] });
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "postern-"));
  try {
    const sample = Object.keys(needed).map((name) => [
      name,
      name.startsWith("service-") ? `https://${name}.example` : `${name}.example`,
    ]);
    const environment = JSON.stringify({ values: Object.fromEntries(sample) });
    for (const it of [{ file: "routes/environments/local.yaml", text: environment }, ...files]) {
      fs.mkdirSync(path.dirname(path.join(root, it.file)), { recursive: true });
      fs.writeFileSync(path.join(root, it.file), it.text);
    }
    const refused = compile(root, "local").problems.map((it) => `${it.code}: ${it.message} (${it.file}:${it.line})`);
    return [...refused, ...lost(given, files, gaps)];
  } finally {
    fs.rmSync(root, { recursive: true, force: true });
  }
};

const lost = (
  given: { file: string; text: string },
  files: readonly { text: string }[],
  gaps: readonly { kind: string; where: string }[],
): string[] => {
  const written = files.map(({ text }) => text).join("\n");
  const left = new Set(gaps.filter(({ kind }) => kind === "left-out").map(({ where }) => where));
  const routes = parseResources(given).resources.filter(({ kind }) => kind === "HTTPRoute");
  return routes.flatMap(({ value, namespace, name, line }) => {
    const {
      rules = [],
      parentRefs = [],
      hostnames = [],
    } = value.spec as {
      rules?: { matches?: object[]; filters?: object[] }[];
      parentRefs?: object[];
      hostnames?: string[];
    };
    const isLeft = (at: PropertyKey[]) => left.has(`it.json:${line(at)} HTTPRoute ${namespace}/${name}`);
    const all = [
      "kind",
      ["spec", "hostnames"],
      ...parentRefs.map((_, index) => ["spec", "parentRefs", index]),
      ...hostnames.map((_, index) => ["spec", "hostnames", index]),
    ];
    if (all.some((at) => isLeft([at].flat()))) return [];
    return rules.flatMap(({ matches }, index) =>
      (matches ?? [{}]).flatMap((match, place) => {
        const rule = ["spec", "rules", index];
        const here = matches ? [...rule, "matches", place] : rule;
        if (written.includes(`HTTPRoute ${namespace}/${name}, it.json:${line(here)}\n`)) return [];
        return [...leaves(match, here), rule].some(isLeft)
          ? []
          : [`${JSON.stringify(match)} of line ${line(here)} is lost`];
      }),
    );
  });
};

/** Paths of a value and of all that it holds. */
const leaves = (value: unknown, at: PropertyKey[]): PropertyKey[][] => [
  at,
  ...(typeof value === "object" && value !== null
    ? Object.entries(value).flatMap(([key, item]) => leaves(item, [...at, Array.isArray(value) ? Number(key) : key]))
    : []),
];

const runs = Number(process.env.POSTERN_EDITS ?? (full ? 150 : 50));

it("no match is lost, and nothing that is written is refused", () => {
  fc.assert(
    fc.property(fc.array(route, { minLength: 1, maxLength: 3 }), (items) => {
      expect(problemsOf(items)).toEqual([]);
    }),
    { numRuns: runs },
  );
}, 600_000);
