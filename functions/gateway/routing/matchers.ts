/** Matchers of `when`: conditions on headers, query, cookies, content type, method, scheme and port. */

import { cookies } from "../http/cookies.ts";
import { preflightMethod } from "../http/preflight.ts";
import type { RequestUrl } from "../http/request-url.ts";

export type MatcherSubject = "header" | "query" | "cookie" | "content-type" | "method" | "scheme" | "port";

/**
 * One condition in the plan. The name is set for a header, parameter or cookie; the value is empty for `present` and
 * `absent`.
 */
export type Matcher = readonly [
  on: MatcherSubject,
  name: string,
  is: "exact" | "prefix" | "matches" | "present" | "absent",
  value: string,
];

/** Whether a request meets all conditions. */
export type RequestPredicate = (request: Request, url: RequestUrl) => boolean;

/** Compiles conditions, patterns included. */
export const compileMatchers = (matchers: readonly Matcher[]): RequestPredicate => {
  const prepared = matchers.map(compileMatcher);
  return (request, url) => prepared.every((matches) => matches(request, url));
};

const compileMatcher = ([on, name, is, value]: Matcher): RequestPredicate => {
  const read = (request: Request, url: RequestUrl) => valuesOf[on](request, url, name);
  if (is === "present") return (request, url) => read(request, url).length > 0;
  if (is === "absent") return (request, url) => read(request, url).length === 0;
  const isEqual = comparison(is, value);
  // A repeated value matches nothing, since servers disagree which one counts.
  return (request, url) => {
    const values = read(request, url);
    return values.length === 1 && isEqual(values[0] as string);
  };
};

const comparison = (is: "exact" | "prefix" | "matches", value: string): ((text: string) => boolean) => {
  if (is === "exact") return (text) => text === value;
  if (is === "prefix") return (text) => text.startsWith(value);
  const pattern = new RegExp(`^(?:${value})$`);
  return (text) => pattern.test(text);
};

const valuesOf: Readonly<
  Record<MatcherSubject, (request: Request, url: RequestUrl, name: string) => readonly string[]>
> = {
  header: ({ headers }, _, name) => oneOrNone(headers.get(name)),
  query: (_, { search }, name) => new URLSearchParams(search).getAll(name),
  cookie: ({ headers }, _, name) => cookies(headers, name),
  "content-type": ({ headers }) => oneOrNone(headers.get("content-type")).map(essence),
  // A preflight is matched by the method that it asks about.
  method: (request) => [preflightMethod(request) ?? request.method],
  scheme: (_, { protocol }) => [protocol.slice(0, -1)],
  port: (_, { protocol, host, hostname }) => [
    host.slice(hostname.length + 1) || (protocol === "https:" ? "443" : "80"),
  ],
};

const oneOrNone = (value: string | null): readonly string[] => (value === null ? [] : [value]);

/** A media type without its parameters (RFC 9110, section 8.3.1). */
const essence = (type: string): string =>
  type
    .replace(/\s*;.*$/s, "")
    .trim()
    .toLowerCase();
