/** Parses the parameters of a request in the styles of OpenAPI. */

import type { ParameterCheck } from "../core/ports/validators.ts";
import type { Context } from "../core/types.ts";
import { cookieField } from "../http/cookies.ts";
import { fieldValue } from "./field-values.ts";
import { type Fields, fieldsOf } from "./fields.ts";
import { formValue } from "./forms.ts";
import { joinedValue } from "./joined.ts";
import { type Choose, repeated, Unreadable } from "./readings.ts";
import { asCookie, asForm, asIs, asUri, type Decode, json, scalar } from "./values.ts";

/** The sources of a request's parameters. Each is parsed once, however many parameters there are. */
export interface RequestParameters {
  readonly headers: Headers;
  readonly captures: Context["captures"];
  /** Without its question mark. */
  readonly search: string;
  readonly query: () => Fields;
  readonly cookies: () => Fields;
  /** Cookies whose values are exploded by `&`, as OpenAPI defines for the style `form`. */
  readonly explodedCookies: () => Fields;
}

export const requestParameters = (
  request: Request,
  { captures, url }: Pick<Context, "captures" | "url">,
): RequestParameters => {
  const search = url.search.slice(1);
  const cookie = () => cookieField(request.headers) ?? "";
  return {
    headers: request.headers,
    captures,
    search,
    query: once(() => fieldsOf(search)),
    cookies: once(() => cookieFields(cookie(), ";")),
    explodedCookies: once(() => cookieFields(cookie(), /[;&]/)),
  };
};

const once = <T>(make: () => T): (() => T) => {
  let value: T | undefined;
  return () => {
    value ??= make();
    return value;
  };
};

/** Cookies without surrounding spaces; pairs without a name are dropped (RFC 6265, section 4.2). */
const cookieFields = (text: string, separator: string | RegExp): Fields => {
  const fields = new Map<string, string[]>();
  for (const [name, values] of fieldsOf(text, separator, asIs)) {
    const own = name.trim();
    if (own !== "") fields.set(own, [...(fields.get(own) ?? []), ...values.map((it) => it.trim())]);
  }
  return fields;
};

/** The value of a parameter that is present and empty. */
export const emptyValue = Symbol("an empty value that stands for none");

/**
 * @returns undefined when it is absent
 * @throws Unreadable
 */
export const parameterValue = (it: ParameterCheck, parameters: RequestParameters, choose: Choose): unknown => {
  if (it.in === "path") return pathValue(it, parameters, choose);
  if (it.in === "header") return headerValue(it, parameters, choose);
  if (it.in === "cookie") return cookieValue(it, parameters, choose);
  if (it.in === "querystring") return querystringValue(it, parameters, choose);
  if (it.style === "text") return contentValue(it, parameters.query().get(it.name), asForm, choose);
  const own = it.mayBeEmpty ? parameters.query().get(it.name) : undefined;
  if (own?.length === 1 && own[0] === "") return emptyValue;
  return valueAmong(it, parameters.query(), asForm, choose);
};

const valueAmong = (it: ParameterCheck, fields: Fields, decode: Decode, choose: Choose): unknown => {
  const { others } = it;
  const isOther = (name: string): boolean => others?.includes(name) === true;
  const value = fieldValue(it.name, it, { fields, decode, parse: json, isOther }, choose);
  // An exploded object without properties leaves no trace in a request, required or not.
  const { kinds, items, properties } = it.shape;
  const isNowhere =
    it.explode && it.style !== "deepObject" && properties && !items && !kinds?.some((one) => one !== "null");
  return value === undefined && it.required && isNowhere ? {} : value;
};

const pathValue = (it: ParameterCheck, { captures }: RequestParameters, choose: Choose): unknown => {
  const { name, style, explode, shape } = it;
  const raw = captures[it.capture ?? name] ?? "";
  if (style === "json" || style === "text") return contentValue(it, [raw], asUri, choose);
  const joint = { between: ",", equals: explode, decode: asUri };
  if (style === "simple") return joinedValue(raw, shape, joint, choose);
  if (!raw.startsWith(".")) throw new Unreadable("is not in the style label");
  const rest = raw.slice(1);
  const dotted = () => joinedValue(rest, shape, { ...joint, between: "." }, choose);
  if (explode || !(shape.items || shape.properties)) return dotted();
  // OpenAPI before 3.0.4 and 3.1.1 showed dots where RFC 6570 has commas.
  return choose(() => joinedValue(rest, shape, joint, choose), dotted);
};

/** Headers are not percent-decoded (OpenAPI 3.2, parameters with `schema`). */
const headerValue = (it: ParameterCheck, { headers }: RequestParameters, choose: Choose): unknown => {
  const text = headers.get(it.name);
  if (text === null) return undefined;
  if (it.style !== "simple") return contentValue(it, [text], asIs, choose);
  return joinedValue(text, it.shape, { between: ",", equals: it.explode, decode: trimmed }, choose);
};

const trimmed: Decode = (text) => text.trim();

const cookieValue = (it: ParameterCheck, parameters: RequestParameters, choose: Choose): unknown => {
  if (it.style === "text") return contentValue(it, parameters.cookies().get(it.name), asIs, choose);
  const decode = it.style === "cookie" ? asIs : asCookie;
  const isSplit = it.style === "form" && it.explode && (it.shape.items || it.shape.properties);
  if (isSplit) return valueAmong(it, parameters.explodedCookies(), asCookie, choose);
  const own = parameters.cookies().get(it.name) ?? [];
  if (it.style === "cookie" || own.some((text) => text.includes(",")))
    return valueAmong(it, parameters.cookies(), decode, choose);
  // Cookies cannot contain commas (RFC 6265, section 4.1.1), so clients also encode separating commas.
  return valueAmong(it, new Map(own.length > 0 ? [[it.name, own.map(asCookie)]] : []), asIs, choose);
};

const querystringValue = (it: ParameterCheck, { search, query }: RequestParameters, choose: Choose): unknown => {
  if (search === "") return undefined;
  return it.form
    ? formValue({ fields: query(), decode: asForm, parse: json }, it.form, choose)
    : contentValue(it, [search], asUri, choose);
};

const contentValue = (it: ParameterCheck, texts: readonly string[] | undefined, decode: Decode, choose: Choose) => {
  const [first] = texts ?? [];
  if (first === undefined) return undefined;
  if (texts && texts.length > 1) throw repeated();
  return it.style === "json" ? json(decode(first)) : scalar(decode(first), it.shape, choose);
};
