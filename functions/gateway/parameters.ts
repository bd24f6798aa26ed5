/** Reads parameters out of a request as OpenAPI writes them into one: styles, lists, maps. */
import { cookies } from "./cookies.ts";
import { hasTwins } from "./twins.ts";
import type { Context } from "./types.ts";
import type { Kind, ParameterCheck } from "./validators.ts";

/** Readings of what was sent, the likeliest first; none where it cannot be read; undefined where it is absent. */
export type Readings = readonly unknown[] | undefined;

/** Where a request carries its parameters. */
export interface Sent {
  readonly request: Request;
  readonly captures: Context["captures"];
  readonly query: URLSearchParams;
}

export const readingsOf = (it: ParameterCheck, sent: Sent): Readings => {
  if (it.as === "map" && it.in === "query") return mapIn(it, sent.query);
  const texts = textsOf(it, sent);
  if (texts === undefined) return [];
  const [first] = texts;
  if (first === undefined) return undefined;
  if (it.as === "list") return listOf(it, texts);
  // Which of two is meant, this gate and the service could see differently.
  if (texts.length > 1) return [];
  if (it.as === "json") return json(first);
  return it.as === "map" ? [propertiesOf(it, first.split(","))] : valuesOf(first, it.kinds);
};

/** Undefined where it is no text. */
const textsOf = (
  { in: place, name, capture }: ParameterCheck,
  { request: { headers }, captures, query }: Sent,
): readonly string[] | undefined => {
  if (place === "query") return query.getAll(name);
  if (place === "cookie") return cookies(headers, name);
  if (place === "header") return present(headers.get(name));
  try {
    return present(decodeURIComponent(captures[capture ?? name] ?? ""));
  } catch {
    return undefined;
  }
};

const present = (text: string | null): string[] => (text === null ? [] : [text]);

const listOf = ({ kinds, between }: ParameterCheck, texts: readonly string[]): Readings => {
  if (between !== undefined && texts.length > 1) return [];
  const items = between === undefined ? texts : (texts[0] ?? "").split(between).map((it) => it.trim());
  const read = items.map((it) => valuesOf(it, kinds));
  const plainly = read.map(([value]) => value);
  return kinds.includes("string") && kinds.length > 1 ? [plainly, items] : [plainly];
};

const number = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** A number is one only as JSON writes it. */
const valuesOf = (text: string, kinds: readonly Kind[]): readonly [unknown, ...unknown[]] => {
  const read = kindOf(text, kinds);
  return read === text || !kinds.includes("string") ? [read] : [read, text];
};

const kindOf = (text: string, kinds: readonly Kind[]): unknown => {
  if ((kinds.includes("number") || kinds.includes("integer")) && number.test(text)) return Number(text);
  if (kinds.includes("boolean") && (text === "true" || text === "false")) return text === "true";
  return kinds.includes("null") && !kinds.includes("string") && (text === "" || text === "null") ? null : text;
};

const json = (text: string): Readings => {
  try {
    const value: unknown = JSON.parse(text);
    return hasTwins(text) ? [] : [value];
  } catch {
    return [];
  }
};

/** `a,1,b,2` */
const propertiesOf = ({ properties = {} }: ParameterCheck, texts: readonly string[]): unknown => {
  const pairs = Array.from({ length: Math.ceil(texts.length / 2) }, (_, index) =>
    texts.slice(index * 2, index * 2 + 2),
  );
  return Object.fromEntries(pairs.map(([key = "", text = ""]) => [key, valueUnder(properties, key, text)]));
};

const mapIn = ({ name, deep, properties = {} }: ParameterCheck, search: URLSearchParams): Readings => {
  const found = [...search].flatMap(([key, text]): [string, string][] => {
    if (!deep) return Object.hasOwn(properties, key) ? [[key, text]] : [];
    return key.startsWith(`${name}[`) && key.endsWith("]") ? [[key.slice(name.length + 1, -1), text]] : [];
  });
  if (found.length === 0) return undefined;
  return [Object.fromEntries(found.map(([key, text]) => [key, valueUnder(properties, key, text)]))];
};

const valueUnder = (properties: Readonly<Record<string, readonly Kind[]>>, key: string, text: string): unknown =>
  valuesOf(text, (Object.hasOwn(properties, key) && properties[key]) || ["string"])[0];
