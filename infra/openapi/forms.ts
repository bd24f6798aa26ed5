/** How the properties of an object map to fields of a form. */
import type { FieldFormat, FormFormat, ValueShape } from "../../functions/gateway/core/ports/validators.ts";
import { type JsonDocument, type JsonMap, mapOf, resolveRefs, stringIn } from "./document.ts";
import { isJson, isText, mediaTypeOf } from "./media-types.ts";
import { isExploded, nestedProblem, takesScalars } from "./styles.ts";

export interface FormInput {
  readonly document: JsonDocument;
  /** A Media Type Object. */
  readonly media: JsonMap;
  readonly shape: ValueShape;
  readonly isMultipart: boolean;
}

/** @returns the form's format, or why it is not checked */
export const formFormat = ({ document, media, shape, isMultipart: multipart }: FormInput): FormFormat | string => {
  if (!shape.properties) return "its schema is not an object";
  if (media.prefixEncoding !== undefined || media.itemEncoding !== undefined) return "its parts have no names";
  const encodings = mapOf(media.encoding);
  const fields: [string, FieldFormat][] = [];
  for (const [name, it] of Object.entries(shape.properties)) {
    const encoding = mapOf(resolveRefs(document, encodings[name] ?? {}));
    const styled = ["style", "explode", "allowReserved"].some((word) => encoding[word] !== undefined);
    const takesStyles = !multipart || stringIn(mapOf(document.root), "openapi")?.startsWith("3.2");
    const format = styled && takesStyles ? styledFormat(it, encoding) : typedFormat(it, encoding, multipart);
    if (typeof format === "string") return `the property ${name} ${format}`;
    fields.push([name, format]);
  }
  const rest = shape.rest && typedFormat(shape.rest, {}, multipart);
  if (typeof rest === "string") return `a property ${rest}`;
  return { fields: Object.fromEntries(fields), ...(rest && { rest }) };
};

/** A field with a query style. */
const styledFormat = (shape: ValueShape, encoding: JsonMap): FieldFormat | string => {
  const style = stringIn(encoding, "style") ?? "form";
  if (!["form", "spaceDelimited", "pipeDelimited", "deepObject"].includes(style))
    return `is written in the style ${style}`;
  const explode = isExploded(encoding, style);
  const nested = nestedProblem(shape, style, explode);
  return nested === undefined ? { style: style as FieldFormat["style"], explode, shape } : `cannot be read: ${nested}`;
};

/** A field by media type: text, or JSON for objects. Each item of a list is a field. */
const typedFormat = (shape: ValueShape, encoding: JsonMap, multipart: boolean): FieldFormat | string => {
  const isCompound = Boolean(shape.properties ?? shape.items?.items ?? shape.items?.properties);
  const contentType = stringIn(encoding, "contentType");
  const types = contentType === undefined ? undefined : contentType.split(",").map(mediaTypeOf);
  const isUnreadable = types?.every((it) => !isJson(it) && !isText(it) && it !== "*/*");
  if (isUnreadable && isCompound && !takesScalars(shape) && !(shape.items && takesScalars(shape.items)))
    return `is ${contentType}, which no gate reads`;
  const style = types?.some(isJson) || (isCompound && !isUnreadable) ? "json" : "form";
  return {
    style,
    explode: true,
    shape: style === "json" ? jsonShape(shape) : multipart && isUnreadable ? fileShape(shape) : shape,
    ...(types && multipart && { types }),
  };
};

/** JSON values have their own types, so nothing is converted. */
const jsonShape = ({ kinds, items }: ValueShape): ValueShape => ({
  ...(kinds && { kinds }),
  ...(items && { items: {} }),
});

const fileShape = (shape: ValueShape): ValueShape =>
  shape.items ? { ...shape, items: { ...shape.items, file: true } } : { ...shape, file: true };
