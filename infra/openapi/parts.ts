/** What is checked of requests by JSON Schemas that a manifest gives for their parts: the body, and maps of parameters. */
import type { OperationPlan } from "./checks.ts";
import { annotations } from "./dialects.ts";
import { DocumentError, isMap, type Json, type JsonMap, listOf, mapOf, mostHops } from "./document.ts";
import { type ParameterPlan, parameterOf } from "./parameters.ts";
import { beneath, type Named, namedBy, type Open, type Place } from "./references.ts";
import type { Schema, Translator } from "./schemas.ts";
import { takesScalars } from "./styles.ts";

export const partNames = ["path", "query", "header", "cookie", "body"] as const;
export type PartName = (typeof partNames)[number];
export type ParameterPart = Exclude<PartName, "body">;

/** Where the schema of a part stands, and what it is. */
export type Part = Named;
export type Parts = Readonly<Partial<Record<PartName, Part>>>;

/** Of all methods. */
export interface PartsPlan {
  readonly body?: Schema;
  readonly fields: readonly Field[];
  /** No other parameter is taken than these. */
  readonly only: OperationPlan["only"];
}

/** One parameter. */
export interface Field {
  readonly in: ParameterPart;
  readonly name: string;
  readonly required: boolean;
  readonly schema: Schema;
  /** Where it is described. */
  readonly place: Place;
}

export const partsPlan = (parts: Parts, translate: Translator, open: Open): PartsPlan => {
  const body = parts.body && translate.schema(parts.body.value, parts.body);
  const maps = partNames.flatMap((name) => {
    const part = parts[name];
    return name === "body" || !part ? [] : [mapPart(name, part, translate, open)];
  });
  return {
    ...(body !== undefined && { body }),
    fields: maps.flatMap(({ fields }) => fields),
    only: maps.some(({ closed }) => closed) ? { query: maps.flatMap((it) => (it.closed ? it.names : [])) } : undefined,
  };
};

const ofMaps = ["type", "properties", "required", "additionalProperties"];

/** A map of parameters is read one by one, so that each wrong one is told by its name. */
const mapPart = (name: ParameterPart, part: Part, translate: Translator, open: Open) => {
  const { fail } = translate;
  const { value, place } = followed(part, translate, open);
  for (const word of Object.keys(value))
    if (!ofMaps.includes(word) && !annotations.includes(word) && word !== "$id" && !word.startsWith("x-"))
      fail(
        place,
        `${name} is a map of parameters, and "${word}" is said of none of them`,
        `its words are ${ofMaps.join(", ")}`,
        word,
      );
  if (value.type !== undefined && value.type !== "object")
    fail(beneath(place, "type"), `${name} is a map of parameters`, "write type: object, or leave it out");
  const { properties = {}, required = [], additionalProperties = true } = value;
  if (!isMap(properties)) fail(beneath(place, "properties"), "properties is a map of schemas");
  if (!Array.isArray(required) || required.some((it) => typeof it !== "string"))
    fail(beneath(place, "required"), "required is a list of texts");
  const closed = additionalProperties === false;
  if (typeof additionalProperties !== "boolean")
    fail(beneath(place, "additionalProperties"), `of ${name}, additionalProperties is true or false`);
  else if (closed && name !== "query")
    fail(
      beneath(place, "additionalProperties"),
      `no client knows all that is sent in ${name}`,
      "only query can be closed",
    );
  const asked = listOf(required).map(String);
  const all: JsonMap = { ...Object.fromEntries(asked.map((it) => [it, true as Json])), ...mapOf(properties) };
  const fields = Object.entries(all).map(([key, it]): Field => {
    const here: Place = { ...beneath(place, "properties", key), name: key };
    return { in: name, name: key, required: asked.includes(key), schema: translate.schema(it, here), place: here };
  });
  return { fields, closed, names: Object.keys(all) };
};

const followed = (part: Part, { fail }: Translator, open: Open): { readonly value: JsonMap; readonly place: Place } => {
  let at = part;
  try {
    for (let hop = 0; hop < mostHops && isMap(at.value) && typeof at.value.$ref === "string"; hop++)
      at = { ...namedBy(at.value.$ref, at.document, open), name: part.name };
  } catch (error) {
    if (!(error instanceof DocumentError)) throw error;
    fail(at, error.message, error.remedy, "$ref");
    return { value: {}, place: at };
  }
  if (isMap(at.value)) return { value: at.value, place: at };
  fail(at, `${part.name} is a map of parameters`, "write properties: { limit: { type: integer } }");
  return { value: {}, place: at };
};

/** Methods whose requests are nothing without a body. */
const bringing = ["POST", "PUT", "PATCH"];

/** What a route is asked by: a body has to be there where the method brings one, and is checked wherever one comes. */
export const operationsBy = (
  { body, fields, only }: PartsPlan,
  methods: readonly string[],
  translate: Translator,
): Readonly<Record<string, OperationPlan>> => {
  const document = { file: "", root: {} };
  const parameters = fields.flatMap((it): ParameterPlan[] => {
    const value = { required: it.required, schema: it.schema as Json };
    const { definitions } = translate;
    const { plan } = parameterOf(document, { ...it, value }, it.name, { schema: () => it.schema, definitions });
    if (plan && (takesScalars(plan.shape) || plan.shape.items || !plan.shape.properties)) return [plan];
    translate.fail(
      it.place,
      `${it.name} is a value, or a list of them`,
      "write what it holds as parameters of their own",
    );
    return [];
  });
  const asJson = { as: "json", schema: body ?? true } as const;
  const all = methods.includes("ANY") ? [...bringing, "ANY"] : methods.filter((it) => it !== "OPTIONS");
  return Object.fromEntries(
    all.map((method): [string, OperationPlan] => [
      method,
      {
        parameters,
        ...(only && { only }),
        ...(body !== undefined && {
          body: {
            required: bringing.includes(method),
            types: { "application/json": asJson, "application/*+json": asJson },
          },
        }),
      },
    ]),
  );
};
