/** Translates OpenAPI paths to matches of a manifest. */
import { parsePath } from "../../../../functions/gateway/routing/match.ts";
import { patternProblem } from "../../../../functions/gateway/routing/patterns.ts";
import { mapOf, stringIn } from "../../../openapi/document.ts";
import type { Operation, Parameter } from "../../../openapi/operations.ts";
import { encodePath, isMultiSegment, parameterName } from "../../../openapi/paths.ts";
import { createUniqueNames, toKebabCase } from "./names.ts";

export interface MatchedPath {
  /** `/accounts/{account-id}`. */
  readonly match: string;
  /** The upstream's path: `/accounts/{path.account-id}`. */
  readonly target: string;
  /** Restrictions of a segment that the match does not express. */
  readonly looserNotes: readonly string[];
}

/**
 * @param base the tier's base; `/` under it is the base with a trailing slash, which is another path
 * @throws SyntaxError that says why no request can match
 */
export const matchPath = (operation: Operation, base: string): MatchedPath => {
  const { path, parameters } = operation;
  if (path === "/") return { match: base === "/" ? "/" : "/{$}", target: "/", looserNotes: [] };
  const name = createUniqueNames();
  const looserNotes: string[] = [];
  const texts = path.slice(1).split("/");
  const parts = texts.map((text, index): PathPart => {
    if (!text.includes("{")) return literalPart(text);
    const [, placeholder] = /^\{([^{}]+)\}$/.exec(text) ?? [];
    if (placeholder === undefined) {
      const mixed = mixedPart(text, parameters, name);
      if (!mixed) looserNotes.push(`${text} is read as one segment with any value`);
      return mixed ?? capturePart(name(toKebabCase(text) ?? "it"), "");
    }
    const label = parameterName(placeholder);
    const parameter = parameters.find((it) => it.in === "path" && it.name === label);
    const isMulti = isMultiSegment(placeholder, operation);
    const rest = isMulti && index === texts.length - 1;
    if (isMulti && !rest) looserNotes.push(`{${label}} takes one segment: only the last one can take several`);
    return capturePart(name(toKebabCase(label) ?? "it"), rest ? "*" : patternSuffix(parameter));
  });
  const match = `/${parts.map((it) => it.match).join("/")}`;
  parsePath(match);
  return { match, target: `/${parts.map((it) => it.target).join("/")}`, looserNotes };
};

const literalPart = (text: string): PathPart => ({ match: encodePath(text), target: encodePath(text) });

/** A part of a path, in the match and in the upstream's path. */
interface PathPart {
  readonly match: string;
  readonly target: string;
}

const capturePart = (name: string, suffix: string): PathPart => ({
  match: `{${name}${suffix}}`,
  target: `{path.${name}}`,
});

/** A segment of text and parameters; undefined if a match cannot express it: two adjacent parameters. */
const mixedPart = (
  text: string,
  parameters: readonly Parameter[],
  nameOf: (wanted: string) => string,
): PathPart | undefined => {
  const pieces = text.split(/(\{[^{}]+\})/).filter((it) => it !== "");
  const isCapture = (piece: string | undefined) => piece?.startsWith("{") === true && piece.endsWith("}");
  if (pieces.some((it) => isCapture(it) && parameterName(it.slice(1, -1)) !== it.slice(1, -1))) return undefined;
  try {
    parsePath(`/${pieces.map((it, index) => (isCapture(it) ? `{p${index}}` : encodePath(it))).join("")}`);
  } catch {
    return undefined;
  }
  const parts = pieces.map((piece): PathPart => {
    if (!isCapture(piece)) return literalPart(piece);
    const named = piece.slice(1, -1);
    const parameter = parameters.find((it) => it.in === "path" && it.name === named);
    return capturePart(nameOf(toKebabCase(named) ?? "it"), patternSuffix(parameter));
  });
  return { match: parts.map((it) => it.match).join(""), target: parts.map((it) => it.target).join("") };
};

/** `:` and a pattern of the whole value, if it runs in linear time and matches no slash. */
const patternSuffix = (parameter: Parameter | undefined): string => {
  const [, inner] = /^\^(.+)\$$/.exec(stringIn(mapOf(parameter?.value.schema), "pattern") ?? "") ?? [];
  return inner === undefined || /[/\s]/.test(inner) || patternProblem(inner) !== undefined ? "" : `:${inner}`;
};
