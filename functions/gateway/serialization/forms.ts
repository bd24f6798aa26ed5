/** Parses a form into an object: `application/x-www-form-urlencoded` and `multipart/form-data`. */
import type { FieldFormat, FormFormat } from "../core/ports/validators.ts";
import { fieldValue } from "./field-values.ts";
import type { Source } from "./fields.ts";
import { type Choose, Unreadable } from "./readings.ts";

export type Form = Omit<Source, "isOther">;

/** @throws Unreadable with a pointer to the property */
export const formValue = (form: Form, { fields: formats, rest }: FormFormat, choose: Choose): unknown => {
  const isNamed = (name: string): boolean => Object.hasOwn(formats, name);
  const source = { ...form, isOther: isNamed };
  const found: [string, unknown][] = [];
  for (const [name, format] of Object.entries(formats)) {
    const value = withPointer(name, () => fieldValue(name, format, source, choose));
    if (value !== undefined) found.push([name, value]);
  }
  const compoundFormats = Object.entries(formats).filter(
    ([, { style, shape }]) => style === "deepObject" || shape.properties,
  );
  for (const [name, texts] of form.fields)
    if (!isNamed(name) && !compoundFormats.some((taker) => isPartOf(taker, name)))
      found.push([name, withPointer(name, () => (rest ? fieldValue(name, rest, source, choose) : anyOf(texts, form)))]);
  return Object.fromEntries(found);
};

/** Whether a field belongs to a property that has several fields. */
const isPartOf = ([property, { style, explode, shape }]: [string, FieldFormat], name: string): boolean => {
  if (style === "deepObject") return name.startsWith(`${property}[`);
  if (style === "json" || !explode || !shape.properties) return false;
  return shape.rest !== undefined || Object.hasOwn(shape.properties, name);
};

/** A field that the schema does not describe may be repeated. */
const anyOf = (texts: readonly string[], { decode }: Form): unknown =>
  texts.length === 1 ? decode(texts[0] ?? "") : texts.map(decode);

const withPointer = <T>(name: string, read: () => T): T => {
  try {
    return read();
  } catch (error) {
    throw error instanceof Unreadable ? new Unreadable(error.detail, pointerTo(name)) : error;
  }
};

/** RFC 6901, section 3. */
export const pointerTo = (name: string): string => `/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
