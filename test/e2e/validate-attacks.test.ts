/** Requests that try to bypass the filter `validate`, or to keep it busy, at a gate in workerd. */
import type http from "node:http";
import { expect, it } from "vitest";
import { send } from "./client.ts";
import { manifest, sharedProject } from "./project.ts";

const shop = `
openapi: 3.1.0
paths:
  /nodes:
    get: { parameters: [{ in: query, name: q, schema: { type: integer } }] }
    post: { requestBody: { required: true, content: { application/json: { schema: { $ref: "#/components/schemas/Node" } } } } }
  /lists:
    post: { requestBody: { content: { application/json: { schema: { type: array, uniqueItems: true } } } } }
  /prices:
    post:
      requestBody:
        content:
          application/json:
            schema:
              type: object
              required: [constructor]
              additionalProperties: false
              properties: { constructor: { type: number, multipleOf: 0.01 } }
components:
  schemas:
    Node:
      type: object
      anyOf:
        - { properties: { child: { $ref: "#/components/schemas/Node" } } }
        - { properties: { child: { $ref: "#/components/schemas/Node" } } }
`;

const routes = (url: string) => ({
  "routes/openapi/shop.yaml": shop,
  "routes/shop.yaml": manifest(
    "shop",
    `filters: [{ body-limit: 6MiB }, { validate: openapi/shop.yaml }]
limits: { body: 8MiB }
upstreams: { it: { http: "${url}" } }
routes:
  nodes: { match: "GET,POST /nodes", to: it }
  lists: { match: POST /lists, to: it }
  prices: { match: POST /prices, to: it }
  anything:
    match: ANY /anything
    to: it
    without: [validate]
    filters: [{ validate: { body: { type: object } } }]
`,
  ),
});

interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: http.OutgoingHttpHeaders;
  readonly body?: string | Buffer;
}

const json = { "content-type": "application/json" };
const nodes = (levels: number, leaf = "{}") => `${'{"child":'.repeat(levels)}${leaf}${"}".repeat(levels)}`;

const cases: readonly (readonly [what: string, Sent, status: number, said?: string])[] = [
  ["a plain body", { headers: json, body: nodes(3) }, 200],
  ["alternatives in each other, as deep as 2^60 are many", { headers: json, body: nodes(60, "1") }, 422, "too deeply"],
  ["ten thousand levels", { headers: json, body: nodes(10_000) }, 422, "too deeply"],
  ["a key twice", { headers: json, body: '{"child":{},"child":1}' }, 400, "twice"],
  ["a key twice, once as an escape", { headers: json, body: '{"child":{},"chil\\u0064":1}' }, 400, "twice"],
  ["another charset", { headers: { "content-type": "application/json; charset=utf-7" }, body: "{}" }, 415, "UTF-8"],
  [
    "another charset, behind a good one",
    { headers: { "content-type": 'application/json; charset=utf-8; Charset="ibm037"' }, body: "{}" },
    415,
    "UTF-8",
  ],
  ["UTF-8 in its other spelling", { headers: { "content-type": "application/json;charset=UTF8" }, body: "{}" }, 200],
  ["UTF-16 in bytes", { headers: json, body: Buffer.from("{}", "utf16le") }, 400, "body-malformed"],
  ["two media types", { headers: { "content-type": "text/csv, application/json" }, body: "{}" }, 415],
  ["no media type", { body: "{}" }, 415],
  ["a compressed body", { headers: { ...json, "content-encoding": "gzip" }, body: "\u001f\u008b" }, 415],
  ["an empty body", { headers: { ...json, "content-length": 0 } }, 400, "body-missing"],
  ["an empty body in chunks", { headers: { ...json, "transfer-encoding": "chunked" } }, 400, "body-missing"],
  ["a body of spaces", { headers: json, body: "   " }, 400, "body-malformed"],
  ["HEAD, as GET", { method: "HEAD", path: "/nodes?q=x" }, 400],
  ["HEAD that holds", { method: "HEAD", path: "/nodes?q=1" }, 200],
  ["a GET with a body", { method: "GET", path: "/anything", headers: json, body: "[]" }, 422, "must be object"],
  [
    "a GET with a good body, which no gate passes on",
    { method: "GET", path: "/anything", headers: json, body: "{}" },
    400,
    "body-unexpected",
  ],
  ["a GET without one", { method: "GET", path: "/anything" }, 200],
  ["a DELETE whose body is of another kind", { method: "DELETE", path: "/anything", body: "x" }, 415],
  ["an unknown method", { method: "PROPFIND", path: "/anything", headers: json, body: "[]" }, 422, "must be object"],
  ["__proto__", { path: "/prices", headers: json, body: '{"__proto__":{"constructor":1}}' }, 422, "constructor"],
  ["what every object inherits", { path: "/prices", headers: json, body: "{}" }, 422, "constructor"],
  ["a number above all numbers", { path: "/prices", headers: json, body: '{"constructor":1e400}' }, 422, "number"],
  ["a price", { path: "/prices", headers: json, body: '{"constructor":19.99}' }, 200],
  ["half a cent", { path: "/prices", headers: json, body: '{"constructor":19.995}' }, 422, "multiple"],
  ["equal objects", { path: "/lists", headers: json, body: '[{"a":1,"b":[2]},{"b":[2],"a":1}]' }, 422, "duplicate"],
  ["other objects", { path: "/lists", headers: json, body: '[{"a":1},{"a":"1"},"a",["a"],null]' }, 200],
  [
    "five megabytes of lists that differ at their end",
    {
      path: "/lists",
      headers: json,
      body: JSON.stringify(Array.from({ length: 500 }, (_, at) => [at, ...new Array(5000).fill(0)])),
    },
    200,
  ],
];

const withService = sharedProject(routes);

it("are refused, and what is honest passes", async () => {
  const { port } = withService((request, response) => void request.resume().on("end", () => response.end()));
  for (const [what, { path = "/nodes", ...sent }, status, said = ""] of cases) {
    const answer = await send(port, { method: "POST", ...sent, path: `/shop${path}` });
    expect([what, answer.status, answer.text]).toEqual([what, status, expect.stringContaining(said)]);
  }
});
