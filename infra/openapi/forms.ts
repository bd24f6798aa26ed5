/** How the properties of an object are written as fields of a form. */
import type { FieldFormat, FormFormat, Shape } from "../../functions/gateway/core/ports/validators.ts";
import { type JsonMap, mapOf, type Rooted, resolved, stringIn } from "./document.ts";
import { isJson, isText, mediaTypeOf } from "./media-types.ts";
import { explodes, nestedProblem, takesScalars } from "./styles.ts";

export interface Written {
  readonly document: Rooted;
  /** A Media Type Object. */
  readonly media: JsonMap;
  readonly shape: Shape;
  readonly isMultipart: boolean;
}

/** @returns why it is not checked, where it is not */
export const formOf = ({ document, media, shape, isMultipart: isParts }: Written): FormFormat | string => {
  if (!shape.properties) return "its schema is not that of an object";
  if (media.prefixEncoding !== undefined || media.itemEncoding !== undefined) return "its parts have no names";
  const encodings = mapOf(media.encoding);
  const fields: [string, FieldFormat][] = [];
  for (const [name, it] of Object.entries(shape.properties)) {
    const encoding = mapOf(resolved(document, encodings[name] ?? {}));
    const styled = ["style", "explode", "allowReserved"].some((word) => encoding[word] !== undefined);
    const takesStyles = !isParts || stringIn(mapOf(document.root), "openapi")?.startsWith("3.2");
    const format = styled && takesStyles ? styledField(it, encoding) : typedField(it, encoding, isParts);
    if (typeof format === "string") return `the property ${name} ${format}`;
    fields.push([name, format]);
  }
  const rest = shape.rest && typedField(shape.rest, {}, isParts);
  if (typeof rest === "string") return `a property ${rest}`;
  return { fields: Object.fromEntries(fields), ...(rest && { rest }) };
};

/** As parameters of a query. */
const styledField = (shape: Shape, encoding: JsonMap): FieldFormat | string => {
  const style = stringIn(encoding, "style") ?? "form";
  if (!["form", "spaceDelimited", "pipeDelimited", "deepObject"].includes(style))
    return `is written in the style ${style}`;
  const explode = explodes(encoding, style);
  const nested = nestedProblem(shape, style, explode);
  return nested === undefined ? { style: style as FieldFormat["style"], explode, shape } : `cannot be read: ${nested}`;
};

/** As values of media types: text, or JSON where the value is no text. Each item of a list is a field. */
const typedField = (shape: Shape, encoding: JsonMap, isParts: boolean): FieldFormat | string => {
  const isCompound = Boolean(shape.properties ?? shape.items?.items ?? shape.items?.properties);
  const given = stringIn(encoding, "contentType");
  const types = given === undefined ? undefined : given.split(",").map(mediaTypeOf);
  const isOther = types?.every((it) => !isJson(it) && !isText(it) && it !== "*/*");
  if (isOther && isCompound && !takesScalars(shape) && !(shape.items && takesScalars(shape.items)))
    return `is ${given}, which no gate reads`;
  const style = types?.some(isJson) || (isCompound && !isOther) ? "json" : "form";
  return {
    style,
    explode: true,
    shape: style === "json" ? asJson(shape) : isParts && isOther ? asFile(shape) : shape,
    ...(types && isParts && { types }),
  };
};

/** JSON has its own types within it. */
const asJson = ({ kinds, items }: Shape): Shape => ({ ...(kinds && { kinds }), ...(items && { items: {} }) });

const asFile = (shape: Shape): Shape =>
  shape.items ? { ...shape, items: { ...shape.items, file: true } } : { ...shape, file: true };
