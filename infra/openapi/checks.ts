/** The validation plan of one OpenAPI operation: its parameters and body, with their schemas. */

import type { OperationCheck } from "../../functions/gateway/core/ports/validators.ts";
import { capturesIn, type PathSegment } from "../../functions/gateway/routing/match.ts";
import { type BodyPlan, bodyPlan } from "./contents.ts";
import type { JsonDocument } from "./document.ts";
import type { Operation, Parameter } from "./operations.ts";
import { type ParameterPlan, parameterPlan } from "./parameters.ts";
import { parameterName } from "./paths.ts";
import type { Note } from "./schemas.ts";
import type { SchemaTranslator } from "./shapes.ts";

export interface OperationPlan {
  readonly parameters: readonly ParameterPlan[];
  readonly only?: OperationCheck["only"];
  readonly body?: BodyPlan;
}

/**
 * @param note receives what is not checked
 * @throws DocumentError
 */
export const operationPlan = (
  document: JsonDocument,
  operation: Operation,
  segments: readonly PathSegment[],
  translate: SchemaTranslator,
  note: (note: Note) => void,
): OperationPlan => {
  const captures = captureNames(operation, segments);
  const where = `${operation.method} ${operation.path}`;
  const parameters = operation.parameters.flatMap((it): ParameterPlan[] => {
    if (isIgnored(it)) return [];
    const subject = `the parameter ${it.name} of the ${it.in}`;
    const unchecked = (why: string): ParameterPlan[] => {
      note({ where, what: `${subject} is not checked: ${why}` });
      return [];
    };
    if (!parameterPlaces.includes(it.in)) return unchecked("a request has no such location");
    const capture = it.in === "path" ? captures.get(it.name) : undefined;
    if (it.in === "path" && capture === undefined)
      return unchecked(
        [...operation.path.matchAll(/\{([^{}]+)\}/g)].some(([, name = ""]) => parameterName(name) === it.name)
          ? "it shares its path segment"
          : `the path has no {${it.name}}`,
      );
    const result = parameterPlan(document, it, capture, translate);
    if (result.undefined !== undefined) note({ kind: "otherwise", where, what: `${subject}: ${result.undefined}` });
    return result.plan ? [result.plan] : unchecked(result.unchecked ?? "");
  });
  const body =
    operation.body &&
    bodyPlan(document, operation.body, `the body of ${where}`, translate, (it) => note({ where, ...it }));
  return { parameters: parameters.map((it) => withOtherNames(it, operation)), ...(body && { body }) };
};

/** An exploded object must not read other parameters as its properties. */
const withOtherNames = (it: ParameterPlan, { parameters }: Operation): ParameterPlan => {
  const isOpen = it.style === "deepObject" || (it.explode && it.shape.rest !== undefined);
  const others = parameters.filter((other) => other.in === it.in && other.name !== it.name).map(({ name }) => name);
  return isOpen && it.in !== "path" && others.length > 0 ? { ...it, others } : it;
};

/** Maps path parameters to captures of the match, by position or else by name. */
const captureNames = ({ path }: Operation, segments: readonly PathSegment[]): ReadonlyMap<string, string> => {
  const documentSegments = path.split("/").filter((it) => it.includes("{"));
  const routeSegments = segments.filter(({ kind }) => kind !== "literal");
  const names = capturesIn(segments);
  return new Map(
    documentSegments.flatMap((text, index): (readonly [string, string])[] => {
      const named = [...text.matchAll(/\{([^{}]+)\}/g)].map(([, name = ""]) => parameterName(name));
      if (documentSegments.length !== routeSegments.length)
        return isMixed(text) ? [] : named.filter((name) => names.includes(name)).map((name) => [name, name] as const);
      const here = capturesIn(routeSegments.slice(index, index + 1));
      // A capture of a whole mixed segment is not the value of one parameter.
      if (
        here.length !== named.length ||
        (here.length === 1 && isMixed(text) !== (routeSegments[index]?.kind === "mixed"))
      )
        return [];
      return named.map((name, at) => [name, here[at] as string] as const);
    }),
  );
};

const isMixed = (text: string): boolean => !/^\{[^{}]+\}$/.test(text);

const parameterPlaces = ["path", "query", "querystring", "header", "cookie"];

/** Header parameters that OpenAPI says to ignore. */
const ignoredHeaders = ["accept", "content-type", "authorization"];

const isIgnored = ({ in: place, name }: Parameter): boolean =>
  place === "header" && ignoredHeaders.includes(name.toLowerCase());
