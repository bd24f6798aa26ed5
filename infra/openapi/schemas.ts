/** Schemas of OpenAPI 3.0 and 3.1 as JSON Schema 2020-12, as far as requests are concerned. */
import {
  DocumentError,
  isMap,
  type Json,
  type JsonMap,
  listOf,
  mapOf,
  type OpenApi,
  pointed,
  resolved,
} from "./document.ts";
import { safePattern } from "./patterns.ts";

export type Schema = boolean | { readonly [key: string]: unknown };

export interface Translator {
  readonly schema: (value: unknown, where: string) => Schema;
  /** Of all that was named by references, by the names that `$ref` uses. */
  readonly definitions: () => Readonly<Record<string, Schema>>;
  /** What is not checked, and why. */
  readonly notes: ReadonlySet<string>;
}

/** Of all schemas that the requests of one tier need. */
const mostNodes = 60_000;

const plain = [
  ...["type", "enum", "const", "multipleOf", "maximum", "minimum", "exclusiveMaximum", "exclusiveMinimum"],
  ...["maxLength", "minLength", "maxItems", "minItems", "maxContains", "minContains", "maxProperties", "minProperties"],
  ...["required", "dependentRequired", "uniqueItems"],
];
const single = [
  ...["not", "if", "then", "else", "additionalProperties", "items", "contains", "propertyNames"],
  ...["unevaluatedItems", "unevaluatedProperties"],
];
const several = ["allOf", "anyOf", "oneOf", "prefixItems"];
const named = ["properties", "dependentSchemas"];
/** They would give a schema another name than the document's. */
const foreign = ["$id", "$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$defs"];

export const formats = [
  ...["date", "time", "date-time", "duration", "uri", "uri-reference", "email", "hostname", "ipv4", "ipv6", "uuid"],
  ...["json-pointer", "byte", "int32", "int64"],
];
/** They say what a value is for, and nothing of its form. */
const loose = ["float", "double", "password", "binary"];

export const translator = (document: OpenApi): Translator => {
  const old = document.version.startsWith("3.0");
  const names = new Map<string, string>();
  const done: Record<string, Schema> = {};
  const notes = new Set<string>();
  const at = (where: string) => `${document.file}: ${where}`;
  let nodes = 0;

  const reference = (ref: string, where: string): Schema => {
    let name = names.get(ref);
    if (name === undefined) {
      name = `d${names.size}`;
      names.set(ref, name);
      const target = pointed(document, ref);
      resolved(document, target);
      done[name] = schema(target, ref.split("/").at(-1) ?? where);
    }
    return { $ref: `#/$defs/${name}` };
  };

  const schema = (value: unknown, where: string): Schema => {
    if (++nodes > mostNodes)
      throw new DocumentError(
        `${document.file}: the requests have more than ${mostNodes} schemas`,
        "split the tier, or drop `validate` where it matters least",
      );
    if (typeof value === "boolean") return value;
    if (!isMap(value)) throw new DocumentError(`${document.file}: ${where} is no schema`, "a schema is a map");
    const ref = typeof value.$ref === "string" ? reference(value.$ref, where) : undefined;
    if (ref && (old || Object.keys(value).length === 1)) return ref;
    const own = checked(value, where);
    return ref ? { allOf: [ref, own] } : own;
  };

  const checked = (value: JsonMap, where: string): Schema => {
    const result: Record<string, unknown> = {};
    for (const key of plain) if (value[key] !== undefined) result[key] = value[key];
    for (const key of single) if (value[key] !== undefined) result[key] = schema(value[key], where);
    for (const key of several)
      if (value[key] !== undefined) result[key] = listOf(value[key]).map((it) => schema(it, where));
    for (const key of named)
      if (value[key] !== undefined) result[key] = mapped(mapOf(value[key]), (it, name) => schema(it, name));
    if (value.patternProperties !== undefined)
      result.patternProperties = Object.fromEntries(
        Object.entries(mapOf(value.patternProperties)).map(([key, it]) => [
          safePattern(key, at(where)),
          schema(it, where),
        ]),
      );
    if (typeof value.pattern === "string") result.pattern = safePattern(value.pattern, at(where));
    const odd = foreign.find((key) => value[key] !== undefined);
    if (odd !== undefined)
      throw new DocumentError(`${document.file}: ${where} has ${odd}`, "name schemas by #/components/schemas/…");
    formatOf(value, result, where);
    required(value, result);
    return old ? nullable(value, result) : result;
  };

  const formatOf = ({ format }: JsonMap, result: Record<string, unknown>, where: string): void => {
    if (typeof format !== "string" || loose.includes(format)) return;
    if (formats.includes(format)) result.format = format;
    else notes.add(`${where}: the format "${format}" is not checked`);
  };

  /** What only answers have is asked of no request. */
  const required = (value: JsonMap, result: Record<string, unknown>): void => {
    const properties = mapOf(value.properties);
    const asked = listOf(value.required).filter(
      (name) => mapOf(resolved(document, properties[String(name)])).readOnly !== true,
    );
    if (asked.length > 0) result.required = asked;
    else delete result.required;
  };

  return { schema, definitions: () => done, notes };
};

/** OpenAPI 3.0 says `null` beside the type, and an exclusive bound beside the bound. */
const nullable = (value: JsonMap, result: Record<string, unknown>): Schema => {
  for (const [bound, exclusive] of [
    ["minimum", "exclusiveMinimum"],
    ["maximum", "exclusiveMaximum"],
  ] as const) {
    if (typeof value[exclusive] !== "boolean") continue;
    delete result[exclusive];
    if (value[exclusive] && value[bound] !== undefined) {
      result[exclusive] = value[bound];
      delete result[bound];
    }
  }
  if (value.nullable !== true) return result;
  // Where it can stand beside the type, what is said of another value is of that value.
  if (typeof result.type !== "string") return { anyOf: [result, { type: "null" }] };
  result.type = [result.type, "null"];
  if (Array.isArray(result.enum) && !result.enum.includes(null)) result.enum = [...result.enum, null];
  return result;
};

const mapped = (all: JsonMap, map: (value: Json | undefined, name: string) => Schema): Record<string, Schema> =>
  Object.fromEntries(Object.entries(all).map(([name, it]) => [name, map(it, name)]));
