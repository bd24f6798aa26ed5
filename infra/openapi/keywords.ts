/** Translates one keyword of a schema. */
import { choice } from "../diagnostics/schema-issues.ts";
import { checkPattern } from "../patterns/safe-patterns.ts";
import {
  allKeywords,
  annotationKeywords,
  type Keyword,
  openApiKeywords,
  schemaKeywords,
  schemaListKeywords,
  schemaMapKeywords,
  unsupportedKeywords,
  valueKeywords,
} from "./dialects.ts";
import { isMap, type Json, type JsonMap } from "./document.ts";
import type { Findings } from "./findings.ts";
import { keywordsOfFormat } from "./formats.ts";
import { childLocation, type SchemaLocation } from "./references.ts";

export type Schema = boolean | { readonly [key: string]: unknown };

/** The translation that a keyword is a part of. */
export interface Translation {
  readonly findings: Findings;
  /** @param parents those that it is a part of by `allOf` */
  readonly translate: (value: unknown, location: SchemaLocation, parents?: readonly JsonMap[]) => Schema;
}

/** Limit of subschemas of one keyword: generated code nests them. */
const maxMembers = 500;

export const translateKeyword = (
  translation: Translation,
  it: Keyword,
  all: JsonMap,
  location: SchemaLocation,
  result: Record<string, unknown>,
): void => {
  const { keyword, value } = it;
  const { dialect } = location.document;
  const keywordLocation = childLocation(location, ...it.written);
  if (Object.hasOwn(valueKeywords, keyword)) {
    // 3.0 has `exclusiveMinimum: true`.
    const isBooleanBound = dialect.openapi === "3.0" && keyword.startsWith("exclusive") && typeof value === "boolean";
    if (isBooleanBound || valueKeywords[keyword]?.accepts(value)) result[keyword] = value;
    else translation.findings.drop(keywordLocation, `${keyword} is ${valueKeywords[keyword]?.description}`);
  } else if (schemaKeywords.includes(keyword)) {
    if (Array.isArray(value))
      translation.findings.drop(
        keywordLocation,
        `${keyword} is one schema`,
        "write a list of schemas as prefixItems: […]",
      );
    else result[keyword] = translation.translate(value, keywordLocation);
  } else if (schemaListKeywords.includes(keyword)) {
    if (!Array.isArray(value) || value.length === 0)
      translation.findings.drop(keywordLocation, `${keyword} is a list of schemas`);
    else if (value.length > maxMembers)
      translation.findings.drop(keywordLocation, `${keyword} has more than ${maxMembers} schemas`);
    else {
      const parents = keyword === "allOf" ? [all] : [];
      result[keyword] = value.map((one: Json, index: number) =>
        translation.translate(one, childLocation(keywordLocation, index), parents),
      );
    }
  } else if (schemaMapKeywords.includes(keyword)) {
    if (!isMap(value)) translation.findings.drop(keywordLocation, `${keyword} is a map of schemas`);
    else if (Object.keys(value).length > maxMembers) {
      const remedy = "move some into another schema: allOf: [{ $ref: … }]";
      translation.findings.drop(keywordLocation, `${keyword} has more than ${maxMembers} schemas`, remedy);
    } else result[keyword] = translateMap(translation, value, keywordLocation, keyword === "patternProperties");
  } else if (keyword === "pattern") {
    if (typeof value !== "string") translation.findings.drop(keywordLocation, "pattern is a text");
    else {
      const checked = pattern(translation, value, keywordLocation);
      if (checked !== undefined) result.pattern = checked;
    }
  } else if (keyword === "format") formatOf(translation, value, keywordLocation, result);
  else {
    if (keyword.startsWith("content")) result[keyword] = value;
    checkIgnoredKeyword(translation, keyword, all, location);
  }
};

const translateMap = (
  translation: Translation,
  all: JsonMap,
  location: SchemaLocation,
  areNamedByPattern: boolean,
): Record<string, Schema> =>
  Object.fromEntries(
    Object.entries(all).flatMap(([key, it]) => {
      const keywordLocation = { ...childLocation(location, key), name: key };
      const name = areNamedByPattern ? pattern(translation, key, keywordLocation) : key;
      return name === undefined ? [] : [[name, translation.translate(it, keywordLocation)]];
    }),
  );

/** The pattern, or undefined if it is not proven safe. */
const pattern = (translation: Translation, text: string, location: SchemaLocation): string | undefined => {
  const checked = checkPattern(text);
  if (checked.pattern !== undefined) return checked.pattern;
  translation.findings.drop(location, `the pattern "${truncate(text)}" ${checked.why}`, checked.remedy);
  return undefined;
};

const formatOf = (
  translation: Translation,
  format: unknown,
  location: SchemaLocation,
  result: Record<string, unknown>,
): void => {
  if (typeof format !== "string") return void translation.findings.drop(location, "format is a text");
  const words = keywordsOfFormat(format);
  if (words) Object.assign(result, { ...words, ...result });
  else {
    translation.findings.noteDropped({ where: location.name, what: `the format "${format}" is not checked` });
  }
};

/** Handles keywords without a check. */
const checkIgnoredKeyword = (
  translation: Translation,
  keyword: string,
  all: JsonMap,
  location: SchemaLocation,
): void => {
  const { dialect } = location.document;
  if (unsupportedKeywords.includes(keyword) || (keyword === "$id" && location.path.length > 0))
    return void translation.findings.drop(
      location,
      `${location.name} has ${keyword}`,
      "refer to schemas by location: #/$defs/…",
      keyword,
    );
  if (keyword.startsWith("x-") || keyword === "$id" || annotationKeywords.includes(keyword)) return;
  if (keyword.startsWith("content"))
    return void translation.findings.note({ where: location.name, what: `${keyword} is not checked` });
  if (dialect.openapi && openApiKeywords.includes(keyword)) return;
  if (dialect.openapi)
    return void translation.findings.note({ where: location.name, what: `the keyword "${keyword}" is not checked` });
  if (keyword === "nullable")
    return void translation.findings.fail(
      location,
      "nullable is a keyword of OpenAPI 3.0",
      `write type: [${JSON.stringify(all.type)}, "null"]`,
      keyword,
    );
  translation.findings.fail(
    location,
    `"${keyword}" is not a keyword of JSON Schema`,
    choice(keyword, allKeywords) ?? "an annotation begins with x-",
    keyword,
  );
};

/** Truncates a pattern for messages. */
const truncate = (text: string): string => (text.length > 120 ? `${text.slice(0, 120)}…` : text);
