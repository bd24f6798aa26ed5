/** Requests that an OpenAPI document allows and does not allow, at a gate in workerd. */
import fs from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { manifest, runProject, runService } from "./project.ts";

const old = `
openapi: 3.0.3
paths:
  /orders:
    get:
      parameters:
        - { in: query, name: limit, required: true, schema: { type: integer, minimum: 0, exclusiveMinimum: true, maximum: 100 } }
        - { in: query, name: state, schema: { type: array, items: { type: string, enum: [open, paid] } } }
        - { in: query, name: ids, explode: false, schema: { type: array, maxItems: 2, items: { type: integer } } }
        - { in: query, name: filter, style: deepObject, schema: { type: object, additionalProperties: false, properties: { min: { type: number } } } }
        - { in: query, name: where, content: { application/json: { schema: { type: object, required: [a] } } } }
        - { in: query, name: gift, schema: { type: boolean } }
        - { in: header, name: x-shop, schema: { type: string, pattern: "^[a-z]{2}$" } }
        - { in: cookie, name: lang, schema: { type: string, maxLength: 2 } }
    post:
      requestBody:
        required: true
        content:
          application/json: { schema: { $ref: "#/components/schemas/Order" } }
          text/csv: {}
  /orders/{order-id}:
    parameters: [{ in: path, name: order-id, required: true, schema: { type: integer } }]
    get: {}
    patch: { requestBody: { content: { application/merge-patch+json: { schema: { type: object, maxProperties: 1 } } } } }
components:
  schemas:
    Order:
      type: object
      required: [id, to, lines]
      additionalProperties: false
      properties:
        id: { type: integer, readOnly: true }
        to: { type: string, nullable: true, format: email }
        lines: { type: array, maxItems: 3, items: { $ref: "#/components/schemas/Line" } }
    Line:
      type: object
      required: [sku]
      properties:
        sku: { type: string, maxLength: 8 }
        parts: { type: array, items: { $ref: "#/components/schemas/Line" } }
`;

const shop = (url: string) => ({
  "routes/openapi/shop.yaml": old,
  "routes/shop.yaml": manifest(
    "shop",
    `filters: [{ body-limit: 1MiB }, { validate: openapi/shop.yaml }]
upstreams: { it: { http: "${url}" } }
routes:
  list: { match: GET /orders, to: it }
  create: { match: POST /orders, to: it }
  order: { match: "GET,PATCH /orders/{id}", to: it }
  trial: { match: POST /trial, to: it, without: [validate], filters: [{ validate: { openapi: openapi/shop.yaml, operation: none }, mode: "off" }] }
`,
  ),
});

const echo = () =>
  runService((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => response.end(`${request.method} ${request.url} ${Buffer.concat(chunks)}`));
  });

const json = (body: string): RequestInit => ({
  method: "POST",
  body,
  headers: { "content-type": "application/json; charset=utf-8" },
});
const order = { to: "ann@acme.example", lines: [{ sku: "a" }] };
const nested = (levels: number) =>
  `{"to":null,"lines":[${'{"sku":"a","parts":['.repeat(levels)}${"]}".repeat(levels)}]}`;

type Case = readonly [line: string, init: RequestInit, status: number, said?: object | string];
const cases: readonly Case[] = [
  ["/orders?limit=5", {}, 200],
  ["/orders?limit=5", { method: "HEAD" }, 200],
  ["/orders?limit=5", { method: "OPTIONS" }, 204],
  ["/orders", {}, 400, { in: "query", name: "limit", detail: "is required" }],
  ["/orders?limit=0", {}, 400, { in: "query", name: "limit", detail: "must be > 0" }],
  ["/orders?limit=0x10", {}, 400, { in: "query", name: "limit", detail: "must be integer" }],
  ["/orders?limit=5&limit=6", {}, 400, { in: "query", name: "limit", detail: "must not be sent more than once" }],
  ["/orders?limit=5&state=open&state=paid", {}, 200],
  [
    "/orders?limit=5&state=open&state=secret",
    {},
    400,
    { pointer: "/1", detail: "must be equal to one of the allowed values" },
  ],
  ["/orders?limit=5&ids=1,2", {}, 200],
  ["/orders?limit=5&ids=1,2,3", {}, 400, { name: "ids", detail: "must NOT have more than 2 items" }],
  ["/orders?limit=5&filter[min]=1.5", {}, 200],
  ["/orders?limit=5&filter[max]=1", {}, 400, { name: "filter", detail: "must NOT have additional properties" }],
  ["/orders?limit=5&where=%7B%22a%22:1%7D", {}, 200],
  ["/orders?limit=5&where=a", {}, 400, { name: "where", detail: "is not valid JSON" }],
  ["/orders?limit=5&gift=yes", {}, 400, { name: "gift", detail: "must be boolean" }],
  ["/orders?limit=5", { headers: { "x-shop": "eu", cookie: "lang=de" } }, 200],
  ["/orders?limit=5", { headers: { "x-shop": "EU" } }, 400, { in: "header", name: "x-shop" }],
  ["/orders?limit=5", { headers: { cookie: "lang=deu" } }, 400, { in: "cookie", name: "lang" }],
  ["/orders/7", {}, 200],
  ["/orders/seven", {}, 400, { in: "path", name: "order-id", detail: "must be integer" }],
  ["/orders", json(JSON.stringify(order)), 200],
  ["/orders", json('{"to":null,"lines":[]}'), 200],
  ["/orders", json('{"to":"nobody","lines":[]}'), 422, { pointer: "#/to", detail: 'must match format "email"' }],
  ["/orders", json('{"to":null}'), 422, { pointer: "#", detail: "must have required property 'lines'" }],
  [
    "/orders",
    json('{"to":null,"lines":[{"sku":"a"},{"sku":7}]}'),
    422,
    { pointer: "#/lines/1/sku", detail: "must be string" },
  ],
  ["/orders", json(nested(500)), 200],
  // As deep as a stack is not.
  ["/orders", json(nested(40_000)), 422, { pointer: "#", detail: "is nested too deeply" }],
  ["/orders", json("{"), 400, "body-malformed"],
  ["/orders", json("\u0000"), 400, "body-malformed"],
  [
    "/orders",
    { method: "POST", body: new Uint8Array([0x22, 0xff, 0x22]), headers: { "content-type": "application/json" } },
    400,
    "body-malformed",
  ],
  ["/orders", { method: "POST" }, 400, "body-missing"],
  ["/orders", { method: "POST", body: "a,b", headers: { "content-type": "text/csv" } }, 200],
  [
    "/orders",
    { method: "POST", body: "<a/>", headers: { "content-type": "text/xml" } },
    415,
    "content-type-unsupported",
  ],
  ["/orders/7", { method: "PATCH" }, 200],
  [
    "/orders/7",
    { method: "PATCH", body: '{"a":1,"b":2}', headers: { "content-type": "application/merge-patch+json" } },
    422,
  ],
  ["/trial", json("{"), 200],
];

it("lets pass what the document allows, whole, and says of the rest what is wrong with it", async () => {
  const { url, root } = await runProject(shop((await echo()).url));
  for (const [line, init, status, said] of cases) {
    const response = await fetch(`${url}/shop${line}`, init);
    const text = await response.text();
    const where = `${init.method ?? "GET"} ${line} ${String(init.body ?? "").slice(0, 40)}`;
    expect([where, response.status, response.status >= 400 ? text : ""]).toEqual([where, status, expect.any(String)]);
    if (status === 200 && init.method !== "HEAD")
      expect(text).toBe(`${init.method ?? "GET"} /shop${line} ${init.body ?? ""}`);
    if (typeof said === "string") expect([where, JSON.parse(text).code]).toEqual([where, said]);
    else if (said) expect([where, JSON.parse(text).errors]).toEqual([where, [expect.objectContaining(said)]]);
    // What was sent may be a secret.
    expect(status < 400 || !/secret|nobody|seven|0x10/.test(text)).toBe(true);
  }
  const code = fs.readFileSync(path.join(root, ".build/local/gates/shop/validators.js"), "utf8");
  expect(code).not.toMatch(/\beval\(|\bnew Function\b|\bFunction\(/);
});
