/** Whatever value the style table writes into a request, the gate reads back. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { parameterValue, requestParameters } from "../../../functions/gateway/serialization/parameters.ts";
import { accepted, firstRefused } from "../../../functions/gateway/serialization/readings.ts";
import type { JsonMap, OpenApi } from "../../../infra/openapi/document.ts";
import { type ParameterPlan, parameterPlan } from "../../../infra/openapi/parameters.ts";
import { schemaDocumentOf } from "../../../infra/openapi/references.ts";
import { createTranslator } from "../../../infra/openapi/schemas.ts";
import { translateWithin } from "../../../infra/openapi/shapes.ts";

const planOf = (parameter: JsonMap, version = "3.1.1"): ParameterPlan => {
  const document: OpenApi = { file: "it.yaml", version, root: { openapi: version } };
  const held = schemaDocumentOf(document);
  const it = { in: String(parameter.in), name: String(parameter.name), value: parameter };
  const { plan } = parameterPlan(
    document,
    it,
    "color",
    translateWithin(
      held,
      createTranslator(() => held),
    ),
  );
  if (!plan) throw new Error("it is not offered");
  return plan;
};

type Scalar = string | number | boolean;
type Value = Scalar | readonly Scalar[] | Readonly<Record<string, Scalar>>;
type Encode = (text: Scalar) => string;

interface Written {
  readonly query?: string;
  readonly segment?: string;
  readonly header?: string;
  readonly cookie?: string;
}

const uri: Encode = (text) =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (it) => `%${it.charCodeAt(0).toString(16)}`);
const plain: Encode = String;
const isList = (value: Value): value is readonly Scalar[] => Array.isArray(value);

/** As RFC 6570 expands `{list}` and `{list*}`. */
const joined = (value: Value, between: string, explode: boolean, encode: Encode): string => {
  if (typeof value !== "object") return encode(value);
  if (isList(value)) return value.map(encode).join(between);
  return Object.entries(value)
    .map(([key, it]) => `${key}${explode ? "=" : between}${encode(it)}`)
    .join(between);
};

/** As RFC 6570 expands `{?name}` and `{?name*}`. */
const named = (value: Value, between: string, explode: boolean, separator: string, encode: Encode): string => {
  if (typeof value !== "object" || !explode) return `color=${joined(value, between, false, encode)}`;
  if (isList(value)) return value.map((it) => `color=${encode(it)}`).join(separator);
  return Object.entries(value)
    .map(([key, it]) => `${key}=${encode(it)}`)
    .join(separator);
};

const deep = (value: Value): string =>
  Object.entries(value)
    .map(([key, it]) => `color%5B${key}%5D=${uri(it)}`)
    .join("&");

/** Separators that a style cannot escape, and what makes values disappear from a URL. */
const without = (characters: RegExp) => (value: Value) =>
  Object.values(typeof value === "object" ? value : { value }).every((it) => !characters.test(String(it)));
const any = () => true;

type Style = readonly [
  where: string,
  style: string,
  explode: boolean,
  write: (value: Value) => Written,
  fits: (value: Value) => boolean,
];
const styles: readonly Style[] = [
  ["query", "form", true, (it) => ({ query: named(it, ",", true, "&", uri) }), any],
  ["query", "form", false, (it) => ({ query: named(it, ",", false, "&", uri) }), any],
  ["query", "spaceDelimited", false, (it) => ({ query: named(it, "%20", false, "&", uri) }), without(/ /)],
  ["query", "pipeDelimited", false, (it) => ({ query: named(it, "%7C", false, "&", uri) }), without(/\|/)],
  ["query", "deepObject", true, (it) => ({ query: deep(it) }), (it) => typeof it === "object" && !isList(it)],
  ["path", "simple", false, (it) => ({ segment: joined(it, ",", false, uri) }), any],
  ["path", "simple", true, (it) => ({ segment: joined(it, ",", true, uri) }), any],
  ["path", "label", false, (it) => ({ segment: `.${joined(it, ",", false, uri)}` }), any],
  ["path", "label", true, (it) => ({ segment: `.${joined(it, ".", true, uri)}` }), without(/\./)],
  ["header", "simple", false, (it) => ({ header: joined(it, ",", false, plain) }), without(/[^!-+\--~]/)],
  ["header", "simple", true, (it) => ({ header: joined(it, ",", true, plain) }), without(/[^!-+\--~]/)],
  ["cookie", "form", false, (it) => ({ cookie: named(it, "%2C", false, "; ", uri) }), without(/,/)],
  ["cookie", "form", true, (it) => ({ cookie: named(it, ",", true, "; ", uri) }), any],
  ["cookie", "cookie", true, (it) => ({ cookie: named(it, ",", true, "; ", plain) }), without(/[^!-+\--:<-~]/)],
];

const scalars: Readonly<Record<string, fc.Arbitrary<Scalar>>> = {
  // Mostly what separates values somewhere.
  string: fc.string({ unit: fc.constantFrom(...",|.&=;+%/[]?#\"' aä€5"), maxLength: 6 }),
  integer: fc.integer(),
  number: fc.double({ noNaN: true, noDefaultInfinity: true }).map((it) => it + 0),
  boolean: fc.boolean(),
};
const kind = fc.constantFrom(...Object.keys(scalars));

/** A schema and a value that it allows. */
const sample = kind.chain((one) => {
  const scalar = scalars[one] as fc.Arbitrary<Scalar>;
  const properties = { R: { type: one }, G: { type: one } };
  return fc.oneof(
    fc.record({ schema: fc.constant({ type: one }), value: scalar }),
    fc.record({
      schema: fc.constant({ type: "array", items: { type: one } }),
      value: fc.array(scalar, { maxLength: 4 }),
    }),
    fc.record({ schema: fc.constant({ type: "object", properties }), value: fc.record({ R: scalar, G: scalar }) }),
  );
});

const readings = (plan: ParameterPlan, { query = "", segment = "", header, cookie }: Written): string[] => {
  const headers = { ...(header !== undefined && { color: header }), ...(cookie !== undefined && { cookie }) };
  const request = new Request("https://it.example", { headers });
  const sent = requestParameters(request, {
    captures: { color: segment },
    url: new URL(`https://it.example/?${query}`),
  });
  const seen: string[] = [];
  const note = (value: unknown) => {
    seen.push(JSON.stringify(value));
    return false;
  };
  expect(firstRefused((choose) => parameterValue({ ...plan, check: note }, sent, choose), note)).not.toBe(accepted);
  return seen;
};

it.each(styles)("in %s, style %s, explode %s", (where, style, explode, write, fits) => {
  fc.assert(
    fc.property(sample, ({ schema, value }) => {
      fc.pre(fits(value) && !(isList(value) && value.length === 0));
      const plan = planOf({ in: where, name: "color", style, explode, schema });
      expect(readings(plan, write(value))).toContain(JSON.stringify(value));
    }),
  );
});

it("reads a whole query as a form, or as JSON, as 3.2 writes it", () => {
  const schema = { type: "object", properties: { foo: {}, bar: { type: "boolean" } } };
  const form = { in: "querystring", name: "q", content: { "application/x-www-form-urlencoded": { schema } } };
  expect(readings(planOf(form, "3.2.0"), { query: "foo=a+%2B+b&bar=true" })).toContain('{"foo":"a + b","bar":true}');
  const json = { in: "querystring", name: "q", content: { "application/json": { schema } } };
  expect(readings(planOf(json, "3.2.0"), { query: "%7B%22bar%22%3Atrue%7D" })).toEqual(['{"bar":true}']);
  expect(readings(planOf(json, "3.2.0"), { query: "" })).toEqual([undefined]);
});
