/** Paths of OpenAPI as matches of a manifest. */
import { segmentsOf } from "../../../../functions/gateway/routing/match.ts";
import { patternProblem } from "../../../../functions/gateway/routing/patterns.ts";
import { mapOf, stringIn } from "../../../openapi/document.ts";
import type { Operation, Parameter } from "../../../openapi/operations.ts";
import { nameIn, sent, takesSeveral } from "../../../openapi/paths.ts";
import { distinct, kebab } from "./names.ts";

export interface Matched {
  /** `/accounts/{account-id}`. */
  readonly match: string;
  /** What the upstream is asked for: `/accounts/{path.account-id}`. */
  readonly target: string;
  /** What a segment could not say. */
  readonly looser: readonly string[];
}

/**
 * @param base under which `/` is the path with a slash at its end, which is another one than the base
 * @throws SyntaxError with a sentence, where no request can be matched so
 */
export const matchedPath = (operation: Operation, base: string): Matched => {
  const { path, parameters } = operation;
  if (path === "/") return { match: base === "/" ? "/" : "/{$}", target: "/", looser: [] };
  const name = distinct();
  const looser: string[] = [];
  const texts = path.slice(1).split("/");
  const parts = texts.map((text, index): Part => {
    if (!text.includes("{")) return literal(text);
    const [, written] = /^\{([^{}]+)\}$/.exec(text) ?? [];
    if (written === undefined) {
      const mixed = mixedOf(text, parameters, name);
      if (!mixed) looser.push(`${text} is taken as one segment, whatever it holds`);
      return mixed ?? captured(name(kebab(text) ?? "it"), "");
    }
    const whole = nameIn(written);
    const about = parameters.find((it) => it.in === "path" && it.name === whole);
    const many = takesSeveral(written, operation);
    const rest = many && index === texts.length - 1;
    if (many && !rest) looser.push(`{${whole}} takes one segment: only the last one can take several`);
    return captured(name(kebab(whole) ?? "it"), rest ? "*" : patternOf(about));
  });
  const match = `/${parts.map((it) => it.match).join("/")}`;
  segmentsOf(match);
  return { match, target: `/${parts.map((it) => it.target).join("/")}`, looser };
};

const literal = (text: string): Part => ({ match: sent(text), target: sent(text) });

/** What stands for a text of the document, in the match and in what the upstream is asked for. */
interface Part {
  readonly match: string;
  readonly target: string;
}

const captured = (name: string, further: string): Part => ({
  match: `{${name}${further}}`,
  target: `{path.${name}}`,
});

/** A segment of text and parameters, or undefined where no match says it: two of them with nothing between. */
const mixedOf = (
  text: string,
  parameters: readonly Parameter[],
  nameOf: (wanted: string) => string,
): Part | undefined => {
  const pieces = text.split(/(\{[^{}]+\})/).filter((it) => it !== "");
  const isCapture = (piece: string | undefined) => piece?.startsWith("{") === true && piece.endsWith("}");
  if (pieces.some((it) => isCapture(it) && nameIn(it.slice(1, -1)) !== it.slice(1, -1))) return undefined;
  try {
    segmentsOf(`/${pieces.map((it, index) => (isCapture(it) ? `{p${index}}` : sent(it))).join("")}`);
  } catch {
    return undefined;
  }
  const parts = pieces.map((piece): Part => {
    if (!isCapture(piece)) return literal(piece);
    const named = piece.slice(1, -1);
    const about = parameters.find((it) => it.in === "path" && it.name === named);
    return captured(nameOf(kebab(named) ?? "it"), patternOf(about));
  });
  return { match: parts.map((it) => it.match).join(""), target: parts.map((it) => it.target).join("") };
};

/** `:` and a pattern of the whole value, where it is of the kind that takes linear time and holds no slash. */
const patternOf = (parameter: Parameter | undefined): string => {
  const [, inner] = /^\^(.+)\$$/.exec(stringIn(mapOf(parameter?.value.schema), "pattern") ?? "") ?? [];
  return inner === undefined || /[/\s]/.test(inner) || patternProblem(inner) !== undefined ? "" : `:${inner}`;
};
