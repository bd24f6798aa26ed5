/** Named fields, as queries, forms and cookies have them. */
import { Unreadable } from "./readings.ts";
import { asForm, type Decode } from "./values.ts";

/** What was sent under each name, in order; names are decoded, values are not. */
export type Fields = ReadonlyMap<string, readonly string[]>;

/** Of one query, form or header. */
export const maxFields = 10_000;

/** `a=1&b=2`. A name without `=` has an empty value. @throws Unreadable where there are too many */
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

/** A name that cannot be decoded is the name of no parameter. */
const nameIn = (raw: string, decode: Decode): string => {
  try {
    return decode(raw);
  } catch {
    return raw;
  }
};

/** Where the fields came from, and which of them are not for the value. */
export interface Source {
  readonly fields: Fields;
  readonly decode: Decode;
  /** Parses JSON. Where a text may be read again and again, it is parsed once. */
  readonly parse: (text: string) => unknown;
  readonly isOther: (name: string) => boolean;
}
