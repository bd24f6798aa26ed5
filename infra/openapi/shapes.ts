/** What the values of a schema may be once they are read from text: found through references, alternatives and lists of types. */
import type { Kind, Shape } from "../../functions/gateway/core/ports/validators.ts";
import { isMap, type JsonMap, listOf, mapOf } from "./document.ts";
import type { Held } from "./references.ts";
import type { Schema, Translator } from "./schemas.ts";

/** By the names that `$ref` uses: `#/$defs/Order`. */
export type Definitions = Readonly<Record<string, Schema>>;

/** Makes JSON Schema 2020-12 of what a document has. */
export interface Translate {
  /** @param name how people call it */
  readonly schema: (value: unknown, name: string) => Schema;
  readonly definitions: () => Definitions;
}

export const translateIn = (document: Held, { schema, definitions }: Translator): Translate => ({
  schema: (value, name) => schema(value, { document, path: [], name }),
  definitions,
});

/** A schema may hold itself. What is nested deeper is read as text. */
const deepest = 6;
/** Of one value. What is beyond is read as text. */
const mostShapes = 2000;

export const shapeOf = (schema: Schema, definitions: Definitions): Shape => {
  const left = { shapes: mostShapes };
  return shapeOfAll([schema], definitions, left, 0);
};

const shapeOfAll = (
  schemas: readonly unknown[],
  definitions: Definitions,
  left: { shapes: number },
  depth: number,
): Shape => {
  const all = together(schemas, definitions);
  const types = typesOf(schemas, definitions);
  const within = (values: readonly unknown[]): Shape =>
    depth === deepest || left.shapes-- <= 0
      ? { kinds: ["string"] }
      : shapeOfAll(values.length === 0 ? [true] : values, definitions, left, depth + 1);
  const kinds = scalars.filter((it) => types.has(it));
  const rest = all.flatMap((it) => [
    ...(it.additionalProperties === undefined || it.additionalProperties === false ? [] : [it.additionalProperties]),
    ...Object.values(mapOf(it.patternProperties)),
  ]);
  return {
    ...(kinds.length > 0 && { kinds }),
    ...(types.has("array") && { items: within(all.flatMap((it) => [...listed(it.items), ...listOf(it.prefixItems)])) }),
    ...(types.has("object") && {
      properties: Object.fromEntries([...propertiesOf(all)].map(([name, values]) => [name, within(values)])),
      ...(rest.length > 0 && { rest: within(rest) }),
    }),
    ...(all.some(isFile) && { file: true }),
  };
};

const scalars: readonly Kind[] = ["string", "number", "integer", "boolean", "null"];

const listed = (value: unknown): unknown[] => (value === undefined ? [] : [value]);

const propertiesOf = (all: readonly JsonMap[]): Map<string, unknown[]> => {
  const found = new Map<string, unknown[]>();
  for (const { properties } of all)
    for (const [name, it] of Object.entries(mapOf(properties))) found.set(name, [...(found.get(name) ?? []), it]);
  return found;
};

/** Of `contentMediaType`, text stays text. */
const isFile = ({ format, contentMediaType, contentEncoding }: JsonMap): boolean =>
  format === "binary" ||
  (typeof contentMediaType === "string" &&
    contentEncoding === undefined &&
    !/^text\/|[/+]json(?:;|$)/i.test(contentMediaType));

const mostTogether = 1000;

const alternatives = ["anyOf", "oneOf"] as const;

/** All schemas that say something of one value. */
const together = (schemas: readonly unknown[], definitions: Definitions): JsonMap[] => {
  const found = new Set<JsonMap>();
  const waiting = [...schemas];
  for (let it = waiting.pop(); it !== undefined && found.size < mostTogether; it = waiting.pop()) {
    if (!isMap(it) || found.has(it)) continue;
    found.add(it);
    waiting.push(...besides(it, definitions), ...alternatives.flatMap((word) => listOf((it as JsonMap)[word])));
  }
  return [...found];
};

/** Those that hold whatever else does. */
const besides = (it: JsonMap, definitions: Definitions): unknown[] => [
  ...(typeof it.$ref === "string" ? listed(definitions[it.$ref.replace(/^#\/\$defs\//, "")]) : []),
  ...listOf(it.allOf),
  ...listed(it.then),
  ...listed(it.else),
  ...Object.values(mapOf(it.dependentSchemas)),
];

/** An alternative that says nothing of types may be a text. */
const typesOf = (schemas: readonly unknown[], definitions: Definitions): ReadonlySet<string> => {
  const all = together(schemas, definitions);
  const types = new Set(all.flatMap(ownTypes));
  if (types.size === 0) {
    if (all.some((it) => ["properties", "additionalProperties", "patternProperties"].some((word) => word in it)))
      return new Set(["object"]);
    return new Set(all.some((it) => it.items !== undefined || it.prefixItems !== undefined) ? ["array"] : ["string"]);
  }
  const isOpen = (it: unknown): boolean => together([it], definitions).flatMap(ownTypes).length === 0;
  for (const it of all)
    if (ownTypes(it).length === 0 && alternatives.some((word) => listOf(it[word]).some(isOpen))) types.add("string");
  return types;
};

const ownTypes = (it: JsonMap): string[] => {
  if (Array.isArray(it.type)) return it.type.map(String);
  if (typeof it.type === "string") return [it.type];
  return [...listOf(it.enum), ...(it.const === undefined ? [] : [it.const])].map((value) =>
    value === null ? "null" : Array.isArray(value) ? "array" : typeof value,
  );
};
