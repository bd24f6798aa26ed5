/**
 * Reads values of forms. Wrangler and curl send a value as one part of JSON. Cloudflare's SDK sends a part for each field,
 * with the path in brackets: `metadata[bindings][][name]`. Then every value is a text.
 */
import { apiErrors } from "./api-errors.ts";

/** A bound for broken clients. */
const maxFields = 10_000;
/** Bound of a path's keys. The API needs a few. */
const maxDepth = 20;

/**
 * @returns undefined if there is no such value
 * @throws ApiError if it is not JSON
 */
export const readFormValue = async (form: FormData, name: string): Promise<unknown> => {
  const value = form.get(name);
  if (value !== null) return parseJson(typeof value === "string" ? value : await value.text(), name);
  const fields = [...form.entries()].flatMap(([field, value]) => {
    const path = fieldPath(field, name);
    return path && typeof value === "string" ? [[path, value] as const] : [];
  });
  if (fields.length === 0) return undefined;
  if (fields.length > maxFields) throw apiErrors.malformed(`${name} has more than ${maxFields} fields`);
  return assembleFields(fields);
};

/** The files of a form by part name, or by file name where they are sent as a list. */
export const readFormFiles = (form: FormData): [string, File][] =>
  [...form.entries()].flatMap(([name, part]): [string, File][] =>
    typeof part === "string" ? [] : [[/^files(?:\[\d*\])?$/.test(name) ? part.name : name, part]],
  );

const parseJson = (text: string, name: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    throw apiErrors.malformed(`the part ${name} is no JSON`);
  }
};

/** `a[b][][c]` is the path `["b", "", "c"]` of `a`. */
const fieldPath = (field: string, name: string): readonly string[] | undefined => {
  if (!field.startsWith(`${name}[`) || !/^(?:\[[^[\]]*\])+$/.test(field.slice(name.length))) return undefined;
  const path = Array.from(field.slice(name.length).matchAll(/\[([^[\]]*)\]/g), ([, key = ""]) => key);
  if (path.length > maxDepth) throw apiErrors.malformed(`${name} is nested more than ${maxDepth} deep`);
  return path;
};

type Fields = readonly (readonly [readonly string[], string])[];

const assembleFields = (fields: Fields): unknown => {
  const [first] = fields;
  if (first && first[0].length === 0) return first[1];
  if (first?.[0][0] === "") return splitElements(fields).map(assembleFields);
  const byKey = Map.groupBy(fields, ([[key = ""]]) => key);
  return Object.fromEntries(
    [...byKey].map(([key, some]) => [key, assembleFields(some.map(([[, ...rest], value]) => [rest, value]))]),
  );
};

/** A repeated field begins the next element. An element that is no object is one field. */
const splitElements = (fields: Fields): Fields[] => {
  const all: (readonly [readonly string[], string])[][] = [];
  let seen = new Set<string>();
  for (const [[, ...rest], value] of fields) {
    const path = JSON.stringify(rest);
    // A list inside an element repeats its fields.
    if (all.length === 0 || rest.length === 0 || (seen.has(path) && !rest.includes(""))) {
      all.push([]);
      seen = new Set();
    }
    seen.add(path);
    all.at(-1)?.push([rest, value]);
  }
  return all;
};
