/** Schema of `when`: conditions on headers, query, cookies, content type, method, scheme and port. */
import * as z from "zod";
import type { Matcher, MatcherSubject } from "../gateway/routing/matchers.ts";
import { patternProblem } from "../gateway/routing/patterns.ts";
import { cookieName, headerName } from "./names.ts";
import { checkWith } from "./refine.ts";

const checkPattern = (text: string): void => {
  const problem = patternProblem(text);
  if (problem) throw new SyntaxError(problem);
};

const text = () =>
  z.string("a text; put numbers and true or false in quotes").min(1, "an empty text compares to nothing");

export const comparison = () =>
  z.union(
    [
      text().describe("`present`, `absent`, or the exact value"),
      z.strictObject({ exact: text().describe("The whole value, also if it is `present` or `absent`") }),
      z.strictObject({ prefix: text().describe("The prefix of the value") }),
      z.strictObject({
        matches: text().superRefine(checkWith(checkPattern)).describe("A pattern that matches the whole value"),
      }),
    ],
    "`present`, `absent`, a text, or one of { exact: … }, { prefix: … }, { matches: … }",
  );

const mediaType = /^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+$/;

/** All conditions must be met. A repeated header, parameter or cookie matches nothing. */
export const when = () =>
  z
    .strictObject({
      header: z.record(headerName(), comparison()).default({}).describe("By header name"),
      query: z
        .record(
          z.string().min(1, "a parameter has a name").max(64, "a parameter's name has 64 characters at most"),
          comparison(),
        )
        .default({})
        .describe("By parameter of the query"),
      cookie: z.record(cookieName(), comparison()).default({}).describe("By cookie name"),
      "content-type": z
        .string()
        .regex(mediaType, "a media type in lower case without parameters: application/json")
        .optional()
        .describe("Of the request's body: `application/json`"),
      method: z
        .enum(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
        .optional()
        .describe("The request's own method: with `GET` a route that takes GET takes no HEAD"),
      scheme: z.enum(["http", "https"]).optional().describe("The scheme of the client's request"),
      port: z
        .int("a port is a number: 8443")
        .min(1, "ports begin at 1")
        .max(65_535, "ports end at 65535")
        .optional()
        .describe("The port of the client's request; by default 80 or 443"),
    })
    .refine(
      ({ header, query, cookie }) => [header, query, cookie].flatMap(Object.keys).length <= maxConditions,
      `${maxConditions} conditions at most`,
    );

const maxConditions = 16;

type When = z.output<ReturnType<typeof when>>;

/** Converts conditions for the plan, in a stable order. */
export const matchersOf = (conditions: When | undefined): Matcher[] => {
  if (!conditions) return [];
  const named = (["header", "query", "cookie"] as const).flatMap((on) =>
    Object.entries(conditions[on])
      .map(([name, it]) => matcherOf(on, name, it))
      .toSorted(([, a], [, b]) => (a < b ? -1 : 1)),
  );
  const single = (["content-type", "method", "scheme", "port"] as const).flatMap((on): Matcher[] => {
    const value = conditions[on];
    return value === undefined ? [] : [[on, "", "exact", String(value)]];
  });
  return [...named, ...single];
};

const matcherOf = (on: MatcherSubject, name: string, it: When["header"][string]): Matcher => {
  if (it === "present" || it === "absent") return [on, name, it, ""];
  if (typeof it === "string") return [on, name, "exact", it];
  const [is, value] = Object.entries(it)[0] as ["exact" | "prefix" | "matches", string];
  return [on, name, is, value];
};
