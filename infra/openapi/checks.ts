/** What is checked of the requests of an operation: its parameters and its body, with the schemas of both. */
import { capturesIn, type Segment } from "../../functions/gateway/match.ts";
import type { BodyCheck, Kind, OperationCheck, ParameterCheck } from "../../functions/gateway/validators.ts";
import { isMap, type JsonMap, mapOf, type Rooted, resolved, stringIn } from "./document.ts";
import type { Operation, Parameter } from "./operations.ts";
import type { Note, Schema } from "./schemas.ts";

export type ParameterPlan = Omit<ParameterCheck, "check"> & { readonly schema: Schema };

export interface OperationPlan {
  readonly parameters: readonly ParameterPlan[];
  readonly only?: OperationCheck["only"];
  readonly body?: Pick<BodyCheck, "required"> & { readonly types: Readonly<Record<string, Schema | null>> };
}

/** @param name how people call it */
export type Translate = (value: unknown, name: string) => Schema;

/**
 * @param note hears what is not checked
 * @throws DocumentError
 */
export const planOf = (
  document: Rooted,
  operation: Operation,
  segments: readonly Segment[],
  translate: Translate,
  note: (note: Note) => void,
): OperationPlan => {
  const captures = capturesOf(operation, segments);
  const where = `${operation.method} ${operation.path}`;
  const parameters = operation.parameters.flatMap((it): ParameterPlan[] => {
    if (isNone(it)) return [];
    const { in: place, name } = it;
    const capture = place === "path" ? captures.get(name) : undefined;
    const style = styleOf(it);
    if ((place === "path" && capture === undefined) || ["label", "matrix"].includes(style)) {
      const why = capture === undefined ? "its segment holds more than it" : `it is written in the style ${style}`;
      note({ where, what: `the parameter ${name} of the path is not checked: ${why}` });
      return [];
    }
    return [parameterOf(document, it, capture, translate)];
  });
  const body = operation.body && bodyOf(operation.body, where, translate);
  return { parameters, ...(body && { body }) };
};

/** Which capture of the match holds which parameter of the path: the one at the same place, or the one that is called so. */
const capturesOf = ({ path }: Operation, segments: readonly Segment[]): ReadonlyMap<string, string> => {
  const theirs = path.split("/").filter((it) => it.includes("{"));
  const ours = segments.filter(({ kind }) => kind !== "literal");
  const names = capturesIn(segments);
  return new Map(
    theirs.flatMap((text, index): (readonly [string, string])[] => {
      const named = [...text.matchAll(/\{([^{}]+)\}/g)].map(([, name = ""]) => name);
      if (theirs.length !== ours.length)
        return isMixed(text) ? [] : named.filter((name) => names.includes(name)).map((name) => [name, name] as const);
      const here = capturesIn(ours.slice(index, index + 1));
      // A segment that is taken as a whole, and holds more than a parameter, is no value of it.
      if (here.length !== named.length || (here.length === 1 && isMixed(text) !== (ours[index]?.kind === "mixed")))
        return [];
      return named.map((name, at) => [name, here[at] as string] as const);
    }),
  );
};

const isMixed = (text: string): boolean => !/^\{[^{}]+\}$/.test(text);

/** OpenAPI says of these that a parameter of that name is none. */
const notParameters = ["accept", "content-type", "authorization"];

const between: Readonly<Record<string, string>> = { spaceDelimited: " ", pipeDelimited: "|" };

const isNone = ({ in: place, name }: Parameter): boolean =>
  !["path", "query", "header", "cookie"].includes(place) ||
  (place === "header" && notParameters.includes(name.toLowerCase()));

const styleOf = ({ in: place, value }: Pick<Parameter, "in" | "value">): string =>
  stringIn(value, "style") ?? (place === "query" || place === "cookie" ? "form" : "simple");

/** @param capture of the match, where it stands in the path */
export const parameterOf = (
  document: Rooted,
  parameter: Parameter,
  capture: string | undefined,
  translate: Translate,
): ParameterPlan => {
  const { name, value } = parameter;
  const place = parameter.in as ParameterPlan["in"];
  const style = styleOf(parameter);
  const content = Object.values(mapOf(value.content))[0];
  const written = content === undefined ? (value.schema ?? {}) : (mapOf(content).schema ?? {});
  const shape = shapeOf(document, written);
  const explode = typeof value.explode === "boolean" ? value.explode : style === "form";
  const as = content !== undefined ? "json" : shape.as;
  return {
    in: place,
    name,
    ...(capture !== undefined && place === "path" && { capture }),
    required: value.required === true || place === "path",
    as,
    kinds: shape.kinds,
    ...(as === "list" && !(place === "query" && explode) && { between: between[style] ?? "," }),
    ...(as === "map" && { deep: style === "deepObject" || !explode, properties: shape.properties }),
    schema: translate(written, name),
  };
};

interface Shape {
  readonly as: "value" | "list" | "map";
  readonly kinds: readonly Kind[];
  readonly properties: Readonly<Record<string, readonly Kind[]>>;
}

const shapeOf = (document: Rooted, value: unknown): Shape => {
  const types = typesOf(document, value, 0);
  const all = mapOf(resolved(document, value));
  const as = types.includes("array") ? "list" : types.includes("object") ? "map" : "value";
  const kinds = as === "list" ? typesOf(document, all.items, 0) : types;
  const properties = as === "map" ? Object.entries(mapOf(all.properties)) : [];
  return {
    as,
    kinds: scalars(kinds),
    properties: Object.fromEntries(properties.map(([name, it]) => [name, scalars(typesOf(document, it, 0))])),
  };
};

const scalars = (types: readonly string[]): Kind[] => {
  const found = types.filter((it): it is Kind => ["string", "number", "integer", "boolean", "null"].includes(it));
  return found.some((it) => it !== "null") ? found : [...found, "string"];
};

const deepest = 8;

/** Of a schema and those that it is put together of. */
const typesOf = (document: Rooted, value: unknown, depth: number): string[] => {
  const schema = value === undefined ? undefined : resolved(document, value);
  if (!isMap(schema) || depth > deepest) return [];
  const { type, nullable } = schema;
  const own = Array.isArray(type) ? type.map(String) : typeof type === "string" ? [type] : [];
  const parts = (["allOf", "anyOf", "oneOf"] as const).flatMap((key) => {
    const list = schema[key];
    return Array.isArray(list) ? list.flatMap((it) => typesOf(document, it, depth + 1)) : [];
  });
  const listed = Array.isArray(schema.enum) && own.length === 0 ? schema.enum.map((it) => typeof it) : [];
  return [...new Set([...own, ...parts, ...listed, ...(nullable === true ? ["null"] : [])])];
};

const isJson = (type: string): boolean => /^application\/(?:[\w.+-]+\+)?json$/.test(type);

const bodyOf = (body: JsonMap, where: string, translate: Translate): OperationPlan["body"] => {
  const types = Object.entries(mapOf(body.content)).map(([name, it]): [string, Schema | null] => {
    const type = (name.split(";")[0] ?? "").trim().toLowerCase();
    const { schema } = mapOf(it);
    return [type, isJson(type) && schema !== undefined ? translate(schema, `the body of ${where}`) : null];
  });
  return types.length === 0 ? undefined : { required: body.required === true, types: Object.fromEntries(types) };
};
