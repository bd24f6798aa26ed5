/** Translates schemas of OpenAPI and older drafts to JSON Schema 2020-12, with everything they refer to. */
import { applyNullable, keywordsOf } from "./dialects.ts";
import { isMap, type JsonMap, listOf, mapOf } from "./document.ts";
import { createFindings, type Findings } from "./findings.ts";
import { type Schema, translateKeyword } from "./keywords.ts";
import { requiredInRequests } from "./read-only.ts";
import { type OpenDocument, resolveReference, type SchemaLocation, uniqueName } from "./references.ts";

export type { Note, SchemaProblem } from "./findings.ts";
export type { Schema } from "./keywords.ts";

export interface Translator extends Pick<Findings, "note" | "notes" | "problems" | "fail"> {
  readonly schema: (value: unknown, location: SchemaLocation) => Schema;
  /** Referenced schemas, by the names that `$ref` uses. */
  readonly definitions: () => Readonly<Record<string, Schema>>;
  /** Schemas that are only partially checked. */
  readonly relaxed: ReadonlySet<object>;
  /** Placeholders of broken references. */
  readonly broken: ReadonlySet<object>;
}

/** Limit of schemas for one tier. */
const maxNodes = 60_000;

/** @param openDocument reads another file that a reference names */
export const createTranslator = (openDocument: OpenDocument): Translator => {
  const names = new Map<string, string>();
  const translatedDefinitions: Record<string, Schema> = {};
  const relaxed = new Set<object>();
  const broken = new Set<object>();
  let nodes = 0;
  const findings = createFindings();
  const { note, notes, problems, fail, drop, attempt } = findings;

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
    const { refSiblings, openapi } = location.document.dialect;
    if (++nodes > maxNodes) {
      const message = `the requests have more than ${maxNodes} schemas`;
      return nodes > maxNodes + 1 || fail(location, message, "split the tier, or drop `validate` on some routes");
    }
    if (typeof value === "boolean") return value;
    const before = findings.dropped();
    if (!isMap(value)) return drop(location, `${location.name} is not a schema`, "a schema is a map");
    const ref = typeof value.$ref === "string" ? reference(value.$ref, location) : undefined;
    if (ref !== undefined && (!refSiblings || Object.keys(value).length === 1)) return ref;
    const result: Record<string, unknown> = {};
    for (const it of keywordsOf(value, location.document.dialect))
      translateKeyword({ findings, translate: schema }, it, value, location, result);
    if (openapi && result.required !== undefined) {
      const all = [...parents, value];
      const names = attempt(location, undefined, () =>
        requiredInRequests(location.document, all, listOf(result.required)),
      );
      if (names !== true && names.length > 0) result.required = names;
      else delete result.required;
    }
    if (findings.dropped() > before) openClosedObjects(value, result);
    const translated = openapi === "3.0" ? applyNullable(value, result) : result;
    if (findings.dropped() > before) relaxed.add(translated);
    return ref === undefined ? translated : { allOf: [ref, translated] };
  };

  return { schema, definitions: () => translatedDefinitions, note, notes, problems, relaxed, broken, fail };
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
