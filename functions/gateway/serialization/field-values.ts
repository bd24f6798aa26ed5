/** Parses values of fields in the styles of queries, forms and cookies. */
import type { ValueFormat, ValueShape } from "../core/ports/validators.ts";
import { deepValue } from "./deep.ts";
import type { Source } from "./fields.ts";
import { joinedValue } from "./joined.ts";
import { type Choose, repeated } from "./readings.ts";
import { valueOfTexts } from "./texts.ts";
import { asIs, type Decode, scalar } from "./values.ts";

/**
 * @returns undefined when the value is absent
 * @throws Unreadable
 */
export const fieldValue = (name: string, format: ValueFormat, source: Source, choose: Choose): unknown => {
  const { style, explode, shape } = format;
  const { fields, decode } = source;
  const own = fields.get(name);
  if (style === "json") return own && jsonValue(own, shape, source, choose);
  if (style === "deepObject") return deepValue(name, shape, source, choose);
  if (!explode) return own && oneField(own, style, shape, decode, choose);
  if (!shape.properties) return own && valueOfTexts(own, shape, decode, choose);
  const object = explodedObject(shape, source, choose);
  if (!own || !(shape.kinds || shape.items) || Object.hasOwn(shape.properties, name)) return object;
  const plain = () => valueOfTexts(own, shape, decode, choose);
  return object === undefined ? plain() : choose(plain, () => object);
};

/**
 * Spaces and bars are separators also when encoded, since URLs cannot contain them otherwise (OpenAPI 3.1.1, appendix
 * E).
 */
const separators: Readonly<Record<string, string>> = { spaceDelimited: " ", pipeDelimited: "|" };

const oneField = (
  texts: readonly string[],
  style: string,
  shape: ValueShape,
  decode: Decode,
  choose: Choose,
): unknown => {
  const [first = ""] = texts;
  if (texts.length > 1) throw repeated();
  const between = separators[style];
  return between === undefined
    ? joinedValue(first, shape, { between: ",", equals: false, decode }, choose)
    : joinedValue(decode(first), shape, { between, equals: false, decode: asIs }, choose);
};

/** Each property is a field of its own. */
const explodedObject = (shape: ValueShape, { fields, decode, isOther }: Source, choose: Choose): unknown => {
  const { properties = {}, rest } = shape;
  const found: [string, unknown][] = [];
  for (const [name, texts] of fields) {
    const own = Object.hasOwn(properties, name) ? properties[name] : undefined;
    const known = own ?? (rest && !isOther(name) ? rest : undefined);
    if (known) found.push([name, valueOfTexts(texts, known, decode, choose)]);
  }
  return found.length === 0 ? undefined : Object.fromEntries(found);
};

/** Each text is a JSON value: for a list, an item or the list itself. */
const jsonValue = (texts: readonly string[], shape: ValueShape, { decode, parse }: Source, choose: Choose): unknown => {
  const [first = ""] = texts;
  const one = () => parse(decode(first));
  const all = (): unknown => texts.map((it) => parse(decode(it)));
  if (texts.length > 1 && !shape.items) throw repeated();
  const value = () => (shape.items ? (texts.length > 1 ? all() : choose(one, all)) : one());
  return shape.kinds && texts.length === 1 ? choose(value, () => scalar(decode(first), shape, choose)) : value();
};
