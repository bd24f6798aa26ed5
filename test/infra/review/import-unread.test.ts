/** What of parameters and bodies no gate reads is listed by its name, and nothing is that is read. */
import path from "node:path";
import { expect, it } from "vitest";
import { importOpenApiFile } from "../../../infra/commands/review/import.ts";
import type { Gap } from "../../../infra/review/import/imported.ts";
import { writeProject } from "../../e2e/project.ts";

const listOfObjects = { type: "array", items: { type: "object" } };
const query = (name: string, schema: object, more: object = {}) => ({ in: "query", name, schema, ...more });
const body = (content: object) => ({ requestBody: { content } });
const object = (properties: object) => ({ type: "object", properties });

const gapsOf = (operation: object, route = "/things/{id}"): [string, string][] => {
  const document = {
    openapi: "3.1.1",
    info: { title: "t", version: "1" },
    servers: [{ url: "https://t.example" }],
    paths: { [route]: { post: { responses: {}, ...operation } } },
  };
  const root = writeProject({ "t.json": JSON.stringify(document) });
  const { data } = importOpenApiFile(path.join(root, "t.json"), { root, host: "api.acme.example" });
  return (data as { readonly gaps: readonly Gap[] }).gaps
    .filter(({ where }) => where.startsWith("POST "))
    .map(({ kind, what }) => [kind, what]);
};

const unread = (name: string, place: string, why: string) => [
  "left-out",
  `the parameter ${name} of the ${place} is not checked: ${why}`,
];

it("of parameters", () => {
  const gaps = gapsOf({
    parameters: [
      { in: "path", name: "id", required: true, style: "matrix", schema: {} },
      query("a", { type: "array" }, { style: "simple" }),
      query("b", { type: "array" }, { style: "tsv" }),
      query("c", listOfObjects),
      query("d", object({ to: object({}), ok: {} })),
      query("e", object({ tags: { type: "array" } }), { explode: false }),
      { in: "query", name: "f", content: { "application/xml": { schema: {} } } },
      { in: "formData", name: "g", schema: {} },
      { in: "header", name: "h", style: "form", schema: {} },
      { in: "query", name: "i", content: { "application/x-www-form-urlencoded": { schema: {} } } },
      query("read", object({ tags: { type: "array" }, ok: { type: "integer" } })),
      query("deep", object({ ok: { type: "integer" } }), { style: "deepObject", explode: true }),
    ],
  });
  expect(gaps).toEqual([
    unread("id", "path", "the style matrix has semicolons, which no gate accepts in a path"),
    unread("a", "query", "query parameters do not have the style simple"),
    unread("b", "query", "query parameters do not have the style tsv"),
    unread("c", "query", "the style form cannot represent a list of lists or objects"),
    unread("d", "query", "the style form cannot represent the value of its property to"),
    unread("e", "query", "the style form cannot represent the value of its property tags"),
    unread("f", "query", "its content is application/xml"),
    unread("g", "formData", "a request has no such location"),
    unread("h", "header", "header parameters do not have the style form"),
    unread("i", "query", "its content is application/x-www-form-urlencoded"),
  ]);
});

it("of what OpenAPI leaves undefined, how it is read", () => {
  const gaps = gapsOf({
    parameters: [
      { in: "path", name: "id", required: true, schema: {} },
      query("a", { type: "array" }, { style: "pipeDelimited", explode: true }),
      query("b", { type: "string" }, { style: "spaceDelimited" }),
      query("c", object({ tags: { type: "array" } }), { style: "deepObject" }),
    ],
  });
  expect(gaps).toEqual([
    [
      "otherwise",
      "the parameter a of the query: OpenAPI does not define the style pipeDelimited with explode: it is read as form",
    ],
    [
      "otherwise",
      "the parameter b of the query: OpenAPI does not define the style spaceDelimited of single values: it is read as form",
    ],
    [
      "otherwise",
      "the parameter c of the query: OpenAPI does not define how deepObject writes lists and objects in it: [a][b], [a][] and [a][0] are read",
    ],
  ]);
});

it("of bodies", () => {
  const bodies = (content: object) => gapsOf(body(content), "/things");
  const unchecked = (type: string, why: string) => ["left-out", `bodies of ${type} are not checked: ${why}`];
  const passed = (type: string, why: string) => ["otherwise", `bodies of ${type} are forwarded unread: ${why}`];
  expect(
    bodies({
      "application/json": { schema: object({}) },
      "Application/XML; charset=utf-8": { schema: object({}) },
      "text/plain": { schema: { type: "string", maxLength: 5 } },
      "*/*": { schema: object({}) },
      "multipart/mixed": { schema: object({}) },
      "application/x-ndjson": { itemSchema: object({}) },
      "application/x-www-form-urlencoded": { schema: { type: "array" } },
      "multipart/form-data": {
        schema: object({ a: object({}) }),
        encoding: { a: { contentType: "application/xml", headers: { "X-Rate": {} } } },
      },
      // They ask for nothing but their media type.
      "image/png": { schema: { type: "string", format: "binary" } },
      "application/pdf": { schema: { contentMediaType: "application/pdf" } },
      "text/csv": { schema: { type: "string" } },
      "text/xml": {},
      "multipart/related": { encoding: { a: { contentType: "image/png" } } },
    }),
  ).toEqual([
    unchecked("application/xml", "no gate reads this media type"),
    unchecked("text/plain", "no gate reads this media type"),
    unchecked("multipart/mixed", "no gate reads this media type"),
    unchecked("application/x-ndjson", "no gate reads their items one by one"),
    unchecked("application/x-www-form-urlencoded", "its schema is not an object"),
    ["left-out", "the headers of a are not checked: X-Rate"],
    unchecked("multipart/form-data", "the property a is application/xml, which no gate reads"),
    passed("image/png", "their schema accepts any value"),
    passed("application/pdf", "their schema accepts any value"),
    passed("text/csv", "their schema accepts any value"),
    passed("text/xml", "the document has no schema for them"),
    ["left-out", "encoding of multipart/related is not checked"],
    passed("multipart/related", "the document has no schema for them"),
    ["left-out", "bodies of */* are checked where they are application/*+json, text/json"],
  ]);
  expect(
    bodies({
      "multipart/form-data": { schema: object({ a: object({}), file: { type: "string", format: "binary" } }) },
      "application/x-www-form-urlencoded": { schema: object({ a: { type: "integer" } }) },
    }),
  ).toEqual([]);
});
