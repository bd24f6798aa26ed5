/** How parameters are read out of a request: by their style, or by the media type of their content. */
import type { ParameterCheck, Style } from "../../functions/gateway/core/ports/validators.ts";
import { mapOf, type Rooted, resolved, stringIn } from "./document.ts";
import { formOf } from "./forms.ts";
import { isForm, isJson, isText, mediaTypeOf } from "./media-types.ts";
import type { Parameter } from "./operations.ts";
import type { Schema } from "./schemas.ts";
import { shapeOf, type Translate } from "./shapes.ts";
import { explodes, nestedProblem, undefinedWriting } from "./styles.ts";

export type ParameterPlan = Omit<ParameterCheck, "check"> & { readonly schema: Schema };

/** A parameter that is checked, or why it is not; and what OpenAPI leaves undefined of how it is read. */
export interface Planned {
  readonly plan?: ParameterPlan;
  readonly unchecked?: string;
  readonly undefined?: string;
}

const styles: Readonly<Record<string, readonly Style[]>> = {
  query: ["form", "spaceDelimited", "pipeDelimited", "deepObject"],
  path: ["simple", "label"],
  header: ["simple"],
  cookie: ["form", "cookie"],
};

/** @param capture of the match, where it stands in the path */
export const parameterOf = (
  document: Rooted,
  parameter: Parameter,
  capture: string | undefined,
  translate: Translate,
): Planned => {
  const { name, value } = parameter;
  const place = parameter.in as ParameterPlan["in"];
  const common = {
    in: place,
    name,
    ...(capture !== undefined && place === "path" && { capture }),
    required: value.required === true || place === "path",
  };
  if (place === "header" && !isHeader.test(name)) return { unchecked: "no header can be called so" };
  const [content, ...others] = Object.entries(mapOf(value.content));
  if (content) {
    const planned = ofContent(document, common, content, translate);
    if (others.length === 0) return planned;
    return { ...planned, undefined: `OpenAPI has one media type for a parameter: ${content[0]} is read` };
  }
  const style = stringIn(value, "style") ?? styles[place]?.[0] ?? "";
  if (!styles[place]?.some((it) => it === style)) return { unchecked: styleProblem(style, place) };
  const schema = translate.schema(value.schema ?? {}, name);
  const shape = shapeOf(schema, translate.definitions());
  const explode = explodes(value, style);
  const nested = nestedProblem(shape, style, explode);
  if (nested !== undefined) return { unchecked: nested };
  const mayBeEmpty = place === "query" && style === "form" && value.allowEmptyValue === true;
  const plan = {
    ...common,
    style: style as Style,
    explode,
    shape,
    ...(mayBeEmpty && { mayBeEmpty: true as const }),
    schema,
  };
  const open = undefinedWriting(shape, style, explode);
  return { plan, ...(open !== undefined && { undefined: open }) };
};

/** RFC 9110, section 5.1. */
const isHeader = /^[\w!#$%&'*+.^`|~-]+$/;

const styleProblem = (style: string, place: string): string => {
  if (place === "querystring") return "it has no content";
  return style === "matrix" && place === "path"
    ? "the style matrix has semicolons, and no gate takes them in a path"
    : `nothing in ${place} is written in the style ${style}`;
};

const ofContent = (
  document: Rooted,
  common: Pick<ParameterPlan, "in" | "name" | "required">,
  [key, written]: readonly [string, unknown],
  translate: Translate,
): Planned => {
  const media = mapOf(resolved(document, written));
  const type = mediaTypeOf(key);
  const unread = { unchecked: `its content is ${type}` };
  const isWhole = common.in === "querystring";
  if (!isJson(type) && !isText(type) && !(isWhole && isForm(type))) return unread;
  const schema = translate.schema(media.schema ?? {}, common.name);
  const shape = shapeOf(schema, translate.definitions());
  if (isJson(type)) return { plan: { ...common, style: "json", explode: false, shape: {}, schema } };
  if (isText(type)) return shape.kinds ? { plan: { ...common, style: "text", explode: false, shape, schema } } : unread;
  const form = formOf({ document, media, shape, isMultipart: false });
  return typeof form === "string"
    ? { unchecked: form }
    : { plan: { ...common, style: "form", explode: true, shape: {}, form, schema } };
};
