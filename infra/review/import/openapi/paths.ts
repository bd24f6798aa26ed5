/** Paths of OpenAPI as matches of a manifest. */
import { patternProblem, segmentsOf } from "../../../../functions/gateway/match.ts";
import { mapOf, stringIn } from "../../../openapi/document.ts";
import type { Operation, Parameter } from "../../../openapi/operations.ts";
import { distinct, kebab } from "./names.ts";

export interface Matched {
  /** `/accounts/{account-id}`. */
  readonly match: string;
  /** What the upstream is asked for: `/accounts/{path.account-id}`. */
  readonly target: string;
  /** What a segment could not say. */
  readonly looser: readonly string[];
}

/** @throws SyntaxError with a sentence, where no request can be matched so */
export const matchedPath = ({ path, parameters }: Operation): Matched => {
  const name = distinct();
  const texts = path === "/" ? [] : path.slice(1).split("/");
  const looser: string[] = [];
  const parts = texts.map((text, index) => {
    if (!text.includes("{")) return { match: text, target: text };
    const [, whole] = /^\{([^{}]+)\}$/.exec(text) ?? [];
    const called = name(kebab(whole ?? text) ?? "it");
    if (whole === undefined) looser.push(`${text} is taken as one segment, whatever it holds`);
    const about = parameters.find((it) => it.in === "path" && it.name === whole);
    const many = about?.value["x-multi-segment"] === true;
    const rest = many && index === texts.length - 1;
    if (many && !rest) looser.push(`{${whole}} takes one segment: only the last one can take several`);
    const pattern = rest || !about ? undefined : patternOf(about);
    return {
      match: `{${called}${rest ? "*" : pattern === undefined ? "" : `:${pattern}`}}`,
      target: `{path.${called}}`,
    };
  });
  const match = `/${parts.map((it) => it.match).join("/")}`;
  segmentsOf(match);
  return { match, target: `/${parts.map((it) => it.target).join("/")}`, looser };
};

/** A pattern of the whole value, where it is of the kind that takes linear time and holds no slash. */
const patternOf = ({ value }: Parameter): string | undefined => {
  const [, inner] = /^\^(.+)\$$/.exec(stringIn(mapOf(value.schema), "pattern") ?? "") ?? [];
  return inner === undefined || /[/\s]/.test(inner) || patternProblem(inner) !== undefined ? undefined : inner;
};
