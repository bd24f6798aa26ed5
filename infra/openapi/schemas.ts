/** Translates schemas of OpenAPI and older drafts to JSON Schema 2020-12, with everything they refer to. */
import { choice } from "../diagnostics/schema-issues.ts";
import { checkPattern } from "../patterns/safe-patterns.ts";
import {
  allKeywords,
  annotationKeywords,
  applyNullable,
  type Keyword,
  keywordsOf,
  openApiKeywords,
  schemaKeywords,
  schemaListKeywords,
  schemaMapKeywords,
  unsupportedKeywords,
  valueKeywords,
} from "./dialects.ts";
import { DocumentError, isMap, type Json, type JsonMap, listOf, mapOf } from "./document.ts";
import { keywordsOfFormat } from "./formats.ts";
import { requiredInRequests } from "./read-only.ts";
import { childLocation, type OpenDocument, resolveReference, type SchemaLocation, uniqueName } from "./references.ts";

export type Schema = boolean | { readonly [key: string]: unknown };

/** What is wrong with a schema. */
export interface SchemaProblem {
  readonly location: SchemaLocation;
  /** The keyword concerned, if any. */
  readonly keyword?: string | undefined;
  readonly message: string;
  readonly remedy: string | undefined;
}

/** A part of a document that is not checked, or checked in a way that the document leaves open. */
export interface Note {
  /** `otherwise`: checked in a way that the document leaves open. Unset: not checked. */
  readonly kind?: "otherwise";
  /** The subject: `order`, `GET /orders`. */
  readonly where: string;
  readonly what: string;
}

export interface Translator {
  readonly schema: (value: unknown, location: SchemaLocation) => Schema;
  /** Referenced schemas, by the names that `$ref` uses. */
  readonly definitions: () => Readonly<Record<string, Schema>>;
  readonly note: (note: Note) => void;
  /** Distinct notes. */
  readonly notes: () => readonly Note[];
  readonly problems: readonly SchemaProblem[];
  /** Schemas that are only partially checked. */
  readonly relaxed: ReadonlySet<object>;
  /** Placeholders of broken references. */
  readonly broken: ReadonlySet<object>;
  readonly fail: (location: SchemaLocation, message: string, remedy?: string, keyword?: string) => true;
}

/** Limit of schemas for one tier. */
const maxNodes = 60_000;
/** Limit of subschemas of one keyword: generated code nests them. */
const maxMembers = 500;
/** Limits the problems of a file that is not a schema at all. */
const maxProblems = 50;

/** @param openDocument reads another file that a reference names */
export const createTranslator = (openDocument: OpenDocument): Translator => {
  const names = new Map<string, string>();
  const translatedDefinitions: Record<string, Schema> = {};
  const notes = new Map<string, Note>();
  const problems: SchemaProblem[] = [];
  const relaxed = new Set<object>();
  const broken = new Set<object>();
  let nodes = 0;
  let dropped = 0;

  const note: Translator["note"] = (it) => void notes.set(JSON.stringify(it), it);

  /** Adds a problem. Returns `true`, a schema that accepts everything. */
  const fail: Translator["fail"] = (location, message, remedy, keyword) => {
    if (problems.length < maxProblems) problems.push({ location, message, remedy, keyword });
    return true;
  };

  /** For an imported document, drops the check and notes it; for the project's own schema, adds a problem. */
  const drop: Translator["fail"] = (location, message, remedy, keyword) => {
    if (!location.document.dialect.openapi) return fail(location, message, remedy, keyword);
    dropped++;
    note({ where: location.name, what: `${message}; it is not checked` });
    return true;
  };

  const attempt = <T>(location: SchemaLocation, keyword: string | undefined, work: () => T): T | true => {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof DocumentError)) throw error;
      return fail(location, error.message, error.remedy, keyword);
    }
  };

  const reference = (ref: string, location: SchemaLocation): Schema => {
    const checked = attempt(location, "$ref", () => {
      const found = resolveReference(ref, location.document, openDocument);
      const key = `${found.document.file}#${JSON.stringify(found.path)}`;
      let name = names.get(key);
      if (name === undefined) {
        name = uniqueName(found.path, translatedDefinitions);
        names.set(key, name);
        translatedDefinitions[name] = true;
        translatedDefinitions[name] = schema(found.value, found);
      }
      return { $ref: `#/$defs/${name}` };
    });
    if (checked !== true) return checked;
    const missing = {};
    broken.add(missing);
    return missing;
  };

  /** @param parents those that it is a part of by `allOf` */
  const schema = (value: unknown, location: SchemaLocation, parents: readonly JsonMap[] = []): Schema => {
    const { refSiblings: besideRef, openapi } = location.document.dialect;
    if (++nodes > maxNodes) {
      const message = `the requests have more than ${maxNodes} schemas`;
      return (
        nodes > maxNodes + 1 || fail(location, message, "split the tier, or drop `validate` where it matters least")
      );
    }
    if (typeof value === "boolean") return value;
    const before = dropped;
    if (!isMap(value)) return drop(location, `${location.name} is no schema`, "a schema is a map");
    const ref = typeof value.$ref === "string" ? reference(value.$ref, location) : undefined;
    if (ref !== undefined && (!besideRef || Object.keys(value).length === 1)) return ref;
    const result: Record<string, unknown> = {};
    for (const it of keywordsOf(value, location.document.dialect)) translateKeyword(it, value, location, result);
    if (openapi && result.required !== undefined) {
      const all = [...parents, value];
      const names = attempt(location, undefined, () =>
        requiredInRequests(location.document, all, listOf(result.required)),
      );
      if (names !== true && names.length > 0) result.required = names;
      else delete result.required;
    }
    if (dropped > before) openClosedObjects(value, result);
    const translated = openapi === "3.0" ? applyNullable(value, result) : result;
    if (dropped > before) relaxed.add(translated);
    return ref === undefined ? translated : { allOf: [ref, translated] };
  };

  const translateKeyword = (
    it: Keyword,
    all: JsonMap,
    location: SchemaLocation,
    result: Record<string, unknown>,
  ): void => {
    const { keyword: word, value } = it;
    const { dialect } = location.document;
    const keywordLocation = childLocation(location, ...it.written);
    if (Object.hasOwn(valueKeywords, word)) {
      // 3.0 has `exclusiveMinimum: true`.
      const isBooleanBound = dialect.openapi === "3.0" && word.startsWith("exclusive") && typeof value === "boolean";
      if (isBooleanBound || valueKeywords[word]?.accepts(value)) result[word] = value;
      else drop(keywordLocation, `${word} is ${valueKeywords[word]?.description}`);
    } else if (schemaKeywords.includes(word)) {
      if (Array.isArray(value)) drop(keywordLocation, `${word} is one schema`, "a list of them is prefixItems: […]");
      else result[word] = schema(value, keywordLocation);
    } else if (schemaListKeywords.includes(word)) {
      if (!Array.isArray(value) || value.length === 0) drop(keywordLocation, `${word} is a list of schemas`);
      else if (value.length > maxMembers) drop(keywordLocation, `${word} has more than ${maxMembers} schemas`);
      else {
        const parents = word === "allOf" ? [all] : [];
        result[word] = value.map((one: Json, index: number) =>
          schema(one, childLocation(keywordLocation, index), parents),
        );
      }
    } else if (schemaMapKeywords.includes(word)) {
      if (!isMap(value)) drop(keywordLocation, `${word} is a map of schemas`);
      else if (Object.keys(value).length > maxMembers) {
        const remedy = "put some into a schema of their own: allOf: [{ $ref: … }]";
        drop(keywordLocation, `${word} has more than ${maxMembers} schemas`, remedy);
      } else result[word] = translateMap(value, keywordLocation, word === "patternProperties");
    } else if (word === "pattern") {
      if (typeof value !== "string") drop(keywordLocation, "pattern is a text");
      else {
        const checked = pattern(value, keywordLocation);
        if (checked !== undefined) result.pattern = checked;
      }
    } else if (word === "format") formatOf(value, keywordLocation, result);
    else {
      if (word.startsWith("content")) result[word] = value;
      checkIgnoredKeyword(word, all, location);
    }
  };

  const translateMap = (all: JsonMap, location: SchemaLocation, areNamedByPattern: boolean): Record<string, Schema> =>
    Object.fromEntries(
      Object.entries(all).flatMap(([key, it]) => {
        const keywordLocation = { ...childLocation(location, key), name: key };
        const name = areNamedByPattern ? pattern(key, keywordLocation) : key;
        return name === undefined ? [] : [[name, schema(it, keywordLocation)]];
      }),
    );

  /** The pattern, or undefined if it is not proven safe. */
  const pattern = (text: string, location: SchemaLocation): string | undefined => {
    const checked = checkPattern(text);
    if (checked.pattern !== undefined) return checked.pattern;
    drop(location, `the pattern "${truncate(text)}" ${checked.why}`, checked.remedy);
    return undefined;
  };

  const formatOf = (format: unknown, location: SchemaLocation, result: Record<string, unknown>): void => {
    if (typeof format !== "string") return void drop(location, "format is a text");
    const words = keywordsOfFormat(format);
    if (words) Object.assign(result, { ...words, ...result });
    else {
      dropped++;
      note({ where: location.name, what: `the format "${format}" is not checked` });
    }
  };

  /** Handles keywords without a check. */
  const checkIgnoredKeyword = (keyword: string, all: JsonMap, location: SchemaLocation): void => {
    const { dialect } = location.document;
    if (unsupportedKeywords.includes(keyword) || (keyword === "$id" && location.path.length > 0))
      return void drop(location, `${location.name} has ${keyword}`, "name schemas by their place: #/$defs/…", keyword);
    if (keyword.startsWith("x-") || keyword === "$id" || annotationKeywords.includes(keyword)) return;
    if (keyword.startsWith("content")) return void note({ where: location.name, what: `${keyword} is not checked` });
    if (dialect.openapi && openApiKeywords.includes(keyword)) return;
    if (dialect.openapi) return void note({ where: location.name, what: `the word "${keyword}" is not checked` });
    if (keyword === "nullable")
      return void fail(
        location,
        "nullable is a word of OpenAPI 3.0",
        `write type: [${JSON.stringify(all.type)}, "null"]`,
        keyword,
      );
    fail(
      location,
      `no schema has the word "${keyword}"`,
      choice(keyword, allKeywords) ?? "what it is for is said by x-…",
      keyword,
    );
  };

  return {
    schema,
    definitions: () => translatedDefinitions,
    note,
    notes: () => [...notes.values()],
    problems,
    relaxed,
    broken,
    fail,
  };
};

/** With unchecked properties or items, "no other ones" cannot be enforced. */
const openClosedObjects = (value: JsonMap, result: Record<string, unknown>): void => {
  const isPartial = (keyword: string): boolean =>
    Object.keys(mapOf(value[keyword])).length > Object.keys(mapOf(result[keyword])).length;
  if (isPartial("properties") || isPartial("patternProperties")) delete result.additionalProperties;
  if (value.prefixItems !== undefined && result.prefixItems === undefined) delete result.items;
  delete result.unevaluatedProperties;
  delete result.unevaluatedItems;
};

/** Truncates a pattern for messages. */
const truncate = (text: string): string => (text.length > 120 ? `${text.slice(0, 120)}…` : text);
