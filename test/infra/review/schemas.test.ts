/** JSON Schemas of a manifest in reviews: exported, listed if unchecked, and compared by diff. */
import path from "node:path";
import { Validator } from "@seriousme/openapi-schema-validator";
import { expect, it } from "vitest";
import { effective } from "../../../infra/commands/authoring/effective.ts";
import { exportOpenApiFile as exportOpenApi } from "../../../infra/commands/review/export.ts";
import { importOpenApiFile as importOpenApi } from "../../../infra/commands/review/import.ts";
import { type JsonMap, mapOf } from "../../../infra/openapi/document.ts";
import { compareProjects } from "../../../infra/review/compare.ts";
import { plainText } from "../../../infra/review/core/sentence.ts";
import { manifest, writeProject } from "../../e2e/project.ts";

const shop = (line = "sku: { type: string, format: sku }") => ({
  "routes/schemas/order.yaml": `type: object
properties: { lines: { type: array, items: { $ref: "#/$defs/line" } } }
$defs: { line: { type: object, properties: { ${line} } } }
`,
  "routes/shop.yaml": manifest(
    "shop",
    `filters: [{ body-limit: 1MiB }]
routes:
  order:
    match: PUT /orders/{id:[0-9]{1,9}}
    respond: {}
    filters:
      - validate:
          path: { properties: { id: { type: integer } } }
          query: { required: [dry], properties: { dry: { type: boolean } } }
          body: schemas/order.yaml
`,
  ),
});

it("are in the document that is exported", async () => {
  const document = exportOpenApi([], { root: writeProject(shop()), env: "local" }).data as JsonMap;
  const { valid, errors } = await new Validator().validate(structuredClone(document));
  expect([valid, errors]).toEqual([true, undefined]);
  expect(document).toMatchObject({
    paths: {
      "/shop/orders/{id}": {
        put: {
          parameters: [
            { in: "path", name: "id", required: true, schema: { type: "integer" } },
            { in: "query", name: "dry", required: true, schema: { type: "boolean" } },
          ],
          requestBody: {
            required: true,
            content: {
              "application/json": {
                schema: { properties: { lines: { items: { $ref: "#/components/schemas/line" } } } },
              },
            },
          },
        },
      },
    },
  });
  expect(mapOf(mapOf(document.components).schemas)).toMatchObject({
    line: { properties: { sku: { type: "string" } } },
  });
});

it("list what they say and is not checked", () => {
  const { text } = effective("shop/order", { root: writeProject(shop()), env: "local" });
  expect(text).toContain('! sku: the format "sku" is not checked');
});

it("that change in their file are reported with the parts they validate", () => {
  const both = [shop(), shop("sku: { type: string, maxLength: 8 }")].map((it) => writeProject(it));
  const { changes, workers } = compareProjects(both[0] as string, both[1] as string);
  expect(changes.map(({ message, routes }) => [plainText(message), routes])).toEqual([
    ["validate validates differently: the body", ["order"]],
  ]);
  expect(workers.map(({ worker }) => worker)).toContain("gate-shop");
  // A changed description does not change the validation.
  const described = writeProject(shop('sku: { type: string, format: sku, description: "of the shelf" }'));
  expect(compareProjects(both[0] as string, described).changes).toEqual([]);
});

it("of an imported document are listed where they are not checked", () => {
  const root = writeProject({
    "shop.yaml": `openapi: 3.1.0
servers: [{ url: "https://shop.example" }]
paths:
  /orders/{from}{to}:
    get:
      parameters:
        - { in: path, name: from, required: true, schema: { type: string } }
        - { in: query, name: iban, schema: { type: string, format: iban, contentEncoding: base64, odd: 1 } }
`,
  });
  const { data } = importOpenApi(path.join(root, "shop.yaml"), { root, host: "api.acme.example" });
  expect((data as { gaps: readonly { readonly what: string }[] }).gaps.map(({ what }) => what)).toEqual(
    expect.arrayContaining([
      'the format "iban" is not checked',
      "contentEncoding is not checked",
      'the keyword "odd" is not checked',
      "the parameter from of the path is not checked: it shares its path segment",
    ]),
  );
});
