/** Parses JSON and form bodies into the values that schemas describe. */
import type { BodyCheck, ContentCheck, FieldFormat, FormFormat } from "../core/ports/validators.ts";
import { add, type Fields, fieldsOf } from "./fields.ts";
import { formValue, pointerTo } from "./forms.ts";
import { boundaryIn, type FormPart, partsOf, textOf } from "./multipart.ts";
import { type Choose, Unreadable } from "./readings.ts";
import { asForm, asIs, json } from "./values.ts";

/**
 * Whether the body is not encoded. A service would decode another body than the one that was checked: a text can be
 * JSON and deflated bytes at once (RFC 9110, section 15.5.16).
 */
export const isPlain = ({ headers }: Request): boolean =>
  /^\s*(?:identity)?\s*$/i.test(headers.get("content-encoding") ?? "");

const charset = /;\s*charset\s*=\s*"?([^";\s]*)/gi;

/**
 * Whether the charset is UTF-8. JSON (RFC 8259, section 8.1) and forms have no other encoding; a service that honours
 * another charset would read another body than this gate.
 */
export const isUnicode = (field: string): boolean =>
  [...field.matchAll(charset)].every(([, name = ""]) => /^(?:utf-?8|us-ascii)$/i.test(name));

const noFields: FormFormat = { fields: {} };

/**
 * @param field the request's `Content-Type`
 * @returns the interpretations of the body
 * @throws Unreadable when it cannot be parsed, with a pointer when one field is the cause
 */
export const contentReader = (
  { as, form = noFields }: Pick<ContentCheck, "as" | "form">,
  field: string,
  body: Uint8Array,
): ((choose: Choose) => unknown) => {
  if (as === "json") {
    const value = json(withoutByteOrderMark(textOf(body)));
    return () => value;
  }
  const parse = memoized(json);
  if (as === "form") {
    const fields = fieldsOf(textOf(body));
    return (choose) => formValue({ fields, decode: asForm, parse }, form, choose);
  }
  const fields = fieldsOfParts(partsOf(body, boundaryIn(field)), form);
  return (choose) => formValue({ fields, decode: asIs, parse }, form, choose);
};

const memoized = (parse: (text: string) => unknown): ((text: string) => unknown) => {
  const known = new Map<string, unknown>();
  return (text) => {
    if (!known.has(text)) known.set(text, parse(text));
    return known.get(text);
  };
};

/** A byte order mark may be ignored (RFC 8259, section 8.1). */
const withoutByteOrderMark = (text: string): string => (text.startsWith("\uFEFF") ? text.slice(1) : text);

const fieldsOfParts = (parts: readonly FormPart[], { fields: formats, rest }: FormFormat): Fields => {
  const fields = new Map<string, string[]>();
  for (const part of parts) {
    const { name } = part;
    const format = Object.hasOwn(formats, name) ? formats[name] : rest;
    if (!isUnchosen(part)) add(fields, name, textOfPart(part, format));
  }
  return fields;
};

/** Browsers send an empty file without a name when no file was chosen (HTML, section 4.10.21.4). */
const isUnchosen = ({ filename, bytes }: FormPart): boolean => filename === "" && bytes.byteLength === 0;

const textOfPart = (part: FormPart, format: FieldFormat | undefined): string => {
  const refuse = (detail: string): never => {
    throw new Unreadable(detail, pointerTo(part.name));
  };
  if (format && !isOfType(part, format)) refuse(`must be ${(format.types ?? ["JSON"]).join(", ")}`);
  const isFile = format ? (format.shape.file ?? format.shape.items?.file) : part.filename !== undefined;
  // Schemas only constrain the length of a file.
  if (isFile) return " ".repeat(part.bytes.byteLength);
  if (!["utf-8", "utf8", "us-ascii", undefined].includes(part.charset)) refuse("is not valid UTF-8");
  if (!["7bit", "8bit", "binary", undefined].includes(part.transfer)) refuse("has an unsupported transfer encoding");
  try {
    return textOf(part.bytes);
  } catch {
    return refuse("is not valid UTF-8");
  }
};

/** Clients send no type for fields that are not files, so a text counts as the expected type. */
const isOfType = ({ type, filename }: FormPart, { types, style }: FieldFormat): boolean => {
  if (types === undefined) return style !== "json" || type === undefined || type === "text/plain" || isJson(type);
  if (type === undefined && filename === undefined) return true;
  return types.some((it) => it === type || it === "*/*" || (it.endsWith("/*") && type?.startsWith(it.slice(0, -1))));
};

const isJson = (type: string): boolean => /^(?:(?:application|text)\/json|[\w.-]+\/[\w.+-]+\+json)$/.test(type);

/**
 * The check for a media type: an exact match, a suffix, a range or any type.
 * @returns null when only presence is checked; undefined when there is none
 */
export const contentCheckFor = (types: BodyCheck["types"], field: string): ContentCheck | null | undefined => {
  const type = (field.split(";")[0] ?? "").trim().toLowerCase();
  const suffix = type.startsWith("application/") && type.endsWith("+json") ? ["application/*+json"] : [];
  const names = [type, ...suffix, `${type.split("/")[0]}/*`, "*/*"];
  const name = names.find((it) => Object.hasOwn(types, it));
  return name === undefined ? undefined : types[name];
};
