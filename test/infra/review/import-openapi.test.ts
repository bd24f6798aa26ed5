/** What an OpenAPI document becomes: read as a person would read the manifest. */
import fs from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { check } from "../../../infra/commands/authoring/check.ts";
import { importOpenApiFile } from "../../../infra/commands/review/import.ts";
import type { Gap } from "../../../infra/review/import/imported.ts";
import { writeProject } from "../../e2e/project.ts";

const shop = `
openapi: 3.1.0
info: { title: "Shop: orders", version: "1" }
servers:
  - url: https://{region}.shop.example/v1
    variables: { region: { default: eu } }
  - url: https://test.shop.example/v1
components:
  securitySchemes:
    key: { type: apiKey, in: header, name: X-Shop-Key }
    people: { type: oauth2, flows: {} }
  parameters:
    order: { name: orderId, in: path, required: true, schema: { type: string, pattern: "^[0-9]{1,9}$" } }
security: [{ key: [] }]
paths:
  /orders:
    get: { operationId: listOrders, deprecated: true, security: [], responses: {} }
    post: { operationId: orders/create, callbacks: { paid: {} }, responses: {} }
  /orders/{orderId}:
    parameters: [{ $ref: "#/components/parameters/order" }]
    get: { responses: {} }
    trace: { responses: {} }
  /orders/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: string, pattern: "^[0-9]{1,9}$" } }]
    get: { operationId: again, responses: {} }
  /orders/{orderId}/{from}{to}:
    parameters: [{ $ref: "#/components/parameters/order" }]
    get: { operationId: listOrders, security: [{ people: [] }], responses: {} }
  /files/{path}:
    servers: [{ url: "https://files.shop.example" }]
    get:
      operationId: file
      parameters: [{ name: path, in: path, required: true, x-multi-segment: true, schema: { type: string } }]
      responses: {}
  /bad;path: { get: { responses: {} } }
webhooks: { paid: { post: { responses: {} } } }
`;

const environments = { "routes/environments/local.yaml": 'kv: { consumers: "00000000000000000000000000000001" }\n' };

it("a route for each operation, and a line for whatever has no equivalent", () => {
  const root = writeProject({ ...environments, "shop.yaml": shop });
  const file = path.join(root, "shop.yaml");
  const { exitCode, text, data } = importOpenApiFile(file, { root, host: "api.acme.example" });
  expect(fs.readFileSync(path.join(root, "routes/shop.yaml"), "utf8")).toBe(`\
# yaml-language-server: $schema=./manifest.schema.json
# Imported from an OpenAPI 3.1.0 document.
# What has no equivalent here:
#   security people: left out: no filter checks oauth2 for the one operation that needs it; give the tier the filter jwt, with issuer and audience
#   servers: the first of 2 is the upstream
#   servers: {region} is taken for its default, "eu"
#   webhooks: calls of the service's own do not come by here (1)
#   POST /orders: callbacks are calls of the service's own; they do not come by here
#   TRACE /orders/{orderId}: left out: no gateway passes TRACE on
#   GET /orders/{id}: left out: the route get-orders-order-id takes its requests; no match tells the two apart
#   GET /orders/{orderId}/{from}{to}: {from}{to} is read as one segment with any value
#   GET /bad;path: left out: no match can express this path: "bad;path" has a character that no matched path can have
api: postern/v1
tier: shop
summary: "Shop: orders"

hosts: [api.acme.example]
base: /v1

filters:
  - api-key: { header: x-shop-key }
  - body-limit: 1MiB
  - validate: { openapi: openapi/shop.yaml }

upstreams:
  eu: { http: "https://eu.shop.example" }
  files: { http: "https://files.shop.example" }

routes:
  list-orders:
    match: GET /orders
    to: eu
    without: [api-key]
    deprecated: {}
  orders-create:
    match: POST /orders
    to: eu
  get-orders-order-id:
    match: GET /orders/{order-id:[0-9]{1,9}}
    to: eu
  list-orders-2:
    match: GET /orders/{order-id:[0-9]{1,9}}/{from-to}
    to: eu
  file:
    match: GET /files/{path*}
    to: files
    path: /files/{path.path}
`);
  expect(text).toContain(
    "wrote routes/shop.yaml\nwrote routes/openapi/shop.yaml\nno equivalent  security people: left out:",
  );
  expect(text).toMatch(/\n5 routes; 9 things without an equivalent, all of them with --json\n$/);
  // It holds as it stands, and does not say all that the document says.
  expect([exitCode, data]).toEqual([1, expect.objectContaining({ leftOut: true, problems: [] })]);
  expect(importOpenApiFile(file, { root, host: "api.acme.example", acceptGaps: true }).exitCode).toBe(0);
});

it("what only behaves differently, or never passes a gateway, is listed and fails nothing", () => {
  const whole = shop
    .replace(", security: [{ people: [] }]", "")
    .replace("    trace: { responses: {} }\n", "")
    .replace(/ {2}\/orders\/\{id\}:\n.*\n.*\n/, "")
    .replace(/.*\/bad;path.*\n/, "");
  const root = writeProject({ ...environments, "shop.yaml": whole });
  const { exitCode, data } = importOpenApiFile(path.join(root, "shop.yaml"), { root, host: "api.acme.example" });
  const { gaps } = data as { readonly gaps: readonly Gap[] };
  expect([exitCode, gaps.map(({ kind, where }) => [kind, where])]).toEqual([
    0,
    [
      ["otherwise", "servers"],
      ["otherwise", "servers"],
      ["otherwise", "webhooks"],
      ["otherwise", "POST /orders"],
      ["otherwise", "GET /orders/{orderId}/{from}{to}"],
    ],
  ]);
});

it("does not overwrite existing files without --force", () => {
  const root = writeProject({ ...environments, "shop.yaml": shop });
  const options = { root, host: "api.acme.example" };
  importOpenApiFile(path.join(root, "shop.yaml"), options);
  expect(importOpenApiFile(path.join(root, "shop.yaml"), options).text).toContain("nothing to write");
  fs.appendFileSync(path.join(root, "routes/shop.yaml"), "owner: me\n");
  expect(() => importOpenApiFile(path.join(root, "shop.yaml"), options)).toThrow(
    "routes/shop.yaml would be replaced; --force",
  );
  importOpenApiFile(path.join(root, "shop.yaml"), { ...options, force: true });
  expect(fs.readFileSync(path.join(root, "routes/shop.yaml"), "utf8")).not.toContain("owner");
});

it.each([
  ["swagger: '2.0'\n", "shop.yaml is a Swagger 2.0 document"],
  ["openapi: 4.0.0\n", "is an OpenAPI 4.0.0 document"],
  ["{ not json", "cannot be read"],
  ["openapi: 3.0.0\npaths: {}\n", "names no server by a whole URL; say where the service is: --upstream"],
  [shop, "the service would be behind eu.shop.example and at eu.shop.example"],
])("says why it cannot: %#", (text, said) => {
  const root = writeProject({ ...environments, "shop.yaml": text });
  expect(() => importOpenApiFile(path.join(root, "shop.yaml"), { root })).toThrow(said);
  expect(fs.existsSync(path.join(root, "routes/shop.yaml"))).toBe(false);
});

it("a host that is a variable of the environment is written as one", () => {
  const root = writeProject({
    "routes/environments/local.yaml": "values: { api-host: localhost }\n",
    "shop.yaml": plain,
  });
  const { data } = importOpenApiFile(path.join(root, "shop.yaml"), { root, host: `$${"{"}api-host}` });
  expect(data).toMatchObject({ problems: [] });
  expect(fs.readFileSync(path.join(root, "routes/shop.yaml"), "utf8")).toContain(`hosts: ["$${"{"}api-host}"]`);
});

const plain = `
openapi: 3.1.0
info: { title: Shop, version: "1" }
servers: [{ url: https://shop.internal }]
paths: { /orders: { get: { operationId: list, responses: {} } } }
`;

it("a slash at the end of a path is a slash at the end of a match, and segments of text and parameters stay apart", () => {
  const root = writeProject({
    "flows.yaml": `openapi: 3.1.0
info: { title: Flows, version: "1" }
servers: [{ url: "https://flows.example/api" }]
paths:
  /: { get: { responses: {} } }
  /flows/: { get: { responses: {} }, post: { responses: {} } }
  /flows/{id}:cancel:
    parameters: [{ name: id, in: path, required: true, schema: { type: string, pattern: "^[0-9]+$" } }]
    post: { responses: {} }
  /reports/{reportName}.{format}:
    parameters:
      - { name: reportName, in: path, required: true, schema: { type: string } }
      - { name: format, in: path, required: true, schema: { type: string, enum: [csv, json] } }
    get: { responses: {} }
`,
  });
  const { data } = importOpenApiFile(path.join(root, "flows.yaml"), { root, host: "api.acme.example" });
  expect((data as { gaps: readonly Gap[] }).gaps).toEqual([]);
  const text = fs.readFileSync(path.join(root, "routes/flows.yaml"), "utf8");
  expect([...text.matchAll(/match: "?([A-Z]+ [^"\n]+)/g)].map(([, match]) => match)).toEqual([
    "GET /{$}",
    "GET /flows/",
    "POST /flows/",
    "POST /flows/{id:[0-9]+}:cancel",
    "GET /reports/{report-name}.{format}",
  ]);
});

it("a base that the service does not know is stripped once, not by a path of each route", () => {
  const document = shop.replace("https://{region}.shop.example/v1", "https://shop.example");
  const root = writeProject({ ...environments, "shop.yaml": document });
  const options = { root, host: "api.acme.example", base: "/shop/v1", upstream: "https://shop.internal" };
  importOpenApiFile(path.join(root, "shop.yaml"), options);
  const text = fs.readFileSync(path.join(root, "routes/shop.yaml"), "utf8");
  expect(text).toContain("base: { path: /shop/v1, strip: true }\n");
  expect(text).not.toMatch(/^ {4}path:/m);
  expect(check({ root }).data).toMatchObject({ problems: [] });
});
