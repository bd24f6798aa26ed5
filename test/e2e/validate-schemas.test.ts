/** Requests that JSON Schemas of a manifest allow and do not allow, at a gate in workerd. */
import fs from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { manifest, runProject, runService } from "./project.ts";

const order = {
  $schema: "http://json-schema.org/draft-07/schema#",
  $id: "https://acme.example/order.json",
  type: "object",
  required: ["to", "lines"],
  additionalProperties: false,
  properties: {
    to: { type: ["string", "null"], format: "email" },
    lines: { type: "array", items: { $ref: "#/definitions/line", description: "ignored beside a reference" } },
    // A place in two numbers, as drafts before 2020-12 write it.
    at: { type: "array", items: [{ type: "number" }, { type: "number" }], additionalItems: false },
    total: { $ref: "money.yaml#/amount" },
    parts: { type: "array", items: { $ref: "#" } },
  },
  dependencies: { total: ["at"] },
  definitions: { line: { type: "object", required: ["sku"], properties: { sku: { type: "string", maxLength: 8 } } } },
};

const files = (url: string) => ({
  "routes/schemas/order.json": JSON.stringify(order, null, "\t"),
  "routes/schemas/money.yaml": "amount: { $ref: '../openapi/old.yaml#/components/schemas/Amount' }\n",
  "routes/openapi/old.yaml":
    "openapi: 3.0.3\npaths: {}\ncomponents: { schemas: { Amount: { type: number, minimum: 0, exclusiveMinimum: true, nullable: true } } }\n",
  "routes/shop.yaml": manifest(
    "shop",
    `filters: [{ body-limit: 1MiB }]
upstreams: { it: { http: "${url}" } }
routes:
  orders:
    match: ANY /orders
    to: it
    filters:
      - validate: { body: schemas/order.json }
  items:
    match: GET /items/{id}
    to: it
    filters:
      - validate:
          path: { properties: { id: { type: integer } } }
          query:
            type: object
            required: [limit]
            additionalProperties: false
            properties:
              limit: { type: integer, minimum: 1 }
              state: { type: array, items: { enum: [open, paid] } }
          header: { properties: { X-Shop: { type: string, pattern: "^[a-z]{2}$" } } }
          cookie: { properties: { lang: { type: string, maxLength: 2 } } }
  notes:
    match: POST /notes
    to: it
    filters:
      - validate: { body: { type: object, properties: { note: { type: string }, replies: { type: array, items: { $ref: "#" } } } } }
`,
  ),
});

const json = (body: string, type = "application/json"): RequestInit => ({
  method: "POST",
  body,
  headers: { "content-type": type },
});

type Case = readonly [line: string, init: RequestInit, status: number, said?: object | string];
const cases: readonly Case[] = [
  ["/orders", json('{"to":null,"lines":[{"sku":"a"}]}'), 200],
  ["/orders", json('{"to":null,"lines":[]}', "application/vnd.acme.order+json"), 200],
  ["/orders", json('{"to":null,"lines":[]}', "text/csv"), 415, "content-type-unsupported"],
  ["/orders", json('{"to":"nobody","lines":[]}'), 422, { pointer: "#/to", detail: 'must match format "email"' }],
  ["/orders", json('{"to":null,"lines":[{"sku":"123456789"}]}'), 422, { pointer: "#/lines/0/sku" }],
  ["/orders", json('{"to":null,"lines":[],"at":[1,2]}'), 200],
  ["/orders", json('{"to":null,"lines":[],"at":[1,2,3]}'), 422, { pointer: "#/at" }],
  ["/orders", json('{"to":null,"lines":[],"at":[1,2],"total":0}'), 422, { pointer: "#/total", detail: "must be > 0" }],
  ["/orders", json('{"to":null,"lines":[],"at":[1,2],"total":null}'), 200],
  ["/orders", json('{"to":null,"lines":[],"total":1}'), 422, { pointer: "#" }],
  ["/orders", json('{"to":null,"lines":[],"parts":[{"to":null}]}'), 422, { pointer: "#/parts/0" }],
  ["/orders", { method: "POST" }, 400, "body-missing"],
  ["/orders", { method: "PUT", body: "", headers: { "content-type": "application/json" } }, 400, "body-missing"],
  ["/orders", { method: "DELETE" }, 200],
  ["/orders", { ...json("{}"), method: "DELETE" }, 422, { pointer: "#" }],
  ["/orders", {}, 200],
  ["/orders", { method: "HEAD" }, 200],
  ["/orders", { method: "OPTIONS" }, 200],
  ["/items/7?limit=1", {}, 200],
  ["/items/7?limit=1", { method: "HEAD" }, 200],
  ["/items/x?limit=1", {}, 400, { in: "path", name: "id", detail: "must be integer" }],
  ["/items/7", {}, 400, { in: "query", name: "limit", detail: "is required" }],
  ["/items/7?limit=1&state=open&state=paid", {}, 200],
  ["/items/7?limit=1&state=secret", {}, 400, { name: "state" }],
  ["/items/7?limit=1&secret=1", {}, 400, { in: "query", detail: "accepts only limit, state" }],
  ["/items/7?limit=1", { headers: { "x-shop": "EU" } }, 400, { in: "header", name: "X-Shop" }],
  ["/items/7?limit=1", { headers: { cookie: "lang=deu" } }, 400, { in: "cookie", name: "lang" }],
  ["/notes", json('{"note":"a","replies":[{"note":"b"}]}'), 200],
  ["/notes", json('{"note":"a","replies":[{"note":7}]}'), 422, { pointer: "#/replies/0/note" }],
];

it("lets pass what the schemas allow, whole, and says of the rest what is wrong with it", async () => {
  const { url: upstream } = await runService((request, response) => {
    request.resume();
    request.on("end", () => response.end());
  });
  const { url, root } = await runProject(files(upstream));
  for (const [line, init, status, said] of cases) {
    const response = await fetch(`${url}/shop${line}`, init);
    const text = await response.text();
    const where = `${init.method ?? "GET"} ${line} ${String(init.body ?? "").slice(0, 60)}`;
    expect([where, response.status, text]).toEqual([where, status, expect.any(String)]);
    if (typeof said === "string") expect([where, JSON.parse(text).code]).toEqual([where, said]);
    else if (said) expect([where, JSON.parse(text).errors]).toEqual([where, [expect.objectContaining(said)]]);
    // What was sent may be a secret.
    expect(status < 400 || !/secret|nobody/.test(text)).toBe(true);
  }
  // The schemas are code by then, and the plan has only what tells another version.
  const plan = fs.readFileSync(path.join(root, ".build/local/gates/shop/plan.js"), "utf8");
  expect(plan).not.toContain("properties");
  expect(plan).toMatch(/"document":"[0-9a-f]{64}"/);
});
