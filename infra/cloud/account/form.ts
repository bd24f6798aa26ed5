/**
 * Reads forms as clients write them: a value is one part of JSON, as wrangler and curl send it, or a part for each of its
 * fields with the path in brackets, as Cloudflare's own SDK does: `metadata[bindings][][name]`. Then every value is a text.
 */
import { apiErrors } from "./api-errors.ts";

/** A client that writes more has lost its way. */
const maxFields = 10_000;
/** Keys of a path; what the API takes has a few. */
const maxDepth = 20;

/**
 * @returns undefined where there is none
 * @throws CloudFault where it is no JSON
 */
export const readFormValue = async (form: FormData, name: string): Promise<unknown> => {
  const whole = form.get(name);
  if (whole !== null) return parseJson(typeof whole === "string" ? whole : await whole.text(), name);
  const fields = [...form.entries()].flatMap(([field, value]) => {
    const path = fieldPath(field, name);
    return path && typeof value === "string" ? [[path, value] as const] : [];
  });
  if (fields.length === 0) return undefined;
  if (fields.length > maxFields) throw apiErrors.malformed(`${name} has more than ${maxFields} fields`);
  return assembleFields(fields);
};

/** The files of a form: by the name of the part, or by the file's where they come as a list. */
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

/** `a[b][][c]` is `["b", "", "c"]` of `a`. */
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

/** An element ends where a field comes that it has already; one that is no object is an element by itself. */
const splitElements = (fields: Fields): Fields[] => {
  const all: (readonly [readonly string[], string])[][] = [];
  let seen = new Set<string>();
  for (const [[, ...rest], value] of fields) {
    const path = JSON.stringify(rest);
    // A list inside an element says its fields more than once.
    if (all.length === 0 || rest.length === 0 || (seen.has(path) && !rest.includes(""))) {
      all.push([]);
      seen = new Set();
    }
    seen.add(path);
    all.at(-1)?.push([rest, value]);
  }
  return all;
};
