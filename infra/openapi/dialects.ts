/** JSON Schema dialects of OpenAPI 3.0, 3.1 and JSON Schema drafts, normalized to 2020-12. */
import { type Json, type JsonMap, mapOf } from "./document.ts";

export interface Dialect {
  /** Whether keywords beside a `$ref` apply. */
  readonly refSiblings: boolean;
  /** Whether tuples use `items` and `additionalItems`, and dependencies use `dependencies`. */
  readonly legacyItems: boolean;
  /** The OpenAPI version, for `nullable` and boolean exclusive bounds of 3.0; unknown keywords are ignored. */
  readonly openapi: "3.0" | "3.1" | undefined;
}

export const draft2020: Dialect = { refSiblings: true, legacyItems: false, openapi: undefined };
export const openApi30: Dialect = { refSiblings: false, legacyItems: false, openapi: "3.0" };
export const openApi31: Dialect = { refSiblings: true, legacyItems: false, openapi: "3.1" };

const dialectsByUri: Readonly<Record<string, Dialect>> = {
  "json-schema.org/draft/2020-12/schema": draft2020,
  "json-schema.org/draft/2019-09/schema": { ...draft2020, legacyItems: true },
  "json-schema.org/draft-07/schema": { ...draft2020, legacyItems: true, refSiblings: false },
  "json-schema.org/draft-06/schema": { ...draft2020, legacyItems: true, refSiblings: false },
};

/** The dialect by `$schema`; undefined if it is not supported. */
export const dialectOf = (root: unknown): Dialect | undefined => {
  const { $schema } = mapOf(root);
  if ($schema === undefined) return draft2020;
  const name = typeof $schema === "string" ? $schema.replace(/^https?:\/\//, "").replace(/#$/, "") : "";
  return Object.hasOwn(dialectsByUri, name) ? dialectsByUri[name] : undefined;
};

export const unknownDialect = [
  "JSON Schema is not read in this dialect",
  "write https://json-schema.org/draft/2020-12/schema; 2019-09, draft-07 and draft-06 are read too",
] as const;

/** A keyword of 2020-12, with the keyword as written. */
export interface Keyword {
  readonly keyword: string;
  readonly written: readonly string[];
  readonly value: Json | undefined;
}

/** The keywords of a schema, translated to 2020-12. */
export const keywordsOf = (value: JsonMap, { legacyItems }: Dialect): Keyword[] =>
  Object.entries(value).flatMap(([keyword, it]): Keyword[] => {
    const keywordAsIs: Keyword = { keyword, written: [keyword], value: it };
    if (!legacyItems) return [keywordAsIs];
    if (keyword === "items" && Array.isArray(it)) return [{ ...keywordAsIs, keyword: "prefixItems" }];
    // It has no effect without a tuple.
    if (keyword === "additionalItems") return Array.isArray(value.items) ? [{ ...keywordAsIs, keyword: "items" }] : [];
    return keyword === "dependencies" ? splitDependencies(mapOf(it)) : [keywordAsIs];
  });

const splitDependencies = (all: JsonMap): Keyword[] => {
  const entries = Object.entries(all);
  const pick = (keyword: string, accepts: (it: Json | undefined) => boolean): Keyword[] => {
    const chosen = entries.filter(([, it]) => accepts(it));
    return chosen.length === 0 ? [] : [{ keyword, written: ["dependencies"], value: Object.fromEntries(chosen) }];
  };
  return [...pick("dependentRequired", Array.isArray), ...pick("dependentSchemas", (it) => !Array.isArray(it))];
};

/** Translates `nullable` and boolean exclusive bounds of OpenAPI 3.0. */
export const applyNullable = (value: JsonMap, result: Record<string, unknown>): Record<string, unknown> => {
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
  // Without a type, null becomes an alternative to the whole schema.
  if (typeof result.type !== "string") return { anyOf: [result, { type: "null" }] };
  result.type = [result.type, "null"];
  if (Array.isArray(result.enum) && !result.enum.includes(null)) result.enum = [...result.enum, null];
  return result;
};

const typeNames: readonly unknown[] = ["string", "number", "integer", "boolean", "null", "array", "object"];

const isCount = (it: unknown): boolean => Number.isSafeInteger(it) && Number(it) >= 0;
const isNumber = (it: unknown): boolean => Number.isFinite(it);
const isStringList = (it: unknown): boolean => Array.isArray(it) && it.every((one) => typeof one === "string");
const isType = (it: unknown): boolean =>
  Array.isArray(it) ? it.length > 0 && it.every((one) => typeNames.includes(one)) : typeNames.includes(it);

interface ValueKind {
  readonly accepts: (value: unknown) => boolean;
  /** `maximum is …` */
  readonly description: string;
}

const number: ValueKind = { accepts: isNumber, description: "a number" };
const count: ValueKind = { accepts: isCount, description: "a whole number, and not below 0" };
const stringList: ValueKind = { accepts: isStringList, description: "a list of texts" };

/** Keywords without subschemas, with their value types. */
export const valueKeywords: Readonly<Record<string, ValueKind>> = {
  type: { accepts: isType, description: `one of ${typeNames.join(", ")}, or a list of them` },
  enum: { accepts: (it) => Array.isArray(it) && it.length > 0, description: "a list with something in it" },
  const: { accepts: () => true, description: "a value" },
  multipleOf: { accepts: (it) => isNumber(it) && Number(it) > 0, description: "a number above 0" },
  maximum: number,
  minimum: number,
  exclusiveMaximum: number,
  exclusiveMinimum: number,
  maxLength: count,
  minLength: count,
  maxItems: count,
  minItems: count,
  maxContains: count,
  minContains: count,
  maxProperties: count,
  minProperties: count,
  required: stringList,
  dependentRequired: {
    accepts: (it) => Object.values(mapOf(it)).every(isStringList),
    description: "a map of lists of texts",
  },
  uniqueItems: { accepts: (it) => typeof it === "boolean", description: "true or false" },
};

/** Keywords with one subschema; below, those with a list and with a map of them. */
export const schemaKeywords = [
  ...["not", "if", "then", "else", "additionalProperties", "items", "contains", "propertyNames"],
  ...["unevaluatedItems", "unevaluatedProperties"],
];
export const schemaListKeywords = ["allOf", "anyOf", "oneOf", "prefixItems"];
export const schemaMapKeywords = ["properties", "dependentSchemas", "patternProperties"];

/** Keywords without assertions, and those that are handled separately. */
export const annotationKeywords = [
  ...["title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "$comment", "$schema"],
  ...["$ref", "pattern", "format", "$defs", "definitions"],
];
/** OpenAPI's own keywords. A discriminator is covered by the alternatives beside it. */
export const openApiKeywords = ["nullable", "discriminator", "xml", "externalDocs", "example"];

/** All keywords, for suggestions. */
export const allKeywords = [
  ...Object.keys(valueKeywords),
  ...schemaKeywords,
  ...schemaListKeywords,
  ...schemaMapKeywords,
  ...annotationKeywords,
];

/** Keywords that name schemas in other ways than by location; not supported. */
export const unsupportedKeywords = [
  "$anchor",
  "$dynamicRef",
  "$dynamicAnchor",
  "$recursiveRef",
  "$recursiveAnchor",
  "id",
];
