/** Parses single texts: scalars, JSON, and the encodings of URIs and forms. */

import type { ScalarKind, ValueShape } from "../core/ports/validators.ts";
import { hasDuplicateKeys } from "../http/duplicate-keys.ts";
import { type Choose, Unreadable } from "./readings.ts";

/**
 * Decodes a text.
 * @throws Unreadable
 */
export type Decode = (raw: string) => string;

export const asIs: Decode = (raw) => raw;

/** Percent-encoding (RFC 3986, section 2.1), of UTF-8. */
export const asUri: Decode = (raw) => {
  if (!raw.includes("%")) return raw;
  try {
    return decodeURIComponent(raw);
  } catch {
    throw new Unreadable("has an invalid percent-encoding");
  }
};

/** `application/x-www-form-urlencoded`, where `+` is a space: queries and forms (WHATWG URL, section 5.1). */
export const asForm: Decode = (raw) => asUri(raw.includes("+") ? raw.replaceAll("+", " ") : raw);

/** A cookie without encoding may contain a literal `%`. */
export const asCookie: Decode = (raw) => {
  try {
    return asUri(raw);
  } catch {
    return raw;
  }
};

const textShape: ValueShape = { kinds: ["string"] };

/** The shape of an own property. */
export const shapeOfProperty = ({ properties, rest }: ValueShape, name: string): ValueShape =>
  (properties && Object.hasOwn(properties, name) ? properties[name] : rest) ?? textShape;

export const scalar = (text: string, { kinds = [] }: ValueShape, choose: Choose): unknown => {
  const value = typed(text, kinds);
  return value === text || !kinds.includes("string")
    ? value
    : choose(
        () => value,
        () => text,
      );
};

/** A number as in JSON. */
const number = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

const typed = (text: string, kinds: readonly ScalarKind[]): unknown => {
  if ((kinds.includes("number") || kinds.includes("integer")) && number.test(text)) return Number(text);
  if (kinds.includes("boolean") && (text === "true" || text === "false")) return text === "true";
  return kinds.includes("null") && !kinds.includes("string") && (text === "" || text === "null") ? null : text;
};

export const json = (text: string): unknown => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Unreadable("is not valid JSON");
  }
  if (hasDuplicateKeys(text)) throw new Unreadable("has a duplicate key");
  return value;
};
