/** What gates expose, as OpenAPI 3.1: the examples of this project, and a public API's document that came in by import. */
import fs from "node:fs";
import path from "node:path";
import { Validator } from "@seriousme/openapi-schema-validator";
import { expect, it } from "vitest";
import { exportOpenApiFile } from "../../../infra/commands/review/export.ts";
import { importOpenApiFile as importOpenApi } from "../../../infra/commands/review/import.ts";
import { type JsonMap, mapOf } from "../../../infra/openapi/document.ts";
import { writeProject } from "../../e2e/project.ts";
import { bank } from "../../fixtures/bank.ts";
import { file, operationsIn } from "./large.ts";

/** By the specification's own JSON Schema, and every reference leads somewhere. */
const holds = async (document: JsonMap): Promise<void> => {
  const validator = new Validator();
  const { valid, errors } = await validator.validate(structuredClone(document));
  expect([validator.version, valid, errors]).toEqual(["3.1", true, undefined]);
  const refs = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/([^/"]+)\/([^/"]+)"/g)];
  const components = mapOf(document.components);
  const lost = refs.filter(([, group = "", name = ""]) => mapOf(components[group])[name] === undefined);
  expect([refs.length > 0, lost]).toEqual([true, []]);
};

const at = (value: unknown, ...keys: string[]): JsonMap =>
  keys.reduce<JsonMap>((it, key) => mapOf(it[key]), mapOf(value));

it("is called by its summary where it is of one tier, and else by the tiers' names", () => {
  const titled = (...tiers: string[]) =>
    at(exportOpenApiFile(tiers, { root: bank, env: "production" }).data, "info").title;
  const [tag] = (exportOpenApiFile(["open"], { root: bank, env: "production" }).data as JsonMap).tags as JsonMap[];
  expect(titled("open")).toBe(tag?.description);
  expect(titled()).toBe("API of open, pay, wallet");
});

it("says identity, limits and problems of the examples", async () => {
  const document = exportOpenApiFile([], { root: bank, env: "production" }).data as JsonMap;
  await holds(document);
  const balance = at(document, "paths", "/wallet/v1/accounts/{id}/balance", "get");
  expect(balance).toMatchObject({
    operationId: "wallet/balance",
    tags: ["wallet"],
    parameters: [{ name: "id", in: "path", required: true, schema: { type: "string", pattern: "^[0-9]+$" } }],
    security: [{ jwt: [] }],
  });
  expect(at(balance, "responses", "401").description).toContain("Token required (`token-missing`)");
  expect(Object.keys(at(balance, "responses"))).not.toContain("422");
  const quote = at(document, "paths", "/open/v1/quotes/{currency}", "get");
  expect(quote).toMatchObject({
    security: [],
    "x-postern-limits": [
      { limit: "20/s", by: ["ip"] },
      { limit: "3/m", by: ["ip"] },
    ],
  });
  expect(at(quote, "responses", "429", "headers")).toHaveProperty("RateLimit");
  expect(at(document, "components", "securitySchemes")).toMatchObject({
    jwt: { type: "http", scheme: "bearer" },
    "api-key": { type: "apiKey", in: "header" },
  });
});

it("one tier alone, and no tier that is not there", () => {
  const document = exportOpenApiFile(["open"], { root: bank, env: "production" }).data as JsonMap;
  expect(Object.keys(at(document, "paths")).every((it) => it.startsWith("/open/"))).toBe(true);
  expect(() => exportOpenApiFile(["wlalet"], { root: bank, env: "production" })).toThrow(
    'no tier "wlalet"; did you mean "wallet"?',
  );
});

it("of a large document, no operation is lost on the way in and out, and its schemas come back", async () => {
  const root = writeProject({});
  importOpenApi(file, { root, tier: "large", upstream: "https://service.internal" });
  const out = path.join(root, "out.json");
  const { exitCode, data } = exportOpenApiFile([], { root, env: "local", out });
  const given = operationsIn(fs.readFileSync(file, "utf8"));
  expect([exitCode, data]).toEqual([0, { written: out, operations: given.length, leftOut: false, gaps: [] }]);
  const text = fs.readFileSync(out, "utf8");
  await holds(JSON.parse(text));
  const [, base = ""] = /^base: (.*)$/m.exec(fs.readFileSync(path.join(root, "routes/large.yaml"), "utf8")) ?? [];
  const expected = given.map(({ line }) => line.replace(" /", ` ${base}/`));
  expect(
    operationsIn(text)
      .map(({ line }) => line)
      .sort(),
  ).toEqual(expected.sort());
  const said = (all: typeof given) => all.flatMap(({ operation: { value } }) => value.description ?? []).sort();
  expect(said(operationsIn(text))).toEqual(said(given));
});

it("says what OpenAPI has one operation for", () => {
  const root = writeProject({
    "routes/t.yaml": `api: postern/v1
tier: t
hosts: [localhost]
upstreams: { it: { http: "https://it.example" } }
routes:
  plain: { match: "GET /x/{id}", to: it }
  beta: { match: "GET /x/{id}", when: { header: { x-beta: present } }, to: it }
  any: { match: "ANY /y/{rest*}", to: it }
`,
  });
  const { data, text, exitCode } = exportOpenApiFile([], { root, env: "local", out: path.join(root, "deep/out.json") });
  expect([exitCode, data]).toMatchObject([1, { operations: 8, leftOut: true, gaps: [{ where: "t/beta" }] }]);
  expect(text).toContain("no equivalent  t/beta: left out: OpenAPI has one operation for GET /x/{id}");
  // stdout has only the document; gaps are on stderr.
  const alone = exportOpenApiFile([], { root, env: "local" });
  expect([alone.exitCode, JSON.parse(alone.product ?? "").openapi]).toEqual([1, "3.1.0"]);
  expect(alone.text).toMatch(/^no equivalent {2}t\/beta: left out: .*\n$/);
  expect(exportOpenApiFile([], { root, env: "local", acceptGaps: true }).exitCode).toBe(0);
});
