/** The module of checks that stands beside a plan: made once of equal things, and measured. */
import { expect, it } from "vitest";
import { compile } from "../../infra/compiler/compile.ts";
import { compileModule, measureChecks, type TierPlans } from "../../infra/openapi/module.ts";
import type { Schema } from "../../infra/openapi/schemas.ts";
import { manifest, writeProject } from "../e2e/project.ts";
import { full } from "../full.ts";

const plans = (schema: Schema): TierPlans => ({
  tier: "shop",
  plans: {
    validate: {
      all: {
        POST: { parameters: [], body: { required: true, types: { "application/json": { as: "json", schema } } } },
      },
    },
  },
  definitions: { validate: { d0: { type: "integer" } } },
});

const loaded = async (all: readonly TierPlans[]) =>
  (await import(`data:text/javascript;base64,${Buffer.from(await compileModule(all)).toString("base64")}`)).default.shop
    .validate.all.POST.body.types["application/json"].check;

it("is made once, so that an edit of another tier compiles nothing anew", () => {
  const made = compileModule([plans({ $ref: "#/$defs/d0" })]);
  expect(compileModule([plans({ $ref: "#/$defs/d0" })])).toBe(made);
  expect(compileModule([plans({ type: "string" })])).not.toBe(made);
});

it("leaves listed values alone that look like references", async () => {
  const check = await loaded([plans({ enum: [{ $ref: "#/$defs/d0" }] })]);
  expect([check({ $ref: "#/$defs/d0" }), check(1)]).toEqual([true, false]);
});

it("is measured by what its schemas need", () => {
  const [small = 0, large = 0] = [1, 100].map((count) =>
    measureChecks(
      plans({
        properties: Object.fromEntries(Array.from({ length: count }, (_, at) => [`p${at}`, { minLength: at }])),
      }),
    ),
  );
  expect(large).toBeGreaterThan(small * 10);
});

const problemsOf = (schemas: Readonly<Record<string, object>>) => {
  const content = {
    "application/json": {
      schema: { anyOf: Object.keys(schemas).map((it) => ({ $ref: `#/components/schemas/${it}` })) },
    },
  };
  const document = {
    openapi: "3.1.0",
    paths: { "/a": { post: { requestBody: { content } } } },
    components: { schemas },
  };
  const root = writeProject({
    "routes/openapi/large.json": JSON.stringify(document),
    "routes/t.yaml": manifest(
      "t",
      "filters: [{ body-limit: 1MiB }, { validate: openapi/large.json }]\nroutes: { a: { match: POST /a, respond: {} } }\n",
    ),
  });
  return compile(root, "local").problems.map(({ file, line, code, message }) => `${file}:${line} ${code} ${message}`);
};
const object = (count: number, inner: object = { type: "string", minLength: 7 }) => ({
  type: "object",
  properties: Object.fromEntries(Array.from({ length: count }, (_, at) => [`p${at}`, inner])),
});

it.runIf(full)("is no more than a gate can carry: a problem with its place says so", () => {
  const many = Object.fromEntries(Array.from({ length: 25 }, (_, at) => [`s${at}`, object(400 + at)]));
  expect(problemsOf(many)).toEqual([
    expect.stringMatching(
      /^routes\/t.yaml:5 document-unfit the checks of this tier are [3-9][.\d]* MiB of code; a gate can carry 3 MiB of them/,
    ),
  ]);
  expect(problemsOf({ wide: object(501) })).toEqual([]);
  const deep = Array.from({ length: 8 }).reduce<object>(
    (inner) => ({ type: "object", properties: { ...object(400).properties, z: inner } }),
    object(1),
  );
  expect(problemsOf({ deep })).toEqual([
    "routes/t.yaml:5 document-unfit its schemas are nested too deeply to be compiled",
  ]);
});

it.runIf(full)("is no more than a gate can carry that tiers share", () => {
  const shared = (tier: string) =>
    manifest(
      tier,
      `isolation: shared
level: best-effort
filters: [{ body-limit: 1MiB }]
routes:
${Array.from({ length: 8 }, (_, at) => `  r${at}: { match: POST /r${at}, respond: {}, filters: [{ validate: { body: "schemas/${tier}.json#/${at}" } }] }\n`).join("")}`,
    );
  const schemas = (from: number) =>
    JSON.stringify(Array.from({ length: 8 }, (_, at) => object(500, { type: "string", minLength: from + at })));
  const root = writeProject({
    "routes/schemas/a.json": schemas(1),
    "routes/schemas/b.json": schemas(20),
    "routes/a.yaml": shared("a"),
    "routes/b.yaml": shared("b"),
  });
  const { problems } = compile(root, "local");
  expect(problems.map(({ file, line, message, remedy }) => [file, line, message, remedy])).toEqual([
    [
      "routes/b.yaml",
      5,
      expect.stringMatching(/^the checks of all tiers that share a gate are [3-5][.\d]* MiB of code/),
      "give b a gate of its own: isolation: tier",
    ],
  ]);
});
