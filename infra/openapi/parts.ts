/** The validation plan of JSON Schemas in a manifest: for the body and for maps of parameters. */
import type { OperationPlan } from "./checks.ts";
import { annotationKeywords } from "./dialects.ts";
import { DocumentError, isMap, type Json, type JsonMap, listOf, mapOf, maxReferences } from "./document.ts";
import { type ParameterPlan, parameterPlan } from "./parameters.ts";
import {
  childLocation,
  type LocatedSchema,
  type OpenDocument,
  resolveReference,
  type SchemaLocation,
} from "./references.ts";
import type { Schema, Translator } from "./schemas.ts";
import { takesScalars } from "./styles.ts";

export const partNames = ["path", "query", "header", "cookie", "body"] as const;
export type PartName = (typeof partNames)[number];
export type ParameterPart = Exclude<PartName, "body">;

/** The schema of a request part, with its location. */
export type RequestPart = LocatedSchema;
export type RequestParts = Readonly<Partial<Record<PartName, RequestPart>>>;

/** The plan for all methods of a route. */
export interface PartsPlan {
  readonly body?: Schema;
  readonly fields: readonly ParameterField[];
  /** The only accepted parameters, if closed. */
  readonly only: OperationPlan["only"];
}

/** One parameter. */
export interface ParameterField {
  readonly in: ParameterPart;
  readonly name: string;
  readonly required: boolean;
  readonly schema: Schema;
  /** Location of its schema. */
  readonly location: SchemaLocation;
}

export const planParts = (parts: RequestParts, translate: Translator, openDocument: OpenDocument): PartsPlan => {
  const body = parts.body && translate.schema(parts.body.value, parts.body);
  const maps = partNames.flatMap((name) => {
    const part = parts[name];
    return name === "body" || !part ? [] : [mapPart(name, part, translate, openDocument)];
  });
  return {
    ...(body !== undefined && { body }),
    fields: maps.flatMap(({ fields }) => fields),
    only: maps.some(({ closed: isClosed }) => isClosed)
      ? { query: maps.flatMap((it) => (it.closed ? it.names : [])) }
      : undefined,
  };
};

const mapKeywords = ["type", "properties", "required", "additionalProperties"];

/** Splits a map of parameters, so that each invalid one is reported by name. */
const mapPart = (name: ParameterPart, part: RequestPart, translate: Translator, openDocument: OpenDocument) => {
  const { fail } = translate;
  const { value, location } = followRefs(part, translate, openDocument);
  for (const keyword of Object.keys(value))
    if (
      !mapKeywords.includes(keyword) &&
      !annotationKeywords.includes(keyword) &&
      keyword !== "$id" &&
      !keyword.startsWith("x-")
    )
      fail(
        location,
        `${name} is a map of parameters, and "${keyword}" does not apply to one`,
        `its keywords are ${mapKeywords.join(", ")}`,
        keyword,
      );
  if (value.type !== undefined && value.type !== "object")
    fail(childLocation(location, "type"), `${name} is a map of parameters`, "write type: object, or leave it out");
  const { properties = {}, required = [], additionalProperties = true } = value;
  if (!isMap(properties)) fail(childLocation(location, "properties"), "properties is a map of schemas");
  if (!Array.isArray(required) || required.some((it) => typeof it !== "string"))
    fail(childLocation(location, "required"), "required is a list of texts");
  const isClosed = additionalProperties === false;
  if (typeof additionalProperties !== "boolean")
    fail(childLocation(location, "additionalProperties"), `of ${name}, additionalProperties is true or false`);
  else if (isClosed && name !== "query")
    fail(
      childLocation(location, "additionalProperties"),
      `${name} cannot be closed, because other components add to it`,
      "only query can be closed",
    );
  const requiredNames = listOf(required).map(String);
  const allMethods: JsonMap = {
    ...Object.fromEntries(requiredNames.map((it) => [it, true as Json])),
    ...mapOf(properties),
  };
  const fields = Object.entries(allMethods).map(([key, it]): ParameterField => {
    const propertyLocation: SchemaLocation = { ...childLocation(location, "properties", key), name: key };
    return {
      in: name,
      name: key,
      required: requiredNames.includes(key),
      schema: translate.schema(it, propertyLocation),
      location: propertyLocation,
    };
  });
  return { fields, closed: isClosed, names: Object.keys(allMethods) };
};

const followRefs = (
  part: RequestPart,
  { fail }: Translator,
  openDocument: OpenDocument,
): { readonly value: JsonMap; readonly location: SchemaLocation } => {
  let at = part;
  try {
    for (let turn = 0; turn < maxReferences && isMap(at.value) && typeof at.value.$ref === "string"; turn++)
      at = { ...resolveReference(at.value.$ref, at.document, openDocument), name: part.name };
  } catch (error) {
    if (!(error instanceof DocumentError)) throw error;
    fail(at, error.message, error.remedy, "$ref");
    return { value: {}, location: at };
  }
  if (isMap(at.value)) return { value: at.value, location: at };
  fail(at, `${part.name} is a map of parameters`, "write properties: { limit: { type: integer } }");
  return { value: {}, location: at };
};

/** Methods that require a body. */
const bodyMethods = ["POST", "PUT", "PATCH"];

/** The plans by method: the body is required for methods with a body, and checked whenever there is one. */
export const operationPlans = (
  { body, fields, only }: PartsPlan,
  methods: readonly string[],
  translate: Translator,
): Readonly<Record<string, OperationPlan>> => {
  const document = { file: "", root: {} };
  const parameters = fields.flatMap((it): ParameterPlan[] => {
    const value = { required: it.required, schema: it.schema as Json };
    const { definitions } = translate;
    const { plan } = parameterPlan(document, { ...it, value }, it.name, { schema: () => it.schema, definitions });
    if (plan && (takesScalars(plan.shape) || plan.shape.items || !plan.shape.properties)) return [plan];
    translate.fail(
      it.location,
      `${it.name} is a value, or a list of them`,
      "write its properties as separate parameters",
    );
    return [];
  });
  const jsonContent = { as: "json", schema: body ?? true } as const;
  const allMethods = methods.includes("ANY") ? [...bodyMethods, "ANY"] : methods.filter((it) => it !== "OPTIONS");
  return Object.fromEntries(
    allMethods.map((method): [string, OperationPlan] => [
      method,
      {
        parameters,
        ...(only && { only }),
        ...(body !== undefined && {
          body: {
            required: bodyMethods.includes(method),
            types: { "application/json": jsonContent, "application/*+json": jsonContent },
          },
        }),
      },
    ]),
  );
};
