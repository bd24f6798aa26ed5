/** What a match of the Gateway API takes, in the words of a manifest. */

import { canonicalPath } from "../../../../functions/gateway/http/path.ts";
import { segmentsOf } from "../../../../functions/gateway/routing/match.ts";
import { patternProblem } from "../../../../functions/gateway/routing/patterns.ts";
import { when as whenSchema } from "../../../../functions/manifest/when.ts";
import type { RouteMatch } from "./resources/schema.ts";

export interface Taken {
  /** Behind the method: `/shop{/rest*}`. */
  readonly path: string;
  readonly method: string;
  readonly when: When;
  /** What it is ranked by among matches of the same path and method. */
  readonly headers: number;
  readonly queries: number;
  /** The prefix that a filter may exchange; empty for the whole host, undefined where the match is none. */
  readonly prefix: string | undefined;
}

type Comparison = string | { readonly exact: string } | { readonly matches: string };

export interface When {
  header?: Record<string, Comparison>;
  query?: Record<string, Comparison>;
  method?: string;
}

/** @throws SyntaxError with a sentence that says what has no equivalent */
export const takenOf = ({ path, method = "ANY", headers, queryParams }: RouteMatch): Taken => {
  if (!methods.includes(method)) throw new SyntaxError(`the platform passes on no ${method} requests`);
  const header = compared(headers, (name) => name.toLowerCase(), /^[a-z0-9-]{1,64}$/);
  const query = compared(queryParams, (name) => name, /^.{1,64}$/s);
  const [headerCount, queryCount] = [header, query].map((it) => Object.keys(it).length) as [number, number];
  if (headerCount + queryCount > 16) throw new SyntaxError("a route has 16 conditions at most");
  const when: When = {
    ...(headerCount > 0 && { header }),
    ...(queryCount > 0 && { query }),
    // A manifest's GET takes HEAD too, and here it does not.
    ...(method === "GET" && { method }),
  };
  const issue = conditions.safeParse(when).error?.issues[0];
  if (issue) throw new SyntaxError(`${issue.path.join(".")}: ${issue.message}`);
  return { ...pathOf(path), method, when, headers: headerCount, queries: queryCount };
};

const conditions = whenSchema();

const methods = ["ANY", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/** Of names that stand there twice, the first is meant. */
const compared = (
  all: RouteMatch["headers"],
  named: (name: string) => string,
  allowed: RegExp,
): Record<string, Comparison> => {
  const found: Record<string, Comparison> = {};
  for (const { type, name, value } of all) {
    const key = named(name);
    if (!allowed.test(key)) throw new SyntaxError(`"${name}" is no name that a condition can have`);
    if (Object.hasOwn(found, key)) continue;
    if (type === "RegularExpression") found[key] = { matches: patternOf(value, "[ -~]") };
    else if (value.includes("${")) throw new SyntaxError(`"${value}" is read as a variable in a manifest`);
    else found[key] = ["present", "absent"].includes(value) ? { exact: value } : value;
  }
  return found;
};

const pathOf = ({ type, value }: RouteMatch["path"]): Pick<Taken, "path" | "prefix"> => {
  if (type === "RegularExpression") return { path: read(regular(value)), prefix: undefined };
  if (/[{}]/.test(value)) throw new SyntaxError(`"${value}" has a brace, which no path of a manifest can have`);
  // What the URL parser would read as another path, or as a query.
  if (!specified.test(value) || /\/{2}|\/(?:\.|%2e){1,2}(?:\/|$)|%2f/i.test(value))
    throw new SyntaxError(`"${value}" is no path as the Gateway API has it`);
  const path = canonicalPath(new URL(`https://any.example${value}`).pathname);
  if (path === undefined)
    throw new SyntaxError(`"${value}" is refused: it means different things to different servers`);
  if (type === "Exact") return { path: read(path), prefix: undefined };
  const prefix = path.replace(/\/$/, "");
  return { path: read(prefix === "" ? "/{rest*}" : `${prefix}{/rest*}`), prefix };
};

/** As HTTPPathMatch asks for it: a slash, and what a path may hold. */
const specified = /^\/(?:[\w\-./~!$&'()*+,;=:@]|%[0-9a-f]{2})*$/i;

/** @throws SyntaxError where a manifest has no such path */
const read = (path: string): string => {
  if (/\s/.test(path)) throw new SyntaxError(`"${path}" has a space, and no request has one in its path`);
  segmentsOf(path);
  return path;
};

/** A pattern of the kind that takes linear time; `.` is what it may stand for there. */
const patternOf = (source: string, any: string): string => {
  const whole = source.replace(/^\^/, "").replace(/(?<!\\)\$$/, "");
  const pattern = whole.replace(/\\.|\[[^\]]*\]|\./g, (piece) => (piece === "." ? any : piece));
  const complaint = patternProblem(pattern);
  if (complaint) throw new SyntaxError(complaint);
  return pattern;
};

/** A regular expression over a whole path becomes segments: literals, patterns, and a rest where it ends in `.*`. */
const regular = (source: string): string => {
  const whole = source.replace(/^\^/, "").replace(/(?<!\\)\$$/, "");
  if (!whole.startsWith("/")) throw new SyntaxError(`"${source}" does not begin with /, so it spans segments`);
  const ends = /\/\.\*$/.test(whole);
  const texts = (ends ? whole.slice(0, -3) : whole).slice(1).match(/(?:\[[^\]]*\]|\\.|[^/])+/g) ?? [];
  const segments = texts.map((text, index) => segmentOf(text, index + 1));
  const end = ends ? ["{rest*}"] : /[^/]\/$/.test(whole) ? [""] : [];
  return `/${[...segments, ...end].join("/")}`;
};

const segmentOf = (text: string, place: number): string => {
  if (/^(?:[\w~-]|\\\.)+$/.test(text)) return text.replaceAll("\\.", ".");
  if (text === "[^/]+") return `{p${place}}`;
  const within = text.replaceAll(/\[\^?[^\]]*\]/g, (set) => set.replace("/", "").replace(/^\[\^\]$/, "[!-~]"));
  if (/\.[*+]/.test(within)) throw new SyntaxError(`"${text}" may go on over a /, and a pattern is of one segment`);
  return `{p${place}:${patternOf(within, "[!-~]")}}`;
};
