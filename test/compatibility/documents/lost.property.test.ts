/**
 * Nothing is dropped in silence: of documents with references, broken ones too, at every place, each operation, parameter, body and
 * requirement of security is in what was imported, or in what was listed; and no operation is open that the document closes.
 */
import fs from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { importOpenApiFile } from "../../../infra/commands/review/import.ts";
import { compile } from "../../../infra/compiler/compile.ts";
import type { Gap } from "../../../infra/review/import/imported.ts";
import { writeProject } from "../../e2e/project.ts";
import { full } from "../../full.ts";

const via = fc.constantFrom("plain", "plain", "reference", "chain", "broken");
type Via = "plain" | "reference" | "chain" | "broken";
const securities = {
  inherited: undefined,
  open: [],
  key: [{ key: [] }],
  optional: [{ key: [] }, {}],
  either: [{ key: [] }, { basic: [] }],
  both: [{ key: [], basic: [] }],
  other: [{ basic: [] }],
  unknown: [{ nobody: [] }],
  malformed: { key: [] },
  lost: [{ lost: [] }],
} as const;
type Security = keyof typeof securities;

const parameter = fc.record({ name: fc.constantFrom("a", "b", "c"), via });
const operation = fc.record({
  via,
  parameters: fc.uniqueArray(parameter, { selector: (it) => it.name, maxLength: 2 }),
  body: fc.option(via, { nil: undefined }),
  security: fc.constantFrom(...(Object.keys(securities) as Security[])),
});
const item = fc.record({
  via,
  beside: fc.boolean(),
  parameters: fc.uniqueArray(parameter, { selector: (it) => it.name, maxLength: 2 }),
  operations: fc.dictionary(fc.constantFrom("get", "post", "put", "patch", "trace", "query"), operation, {
    maxKeys: 3,
    noNullPrototype: true,
  }),
});
const model = fc.record({
  security: fc.constantFrom<Security>("inherited", "key", "open", "unknown", "malformed"),
  items: fc.array(item, { minLength: 1, maxLength: 3 }),
});
type Model = typeof model extends fc.Arbitrary<infer T> ? T : never;

const documentOf = ({ security, items }: Model) => {
  const kept: Record<string, unknown> = {};
  const placed = (how: Via, value: object): unknown => {
    if (how === "plain") return value;
    const name = `k${Object.keys(kept).length}`;
    if (how === "broken") return { $ref: `#/components/x-kept/none-${name}` };
    kept[name] = value;
    if (how === "reference") return { $ref: `#/components/x-kept/${name}` };
    kept[`${name}~chain`] = { $ref: `#/components/x-kept/${name}` };
    return { $ref: `#/components/x-kept/${name}~0chain` };
  };
  const parametersOf = (all: Model["items"][number]["parameters"]) =>
    all.map(({ name, via: how }) => placed(how, { in: "query", name, schema: { type: "integer" } }));
  const paths = Object.fromEntries(
    items.map(({ via: how, beside, parameters, operations }, at) => {
      const all = Object.entries(operations).map(([method, it]) => [
        method,
        placed(it.via, {
          parameters: parametersOf(it.parameters),
          ...(it.body && {
            requestBody: placed(it.body, { content: { "application/json": { schema: { type: "object" } } } }),
          }),
          ...(it.security !== "inherited" && { security: securities[it.security] }),
        }),
      ]);
      const shared = { parameters: parametersOf(parameters) };
      const whole = Object.fromEntries(all);
      if (how === "plain" || !beside) return [`/p${at}`, placed(how, { ...shared, ...whole })];
      return [`/p${at}`, { ...(placed(how, whole) as object), ...shared }];
    }),
  );
  return {
    openapi: "3.1.0",
    servers: [{ url: "https://shop.internal" }],
    ...(security !== "inherited" && { security: securities[security] }),
    paths,
    components: {
      "x-kept": kept,
      securitySchemes: {
        key: { type: "apiKey", in: "header", name: "X-Key" },
        basic: { type: "http", scheme: "basic" },
        lost: { $ref: "#/components/x-kept/none" },
      },
    },
  };
};

const imported = (document: object) => {
  const root = writeProject({
    "routes/environments/local.yaml": 'kv: { consumers: "00000000000000000000000000000001" }\n',
    "shop.json": JSON.stringify(document),
  });
  const { data } = importOpenApiFile(path.join(root, "shop.json"), { root, tier: "shop", host: "api.acme.example" });
  const { gaps, problems } = data as { readonly gaps: readonly Gap[]; readonly problems: readonly unknown[] };
  const [tier] = compile(root, "local").tiers;
  const checks = [...(tier?.checked.validations.values() ?? [])][0]?.plans ?? {};
  const routes = new Map(
    (tier?.checked.routes ?? []).map(({ name, settings, chain }) => [
      settings.match,
      { filters: chain.map((it) => it.use), plan: Object.values(checks[name] ?? {})[0] },
    ]),
  );
  return { routes, gaps, problems, manifest: fs.readFileSync(path.join(root, "routes/shop.yaml"), "utf8") };
};

it("each operation, parameter, body and requirement is imported or listed", () => {
  let withRoutes = 0;
  fc.assert(
    fc.property(model, (it) => {
      let result: ReturnType<typeof imported>;
      try {
        result = imported(documentOf(it));
      } catch (error) {
        // Nothing could be made a route of, and nothing was written.
        expect(String(error)).toMatch(/has no operation in `paths`|no route can be made/);
        return;
      }
      const { routes, gaps, problems } = result;
      expect(problems).toEqual([]);
      if (routes.size > 0) withRoutes++;
      const isListed = (where: readonly string[], what: RegExp) =>
        gaps.some((gap) => where.includes(gap.where) && what.test(gap.what));
      for (const [at, { parameters, operations }] of it.items.entries())
        for (const [method, own] of Object.entries(operations)) {
          const where = [`${method.toUpperCase()} /p${at}`, `/p${at}`];
          const route = routes.get(where[0] as string);
          if (!route) {
            expect([where, isListed(where, /./)]).toEqual([where, true]);
            continue;
          }
          const all = [
            ...parameters.filter((one) => !own.parameters.some(({ name }) => name === one.name)),
            ...own.parameters,
          ];
          const checked = route.plan?.parameters.map(({ name }) => name) ?? [];
          for (const one of all)
            if (!checked.includes(one.name))
              expect([where, one, isListed(where, /^the parameter /)]).toEqual([where, one, true]);
          if (own.body !== undefined && !route.plan?.body)
            expect([where, isListed(where, /^its body cannot be read/)]).toEqual([where, true]);
          const need = own.security === "inherited" ? it.security : own.security;
          expect(["unknown", "malformed", "lost"]).not.toContain(need);
          const isOpen = !route.filters.includes("api-key");
          if (isOpen && ["key", "either", "both", "other"].includes(need))
            expect([need, gaps.some((gap) => gap.where.startsWith("security "))]).toEqual([need, true]);
          if (need === "key") expect(isOpen).toBe(false);
        }
    }),
    { numRuns: full ? 120 : 40, seed: 4 },
  );
  expect(withRoutes).toBeGreaterThan(full ? 50 : 15);
});
