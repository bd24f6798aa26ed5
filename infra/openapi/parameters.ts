/** The validation plan of parameters, by their style or by the media type of their content. */
import type { ParameterCheck, ParameterStyle } from "../../functions/gateway/core/ports/validators.ts";
import { type JsonDocument, mapOf, resolveRefs, stringIn } from "./document.ts";
import { formFormat } from "./forms.ts";
import { isForm, isJson, isText, mediaTypeOf } from "./media-types.ts";
import type { Parameter } from "./operations.ts";
import type { Schema } from "./schemas.ts";
import { type SchemaTranslator, shapeOf } from "./shapes.ts";
import { isExploded, nestedProblem, undefinedStyle } from "./styles.ts";

export type ParameterPlan = Omit<ParameterCheck, "check"> & { readonly schema: Schema };

/** The plan of a parameter, or why it is not checked; and what OpenAPI leaves undefined. */
export interface ParameterResult {
  readonly plan?: ParameterPlan;
  readonly unchecked?: string;
  readonly undefined?: string;
}

const stylesByPlace: Readonly<Record<string, readonly ParameterStyle[]>> = {
  query: ["form", "spaceDelimited", "pipeDelimited", "deepObject"],
  path: ["simple", "label"],
  header: ["simple"],
  cookie: ["form", "cookie"],
};

/** @param capture of the match, for a path parameter */
export const parameterPlan = (
  document: JsonDocument,
  parameter: Parameter,
  capture: string | undefined,
  translate: SchemaTranslator,
): ParameterResult => {
  const { name, value } = parameter;
  const place = parameter.in as ParameterPlan["in"];
  const shared = {
    in: place,
    name,
    ...(capture !== undefined && place === "path" && { capture }),
    required: value.required === true || place === "path",
  };
  if (place === "header" && !headerNamePattern.test(name)) return { unchecked: "it is not a valid header name" };
  const [content, ...others] = Object.entries(mapOf(value.content));
  if (content) {
    const planned = contentParameter(document, shared, content, translate);
    if (others.length === 0) return planned;
    return { ...planned, undefined: `OpenAPI has one media type for a parameter: ${content[0]} is read` };
  }
  const style = stringIn(value, "style") ?? stylesByPlace[place]?.[0] ?? "";
  if (!stylesByPlace[place]?.some((it) => it === style)) return { unchecked: styleProblem(style, place) };
  const schema = translate.schema(value.schema ?? {}, name);
  const shape = shapeOf(schema, translate.definitions());
  const explode = isExploded(value, style);
  const problem = nestedProblem(shape, style, explode);
  if (problem !== undefined) return { unchecked: problem };
  const mayBeEmpty = place === "query" && style === "form" && value.allowEmptyValue === true;
  const plan = {
    ...shared,
    style: style as ParameterStyle,
    explode,
    shape,
    ...(mayBeEmpty && { mayBeEmpty: true as const }),
    schema,
  };
  const undefinedStyleNote = undefinedStyle(shape, style, explode);
  return { plan, ...(undefinedStyleNote !== undefined && { undefined: undefinedStyleNote }) };
};

/** RFC 9110, section 5.1. */
const headerNamePattern = /^[\w!#$%&'*+.^`|~-]+$/;

const styleProblem = (style: string, place: string): string => {
  if (place === "querystring") return "it has no content";
  return style === "matrix" && place === "path"
    ? "the style matrix has semicolons, which no gate accepts in a path"
    : `${place} parameters do not have the style ${style}`;
};

const contentParameter = (
  document: JsonDocument,
  shared: Pick<ParameterPlan, "in" | "name" | "required">,
  [key, written]: readonly [string, unknown],
  translate: SchemaTranslator,
): ParameterResult => {
  const media = mapOf(resolveRefs(document, written));
  const type = mediaTypeOf(key);
  const uncheckedResult = { unchecked: `its content is ${type}` };
  const isWholeQuery = shared.in === "querystring";
  if (!isJson(type) && !isText(type) && !(isWholeQuery && isForm(type))) return uncheckedResult;
  const schema = translate.schema(media.schema ?? {}, shared.name);
  const shape = shapeOf(schema, translate.definitions());
  if (isJson(type)) return { plan: { ...shared, style: "json", explode: false, shape: {}, schema } };
  if (isText(type))
    return shape.kinds ? { plan: { ...shared, style: "text", explode: false, shape, schema } } : uncheckedResult;
  const form = formFormat({ document, media, shape, isMultipart: false });
  return typeof form === "string"
    ? { unchecked: form }
    : { plan: { ...shared, style: "form", explode: true, shape: {}, form, schema } };
};
