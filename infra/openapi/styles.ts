/** Limits of OpenAPI's parameter styles: what a style cannot represent, and what the specification leaves undefined. */
import type { ValueShape } from "../../functions/gateway/core/ports/validators.ts";
import type { JsonMap } from "./document.ts";

/** Whether values of lists and objects become separate fields. */
export const isExploded = (value: JsonMap, style: string): boolean =>
  style === "deepObject" || (typeof value.explode === "boolean" ? value.explode : ["form", "cookie"].includes(style));

/** Whether scalars other than null are allowed. */
export const takesScalars = ({ kinds }: ValueShape): boolean => kinds?.some((it) => it !== "null") === true;

/** Whether only lists or objects are allowed. */
export const isCompound = (it: ValueShape): boolean => !takesScalars(it) && Boolean(it.items ?? it.properties);

/** Describes a nested list or object that the style cannot represent (RFC 6570 has one level). */
export const nestedProblem = (shape: ValueShape, style: string, explode: boolean): string | undefined => {
  if (style === "deepObject") return undefined;
  const problem = (what: string) => `the style ${style} cannot represent ${what}`;
  if (!takesScalars(shape) && shape.items && isCompound(shape.items)) return problem("a list of lists or objects");
  if (takesScalars(shape) || !shape.properties) return undefined;
  const areFields = explode && ["form", "cookie", "spaceDelimited", "pipeDelimited"].includes(style);
  const isUnsupported = (it: ValueShape) => isCompound(it) && !(areFields && it.items && !isCompound(it.items));
  const unsupported = Object.entries(shape.properties).find(([, it]) => isUnsupported(it));
  if (unsupported) return problem(`the value of its property ${unsupported[0]}`);
  return shape.rest && isUnsupported(shape.rest) ? problem("the values of its properties") : undefined;
};

/** What OpenAPI leaves undefined of a style, and how it is read. */
export const undefinedStyle = (shape: ValueShape, style: string, explode: boolean): string | undefined => {
  const { kinds, items, properties, rest } = shape;
  const nested = [...Object.values(properties ?? {}), ...(rest ? [rest] : [])];
  const isNested = style === "deepObject" && (items || nested.some((it) => it.items || it.properties));
  if (isNested)
    return "OpenAPI does not define how deepObject writes lists and objects in it: [a][b], [a][] and [a][0] are read";
  if (style === "spaceDelimited" || style === "pipeDelimited") {
    if (explode) return `OpenAPI does not define the style ${style} with explode: it is read as form`;
    if (kinds && !items && !properties)
      return `OpenAPI does not define the style ${style} of single values: it is read as form`;
  }
  return undefined;
};
