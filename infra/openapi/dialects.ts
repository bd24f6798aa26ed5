/** The ways in which documents write schemas, and what each of them calls things. */
import { type Json, type JsonMap, mapOf } from "./document.ts";

export interface Dialect {
  /** What stands beside a `$ref` counts. */
  readonly besideRef: boolean;
  /** Lists of schemas stand under `items`, and what follows them under `additionalItems`; conditions on others under `dependencies`. */
  readonly old: boolean;
  /** Of OpenAPI: `nullable` and exclusive bounds beside the bounds in 3.0, and words of any kind, which are passed over. */
  readonly openapi: "3.0" | "3.1" | undefined;
}

export const latest: Dialect = { besideRef: true, old: false, openapi: undefined };
export const openApi30: Dialect = { besideRef: false, old: false, openapi: "3.0" };
export const openApi31: Dialect = { besideRef: true, old: false, openapi: "3.1" };

const known: Readonly<Record<string, Dialect>> = {
  "json-schema.org/draft/2020-12/schema": latest,
  "json-schema.org/draft/2019-09/schema": { ...latest, old: true },
  "json-schema.org/draft-07/schema": { ...latest, old: true, besideRef: false },
  "json-schema.org/draft-06/schema": { ...latest, old: true, besideRef: false },
};

/** By its `$schema`; undefined for one that is not read. */
export const dialectOf = (root: unknown): Dialect | undefined => {
  const { $schema } = mapOf(root);
  if ($schema === undefined) return latest;
  const name = typeof $schema === "string" ? $schema.replace(/^https?:\/\//, "").replace(/#$/, "") : "";
  return Object.hasOwn(known, name) ? known[name] : undefined;
};

export const unknownDialect = [
  "JSON Schema is not read in this dialect",
  "write https://json-schema.org/draft/2020-12/schema; 2019-09, draft-07 and draft-06 are read too",
] as const;

/** A word of 2020-12 beside the one that it was written as. */
export interface Word {
  readonly word: string;
  readonly written: readonly string[];
  readonly value: Json | undefined;
}

/** The words of a schema as 2020-12 has them. */
export const wordsOf = (value: JsonMap, { old }: Dialect): Word[] =>
  Object.entries(value).flatMap(([word, it]): Word[] => {
    const plain: Word = { word, written: [word], value: it };
    if (!old) return [plain];
    if (word === "items" && Array.isArray(it)) return [{ ...plain, word: "prefixItems" }];
    // Without a list ahead of it, it says nothing.
    if (word === "additionalItems") return Array.isArray(value.items) ? [{ ...plain, word: "items" }] : [];
    return word === "dependencies" ? dependencies(mapOf(it)) : [plain];
  });

const dependencies = (all: JsonMap): Word[] => {
  const entries = Object.entries(all);
  const some = (word: string, fits: (it: Json | undefined) => boolean): Word[] => {
    const chosen = entries.filter(([, it]) => fits(it));
    return chosen.length === 0 ? [] : [{ word, written: ["dependencies"], value: Object.fromEntries(chosen) }];
  };
  return [...some("dependentRequired", Array.isArray), ...some("dependentSchemas", (it) => !Array.isArray(it))];
};

/** OpenAPI 3.0 says `null` beside the type, and an exclusive bound beside the bound. */
export const nullable = (value: JsonMap, result: Record<string, unknown>): Record<string, unknown> => {
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

const types: readonly unknown[] = ["string", "number", "integer", "boolean", "null", "array", "object"];

const isCount = (it: unknown): boolean => Number.isSafeInteger(it) && Number(it) >= 0;
const isNumber = (it: unknown): boolean => Number.isFinite(it);
const isTexts = (it: unknown): boolean => Array.isArray(it) && it.every((one) => typeof one === "string");
const isType = (it: unknown): boolean =>
  Array.isArray(it) ? it.length > 0 && it.every((one) => types.includes(one)) : types.includes(it);

interface Kind {
  readonly fits: (value: unknown) => boolean;
  /** `maximum is …` */
  readonly is: string;
}

const number: Kind = { fits: isNumber, is: "a number" };
const count: Kind = { fits: isCount, is: "a whole number, and not below 0" };
const texts: Kind = { fits: isTexts, is: "a list of texts" };

/** Words that hold no schema, and what they take. */
export const values: Readonly<Record<string, Kind>> = {
  type: { fits: isType, is: `one of ${types.join(", ")}, or a list of them` },
  enum: { fits: (it) => Array.isArray(it) && it.length > 0, is: "a list with something in it" },
  const: { fits: () => true, is: "a value" },
  multipleOf: { fits: (it) => isNumber(it) && Number(it) > 0, is: "a number above 0" },
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
  required: texts,
  dependentRequired: { fits: (it) => Object.values(mapOf(it)).every(isTexts), is: "a map of lists of texts" },
  uniqueItems: { fits: (it) => typeof it === "boolean", is: "true or false" },
};

/** Words that hold one schema, a list of them, or a map of them. */
export const single = [
  ...["not", "if", "then", "else", "additionalProperties", "items", "contains", "propertyNames"],
  ...["unevaluatedItems", "unevaluatedProperties"],
];
export const several = ["allOf", "anyOf", "oneOf", "prefixItems"];
export const named = ["properties", "dependentSchemas", "patternProperties"];

/** Words that say nothing of a value's form. */
export const annotations = [
  ...["title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "$comment", "$schema"],
  ...["$ref", "pattern", "format", "$defs", "definitions"],
];
/** OpenAPI's own. What a discriminator says, the alternatives beside it check. */
export const openApiWords = ["nullable", "discriminator", "xml", "externalDocs", "example"];

/** All words that a schema may have, for who mistypes one. */
export const allWords = [...Object.keys(values), ...single, ...several, ...named, ...annotations];

/** They would give a schema another name than its place. */
export const foreign = ["$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor", "id"];
