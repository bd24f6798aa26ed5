/** Compiles checks into a module that stands beside a gate's plan: code that Ajv has written, with no eval in it. */
import path from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import standalone from "ajv/dist/standalone/index.js";
import addFormats from "ajv-formats";
import * as esbuild from "esbuild";
import type { OperationPlan } from "./checks.ts";
import { formats, type Schema } from "./schemas.ts";

/** Filter id → route → method. */
export type Plans = Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, OperationPlan>>>>>>;

export interface TierPlans {
  readonly tier: string;
  readonly plans: Plans;
  /** By filter id. */
  readonly definitions: Readonly<Record<string, Readonly<Record<string, Schema>>>>;
}

/** The module's text: an object of `Validators` by tier. */
export const moduleOf = async (tiers: readonly TierPlans[]): Promise<string> => {
  const sources = new Map(tiers.map((it) => [it.tier, sourceOf(it)]));
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
    plugins: [virtual(sources)],
  });
  return outputFiles[0]?.text ?? "";
};

const virtual = (sources: ReadonlyMap<string, string>): esbuild.Plugin => ({
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

const sourceOf = ({ plans, definitions }: TierPlans): string => {
  const ajv = new Ajv2020({
    strict: false,
    // What is common to many is written once, and called.
    inlineRefs: 3,
    validateSchema: false,
    messages: true,
    code: { source: true, esm: true, lines: false },
  });
  addFormats.default(ajv, { mode: "full", formats: formats as never });
  const exported: Record<string, string> = {};
  const known = new Map<string, string>();
  const checkOf = (filter: string, schema: Schema): string => {
    const key = `${filter}\n${JSON.stringify(schema)}`;
    const name = known.get(key) ?? `c${known.size}`;
    if (!known.has(key)) {
      known.set(key, name);
      exported[name] = name;
      ajv.addSchema(rooted(schema, `f${Object.keys(definitions).indexOf(filter)}`) as object, name);
    }
    return name;
  };
  for (const [index, all] of Object.values(definitions).entries()) ajv.addSchema({ $id: `f${index}`, $defs: all });
  const table = tableOf(plans, checkOf);
  return `${standalone(ajv, exported)}\nexport default ${table};\n`;
};

/** References lead to the definitions of the document. */
const rooted = (value: unknown, id: string): unknown => {
  if (Array.isArray(value)) return value.map((it) => rooted(it, id));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, it]) => [
      key,
      key === "$ref" && typeof it === "string" ? `${id}${it}` : rooted(it, id),
    ]),
  );
};

const tableOf = (plans: Plans, checkOf: (filter: string, schema: Schema) => string): string =>
  object(plans, (routes, filter) =>
    object(routes, (methods) => object(methods, (it) => operationText(it, (schema) => checkOf(filter, schema)))),
  );

const operationText = ({ parameters, body }: OperationPlan, checkOf: (schema: Schema) => string): string => {
  const all = parameters.map(({ schema, ...it }) => `{...${JSON.stringify(it)},check:${checkOf(schema)}}`);
  const types = body && object(body.types, (schema) => (schema === null ? "null" : checkOf(schema)));
  return `{parameters:[${all.join(",")}]${body ? `,body:{required:${body.required},types:${types}}` : ""}}`;
};

const object = <T>(all: Readonly<Record<string, T>>, text: (value: T, key: string) => string): string =>
  `{${Object.entries(all)
    .map(([key, it]) => `${JSON.stringify(key)}:${text(it, key)}`)
    .join(",")}}`;
