/** Compiles validation plans to a module beside a gate's plan: standalone code by Ajv, without eval. */

import { createHash } from "node:crypto";
import path from "node:path";
import vm from "node:vm";
import { _ } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import standalone from "ajv/dist/standalone/index.js";
import addFormats from "ajv-formats";
import * as esbuild from "esbuild";
import { forgetOldest } from "../../functions/gateway/core/bounded.ts";
import type { OperationPlan } from "./checks.ts";
import { formats } from "./formats.ts";
import type { Schema } from "./schemas.ts";

/** Filter id → route → method. */
export type TierPlansByFilter = Readonly<
  Record<string, Readonly<Record<string, Readonly<Record<string, OperationPlan>>>>>
>;

export interface TierPlans {
  readonly tier: string;
  readonly plans: TierPlansByFilter;
  /** By filter id. */
  readonly definitions: Readonly<Record<string, Readonly<Record<string, Schema>>>>;
}

/** Memoizes by content, with a bounded LRU cache, so that an edit of one tier recompiles nothing else. */
const memoize = <In, Out>(maxEntries: number, make: (it: In) => Out): ((it: In) => Out) => {
  const known = new Map<string, Out>();
  return (it) => {
    const key = createHash("sha256").update(JSON.stringify(it)).digest("base64");
    const cached = known.get(key) ?? make(it);
    known.delete(key);
    known.set(key, cached);
    forgetOldest(known, maxEntries);
    return cached;
  };
};

/** The module's text: an object of `Validators` by tier. */
export const compileModule: (tiers: readonly TierPlans[]) => Promise<string> = memoize(100, async (tiers) => {
  const sources = new Map(tiers.map((it) => [it.tier, checkSource(it)]));
  const names = [...sources.keys()];
  const entry = `${names.map((it, index) => `import t${index} from "tier:${it}";`).join("\n")}
export default { ${names.map((it, index) => `${JSON.stringify(it)}: t${index}`).join(", ")} };`;
  const { outputFiles } = await esbuild.build({
    stdin: { contents: entry, resolveDir: import.meta.dirname, loader: "js" },
    bundle: true,
    write: false,
    format: "esm",
    platform: "neutral",
    target: "es2024",
    mainFields: ["module", "main"],
    minify: true,
    legalComments: "none",
    logLevel: "silent",
    plugins: [virtualModules(sources)],
  });
  return outputFiles[0]?.text ?? "";
});

const virtualModules = (sources: ReadonlyMap<string, string>): esbuild.Plugin => ({
  name: "tiers",
  setup: (build) => {
    build.onResolve({ filter: /^tier:/ }, ({ path: name }) => ({ path: name.slice(5), namespace: "tier" }));
    build.onLoad({ filter: /.*/, namespace: "tier" }, ({ path: name }) => ({
      contents: sources.get(name) ?? "",
      loader: "js",
      resolveDir: path.resolve(import.meta.dirname, "../.."),
    }));
  },
});

/**
 * The size of a tier's validation code in a gate, without shared helpers.
 * @throws RangeError if it is nested too deeply to parse
 */
export const measureChecks: (tier: TierPlans) => number = memoize(100, (tier) => {
  const options = { minify: true, target: "es2024", format: "cjs", logLevel: "silent" } as const;
  const { code } = esbuild.transformSync(checkSource(tier), options);
  // Fails here if V8 cannot parse the code.
  new vm.Script(code);
  return Buffer.byteLength(code);
});

/**
 * The limit of schemas with references that one check visits. Recursive alternatives are tried in every combination,
 * so a body of a few hundred bytes could otherwise take exponential time.
 */
const maxSteps = 100_000;

const runtimeHelpers = `let left = 0;
const step = () => { if (left-- === 0) throw new RangeError("too many steps"); };
const bounded = (check) => {
  const it = (value) => { left = ${maxSteps}; const holds = check(value); it.errors = check.errors; return holds; };
  return it;
};
const written = (value) => JSON.stringify(value, (_, it) =>
  typeof it === "object" && it !== null && !Array.isArray(it)
    ? Object.fromEntries(Object.entries(it).sort(([a], [b]) => (a < b ? -1 : 1)))
    : it);
const distinct = (list) => new Set(list.map(written)).size === list.length;
`;

const checkSource: (tier: TierPlans) => string = memoize(100, ({ plans, definitions }) => {
  const ajv = new Ajv2020({
    strict: false,
    // Larger schemas become functions instead of being inlined.
    inlineRefs: 3,
    validateSchema: false,
    messages: true,
    logger: false,
    // Inherited properties such as `constructor` do not count.
    ownProperties: true,
    // `1e400` is read as Infinity.
    strictNumbers: true,
    // 19.99 is a multiple of 0.01 despite binary rounding.
    multipleOfPrecision: 9,
    code: { source: true, esm: true, lines: false },
  });
  addFormats.default(ajv, { mode: "full", formats: formats as never });
  ajv.addKeyword({ keyword: stepKeyword, before: "$ref", code: ({ gen }) => gen.code(_`step()`) });
  // Ajv's own implementation is quadratic.
  ajv.removeKeyword("uniqueItems");
  ajv.addKeyword({
    keyword: "uniqueItems",
    type: "array",
    schemaType: "boolean",
    error: { message: "must NOT have duplicate items" },
    code: (it) => (it.schema === true ? it.fail(_`!distinct(${it.data})`) : undefined),
  });
  const exportNames: Record<string, string> = {};
  const known = new Map<string, string>();
  const checkName = (filter: string, schema: Schema): string => {
    const key = `${filter}\n${JSON.stringify(schema)}`;
    const name = known.get(key) ?? `c${known.size}`;
    if (!known.has(key)) {
      known.set(key, name);
      exportNames[name] = name;
      ajv.addSchema(qualifyRefs(schema, `f${Object.keys(definitions).indexOf(filter)}`) as object, name);
    }
    return `bounded(${name})`;
  };
  for (const [index, all] of Object.values(definitions).entries())
    ajv.addSchema({
      $id: `f${index}`,
      $defs: Object.fromEntries(Object.entries(all).map(([name, it]) => [name, withStepCount(it)])),
    });
  const table = planTable(plans, checkName);
  return `${runtimeHelpers}${standalone(ajv, exportNames)}\nexport default ${table};\n`;
});

const stepKeyword = "x-postern-step";

/** Adds the step counter to schemas with references; others are linear in the body. */
const withStepCount = (schema: Schema): Schema =>
  typeof schema === "object" && JSON.stringify(schema).includes('"$ref":')
    ? { ...schema, [stepKeyword]: true }
    : schema;

/** Prefixes references with the id of the definitions. */
const qualifyRefs = (value: unknown, id: string): unknown => {
  if (Array.isArray(value)) return value.map((it) => qualifyRefs(it, id));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, it]) => [
      key,
      // Values of an enum are not schemas.
      key === "$ref" && typeof it === "string"
        ? `${id}${it}`
        : key === "enum" && Array.isArray(it)
          ? it
          : qualifyRefs(it, id),
    ]),
  );
};

const planTable = (plans: TierPlansByFilter, checkName: (filter: string, schema: Schema) => string): string =>
  toObjectSource(plans, (routes, filter) =>
    toObjectSource(routes, (methods) =>
      toObjectSource(methods, (it) => operationSource(it, (schema) => checkName(filter, schema))),
    ),
  );

const operationSource = ({ parameters, only, body }: OperationPlan, checkName: (schema: Schema) => string): string => {
  const checkedSource = ({ schema, ...it }: { readonly schema: Schema }) =>
    `{...${toLiteral(it)},check:${checkName(schema)}}`;
  const types = body && toObjectSource(body.types, (it) => (it === null ? "null" : checkedSource(it)));
  const onlySource = only ? `,only:${toLiteral(only)}` : "";
  const all = parameters.map(checkedSource).join(",");
  return `{parameters:[${all}]${onlySource}${body ? `,body:{required:${body.required},types:${types}}` : ""}}`;
};

/** Serializes as a JavaScript literal; `__proto__` has to be a computed key. */
const toLiteral = (value: unknown): string => JSON.stringify(value).replaceAll('"__proto__":', '["__proto__"]:');

const toObjectSource = <T>(all: Readonly<Record<string, T>>, text: (value: T, key: string) => string): string =>
  `{${Object.entries(all)
    .map(([key, it]) => `${JSON.stringify(key)}:${text(it, key)}`)
    .join(",")}}`;
