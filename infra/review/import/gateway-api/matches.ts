/** Translates a Gateway API match to the match and `when` of a manifest. */

import { canonicalPath } from "../../../../functions/gateway/http/path.ts";
import { parsePath } from "../../../../functions/gateway/routing/match.ts";
import { patternProblem } from "../../../../functions/gateway/routing/patterns.ts";
import { when as whenSchema } from "../../../../functions/manifest/when.ts";
import type { RouteMatch } from "./resources/schema.ts";

export interface RequestMatch {
  /** The part after the method: `/shop{/rest*}`. */
  readonly path: string;
  readonly method: string;
  readonly when: WhenSettings;
  /** The rank among matches of the same path and method. */
  readonly headers: number;
  readonly queries: number;
  /** The prefix that a filter may replace; empty for the whole host, undefined if the match is not a prefix. */
  readonly prefix: string | undefined;
}

type ValueMatcher = string | { readonly exact: string } | { readonly matches: string };

export interface WhenSettings {
  header?: Record<string, ValueMatcher>;
  query?: Record<string, ValueMatcher>;
  method?: string;
}

/** @throws SyntaxError with a sentence that says what has no equivalent */
export const translateMatch = ({ path, method = "ANY", headers, queryParams }: RouteMatch): RequestMatch => {
  if (!methods.includes(method)) throw new SyntaxError(`the platform forwards no ${method} requests`);
  const header = translateMatchers(headers, (name) => name.toLowerCase(), /^[a-z0-9-]{1,64}$/);
  const query = translateMatchers(queryParams, (name) => name, /^.{1,64}$/s);
  const [headerCount, queryCount] = [header, query].map((it) => Object.keys(it).length) as [number, number];
  if (headerCount + queryCount > 16) throw new SyntaxError("a route has 16 conditions at most");
  const when: WhenSettings = {
    ...(headerCount > 0 && { header }),
    ...(queryCount > 0 && { query }),
    // A manifest's GET takes HEAD too; a Gateway API match does not.
    ...(method === "GET" && { method }),
  };
  const issue = whenSettings.safeParse(when).error?.issues[0];
  if (issue) throw new SyntaxError(`${issue.path.join(".")}: ${issue.message}`);
  return { ...translatePath(path), method, when, headers: headerCount, queries: queryCount };
};

const whenSettings = whenSchema();

const methods = ["ANY", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/** Of duplicate names, the first counts. */
const translateMatchers = (
  all: RouteMatch["headers"],
  normalizeName: (name: string) => string,
  allowed: RegExp,
): Record<string, ValueMatcher> => {
  const found: Record<string, ValueMatcher> = {};
  for (const { type, name, value } of all) {
    const key = normalizeName(name);
    if (!allowed.test(key)) throw new SyntaxError(`"${name}" is not a valid name for a condition`);
    if (Object.hasOwn(found, key)) continue;
    if (type === "RegularExpression") found[key] = { matches: translatePattern(value, "[ -~]") };
    else if (value.includes("${")) throw new SyntaxError(`"${value}" is read as a variable in a manifest`);
    else found[key] = ["present", "absent"].includes(value) ? { exact: value } : value;
  }
  return found;
};

const translatePath = ({ type, value }: RouteMatch["path"]): Pick<RequestMatch, "path" | "prefix"> => {
  if (type === "RegularExpression") return { path: checkPath(translateRegex(value)), prefix: undefined };
  if (/[{}]/.test(value)) throw new SyntaxError(`"${value}" has a brace, which no path of a manifest can have`);
  // The URL parser would read it as another path, or as a query.
  if (!gatewayApiPath.test(value) || /\/{2}|\/(?:\.|%2e){1,2}(?:\/|$)|%2f/i.test(value))
    throw new SyntaxError(`"${value}" is not a valid path of the Gateway API`);
  const path = canonicalPath(new URL(`https://any.example${value}`).pathname);
  if (path === undefined) throw new SyntaxError(`"${value}" is refused, because servers interpret it differently`);
  if (type === "Exact") return { path: checkPath(path), prefix: undefined };
  const prefix = path.replace(/\/$/, "");
  return { path: checkPath(prefix === "" ? "/{rest*}" : `${prefix}{/rest*}`), prefix };
};

/** The pattern of HTTPPathMatch: a slash, and the characters of a path. */
const gatewayApiPath = /^\/(?:[\w\-./~!$&'()*+,;=:@]|%[0-9a-f]{2})*$/i;

/** @throws SyntaxError if a manifest cannot express the path */
const checkPath = (path: string): string => {
  if (/\s/.test(path)) throw new SyntaxError(`"${path}" has a space, which no request path contains`);
  parsePath(path);
  return path;
};

/** A linear-time pattern; `.` becomes a class of the characters that it may match there. */
const translatePattern = (source: string, any: string): string => {
  const whole = source.replace(/^\^/, "").replace(/(?<!\\)\$$/, "");
  const pattern = whole.replace(/\\.|\[[^\]]*\]|\./g, (piece) => (piece === "." ? any : piece));
  const problem = patternProblem(pattern);
  if (problem) throw new SyntaxError(problem);
  return pattern;
};

/** Splits a regular expression over a whole path into segments: literals, patterns, and a rest if it ends in `.*`. */
const translateRegex = (source: string): string => {
  const whole = source.replace(/^\^/, "").replace(/(?<!\\)\$$/, "");
  if (!whole.startsWith("/"))
    throw new SyntaxError(`"${source}" does not begin with /, so it may match several segments`);
  const hasOpenEnd = /\/\.\*$/.test(whole);
  const texts = (hasOpenEnd ? whole.slice(0, -3) : whole).slice(1).match(/(?:\[[^\]]*\]|\\.|[^/])+/g) ?? [];
  const segments = texts.map((text, index) => translateSegment(text, index + 1));
  const end = hasOpenEnd ? ["{rest*}"] : /[^/]\/$/.test(whole) ? [""] : [];
  return `/${[...segments, ...end].join("/")}`;
};

const translateSegment = (text: string, position: number): string => {
  if (/^(?:[\w~-]|\\\.)+$/.test(text)) return text.replaceAll("\\.", ".");
  if (text === "[^/]+") return `{p${position}}`;
  const within = text.replaceAll(/\[\^?[^\]]*\]/g, (set) => set.replace("/", "").replace(/^\[\^\]$/, "[!-~]"));
  if (/\.[*+]/.test(within)) throw new SyntaxError(`"${text}" may match a /, and a pattern is limited to one segment`);
  return `{p${position}:${translatePattern(within, "[!-~]")}}`;
};
