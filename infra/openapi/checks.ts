/** What is checked of the requests of an operation: its parameters and its body, with the schemas of both. */

import type { OperationCheck } from "../../functions/gateway/core/ports/validators.ts";
import { capturesIn, type Segment } from "../../functions/gateway/routing/match.ts";
import { type BodyPlan, bodyOf } from "./contents.ts";
import type { Rooted } from "./document.ts";
import type { Operation, Parameter } from "./operations.ts";
import { type ParameterPlan, parameterOf } from "./parameters.ts";
import { nameIn } from "./paths.ts";
import type { Note } from "./schemas.ts";
import type { Translate } from "./shapes.ts";

export interface OperationPlan {
  readonly parameters: readonly ParameterPlan[];
  readonly only?: OperationCheck["only"];
  readonly body?: BodyPlan;
}

/**
 * @param note is called with what is not checked
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
    const about = `the parameter ${it.name} of the ${it.in}`;
    const unchecked = (why: string): ParameterPlan[] => {
      note({ where, what: `${about} is not checked: ${why}` });
      return [];
    };
    if (!places.includes(it.in)) return unchecked("no request has such a place");
    const capture = it.in === "path" ? captures.get(it.name) : undefined;
    if (it.in === "path" && capture === undefined)
      return unchecked(
        [...operation.path.matchAll(/\{([^{}]+)\}/g)].some(([, name = ""]) => nameIn(name) === it.name)
          ? "its segment holds more than it"
          : `the path has no {${it.name}}`,
      );
    const planned = parameterOf(document, it, capture, translate);
    if (planned.undefined !== undefined) note({ kind: "otherwise", where, what: `${about}: ${planned.undefined}` });
    return planned.plan ? [planned.plan] : unchecked(planned.unchecked ?? "");
  });
  const body =
    operation.body &&
    bodyOf(document, operation.body, `the body of ${where}`, translate, (it) => note({ where, ...it }));
  return { parameters: parameters.map((it) => besideOthers(it, operation)), ...(body && { body }) };
};

/** An object whose properties are fields of their own takes no other parameter for one. */
const besideOthers = (it: ParameterPlan, { parameters }: Operation): ParameterPlan => {
  const isOpen = it.style === "deepObject" || (it.explode && it.shape.rest !== undefined);
  const others = parameters.filter((other) => other.in === it.in && other.name !== it.name).map(({ name }) => name);
  return isOpen && it.in !== "path" && others.length > 0 ? { ...it, others } : it;
};

/** Which capture of the match holds which parameter of the path: the one at the same place, or the one that is called so. */
const capturesOf = ({ path }: Operation, segments: readonly Segment[]): ReadonlyMap<string, string> => {
  const theirs = path.split("/").filter((it) => it.includes("{"));
  const ours = segments.filter(({ kind }) => kind !== "literal");
  const names = capturesIn(segments);
  return new Map(
    theirs.flatMap((text, index): (readonly [string, string])[] => {
      const named = [...text.matchAll(/\{([^{}]+)\}/g)].map(([, name = ""]) => nameIn(name));
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

const places = ["path", "query", "querystring", "header", "cookie"];

/** OpenAPI says of these that a parameter of that name is none. */
const notParameters = ["accept", "content-type", "authorization"];

const isNone = ({ in: place, name }: Parameter): boolean =>
  place === "header" && notParameters.includes(name.toLowerCase());
