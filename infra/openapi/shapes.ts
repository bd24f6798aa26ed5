/** Infers the types that a schema allows, so that parameters and form fields can be converted from text. */
import type { ScalarKind, ValueShape } from "../../functions/gateway/core/ports/validators.ts";
import { isMap, type JsonMap, listOf, mapOf } from "./document.ts";
import type { SchemaDocument } from "./references.ts";
import type { Schema, Translator } from "./schemas.ts";

/** Definitions by the name in `#/$defs/<name>`. */
export type Definitions = Readonly<Record<string, Schema>>;

/** Translates schemas of one document to JSON Schema 2020-12. */
export interface SchemaTranslator {
  /** @param name for messages */
  readonly schema: (value: unknown, name: string) => Schema;
  readonly definitions: () => Definitions;
}

export const translateWithin = (document: SchemaDocument, { schema, definitions }: Translator): SchemaTranslator => ({
  schema: (value, name) => schema(value, { document, path: [], name }),
  definitions,
});

/** Depth limit for recursive schemas; deeper values are read as text. */
const maxDepth = 6;
/** Size limit of one value's shape; further parts are read as text. */
const maxShapes = 2000;

export const shapeOf = (schema: Schema, definitions: Definitions): ValueShape => {
  const budget = { shapes: maxShapes };
  return mergeShapes([schema], definitions, budget, 0);
};

const mergeShapes = (
  schemas: readonly unknown[],
  definitions: Definitions,
  budget: { shapes: number },
  depth: number,
): ValueShape => {
  const all = allSchemasOf(schemas, definitions);
  const types = typesOf(schemas, definitions);
  const nestedShape = (values: readonly unknown[]): ValueShape =>
    depth === maxDepth || budget.shapes-- <= 0
      ? { kinds: ["string"] }
      : mergeShapes(values.length === 0 ? [true] : values, definitions, budget, depth + 1);
  const kinds = scalarKinds.filter((it) => types.has(it));
  const rest = all.flatMap((it) => [
    ...(it.additionalProperties === undefined || it.additionalProperties === false ? [] : [it.additionalProperties]),
    ...Object.values(mapOf(it.patternProperties)),
  ]);
  return {
    ...(kinds.length > 0 && { kinds }),
    ...(types.has("array") && {
      items: nestedShape(all.flatMap((it) => [...toList(it.items), ...listOf(it.prefixItems)])),
    }),
    ...(types.has("object") && {
      properties: Object.fromEntries([...propertySchemas(all)].map(([name, values]) => [name, nestedShape(values)])),
      ...(rest.length > 0 && { rest: nestedShape(rest) }),
    }),
    ...(all.some(isFileSchema) && { file: true }),
  };
};

const scalarKinds: readonly ScalarKind[] = ["string", "number", "integer", "boolean", "null"];

const toList = (value: unknown): unknown[] => (value === undefined ? [] : [value]);

const propertySchemas = (all: readonly JsonMap[]): Map<string, unknown[]> => {
  const found = new Map<string, unknown[]>();
  for (const { properties } of all)
    for (const [name, it] of Object.entries(mapOf(properties))) found.set(name, [...(found.get(name) ?? []), it]);
  return found;
};

/** Whether a value is a file. A textual `contentMediaType` stays text. */
const isFileSchema = ({ format, contentMediaType, contentEncoding }: JsonMap): boolean =>
  format === "binary" ||
  (typeof contentMediaType === "string" &&
    contentEncoding === undefined &&
    !/^text\/|[/+]json(?:;|$)/i.test(contentMediaType));

const maxSchemas = 1000;

const alternativeKeywords = ["anyOf", "oneOf"] as const;

/** All schemas that apply to a value, including alternatives. */
const allSchemasOf = (schemas: readonly unknown[], definitions: Definitions): JsonMap[] => {
  const found = new Set<JsonMap>();
  const queue = [...schemas];
  for (let it = queue.pop(); it !== undefined && found.size < maxSchemas; it = queue.pop()) {
    if (!isMap(it) || found.has(it)) continue;
    found.add(it);
    queue.push(
      ...appliedSchemas(it, definitions),
      ...alternativeKeywords.flatMap((word) => listOf((it as JsonMap)[word])),
    );
  }
  return [...found];
};

/** Schemas that apply together with a schema. */
const appliedSchemas = (it: JsonMap, definitions: Definitions): unknown[] => [
  ...(typeof it.$ref === "string" ? toList(definitions[it.$ref.replace(/^#\/\$defs\//, "")]) : []),
  ...listOf(it.allOf),
  ...toList(it.then),
  ...toList(it.else),
  ...Object.values(mapOf(it.dependentSchemas)),
];

/** The possible types. An alternative without a type may be a text. */
const typesOf = (schemas: readonly unknown[], definitions: Definitions): ReadonlySet<string> => {
  const all = allSchemasOf(schemas, definitions);
  const types = new Set(all.flatMap(ownTypes));
  if (types.size === 0) {
    if (all.some((it) => ["properties", "additionalProperties", "patternProperties"].some((word) => word in it)))
      return new Set(["object"]);
    return new Set(all.some((it) => it.items !== undefined || it.prefixItems !== undefined) ? ["array"] : ["string"]);
  }
  const isUntyped = (it: unknown): boolean => allSchemasOf([it], definitions).flatMap(ownTypes).length === 0;
  for (const it of all)
    if (ownTypes(it).length === 0 && alternativeKeywords.some((word) => listOf(it[word]).some(isUntyped)))
      types.add("string");
  return types;
};

const ownTypes = (it: JsonMap): string[] => {
  if (Array.isArray(it.type)) return it.type.map(String);
  if (typeof it.type === "string") return [it.type];
  return [...listOf(it.enum), ...(it.const === undefined ? [] : [it.const])].map((value) =>
    value === null ? "null" : Array.isArray(value) ? "array" : typeof value,
  );
};
