/** Parses named fields of queries, forms and cookies. */
import { Unreadable } from "./readings.ts";
import { asForm, type Decode } from "./values.ts";

/** Values by name, in order. Names are decoded, values are not. */
export type Fields = ReadonlyMap<string, readonly string[]>;

/** Per query, form or header. */
export const maxFields = 10_000;

/**
 * Parses `a=1&b=2`. A name without `=` has an empty value.
 * @throws Unreadable when there are too many fields
 */
export const fieldsOf = (text: string, separator: RegExp | string = "&", decode: Decode = asForm): Fields => {
  const fields = new Map<string, string[]>();
  if (text === "") return fields;
  const pairs = text.split(separator, maxFields + 1);
  if (pairs.length > maxFields) throw new Unreadable(`has more than ${maxFields} fields`);
  for (const pair of pairs) {
    if (pair === "") continue;
    const at = pair.indexOf("=");
    add(fields, nameIn(at < 0 ? pair : pair.slice(0, at), decode), at < 0 ? "" : pair.slice(at + 1));
  }
  return fields;
};

export const add = (fields: Map<string, string[]>, name: string, value: string): void => {
  const before = fields.get(name);
  if (before) before.push(value);
  else fields.set(name, [value]);
};

/** A name that cannot be decoded stays raw and matches no parameter. */
const nameIn = (raw: string, decode: Decode): string => {
  try {
    return decode(raw);
  } catch {
    return raw;
  }
};

/** The fields, how to decode them, and which of them belong to other values. */
export interface Source {
  readonly fields: Fields;
  readonly decode: Decode;
  /** Parses JSON. May be memoized, since a text can be parsed several times. */
  readonly parse: (text: string) => unknown;
  readonly isOther: (name: string) => boolean;
}
