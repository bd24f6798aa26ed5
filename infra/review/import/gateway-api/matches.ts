/** What a match of the Gateway API takes, in the words of a manifest. */
import { segmentsOf } from "../../../../functions/gateway/match.ts";
import { canonicalPath } from "../../../../functions/gateway/path.ts";
import { patternProblem } from "../../../../functions/gateway/patterns.ts";
import type { RouteMatch } from "./schema.ts";

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
  return { ...pathOf(path), method, when, headers: headerCount, queries: queryCount };
};

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
    else found[key] = ["present", "absent"].includes(value) || value.includes("${") ? { exact: value } : value;
  }
  return found;
};

const pathOf = ({ type, value }: RouteMatch["path"]): Pick<Taken, "path" | "prefix"> => {
  if (type === "RegularExpression") return { path: read(regular(value)), prefix: undefined };
  if (/[{}]/.test(value)) throw new SyntaxError(`"${value}" has a brace, which no path of a manifest can have`);
  const path = canonicalPath(new URL(`https://any.example${value}`).pathname);
  if (path === undefined)
    throw new SyntaxError(`"${value}" is refused: it means different things to different servers`);
  if (type === "Exact") return { path: read(path), prefix: undefined };
  const prefix = path.replace(/\/$/, "");
  return { path: read(prefix === "" ? "/{rest*}" : `${prefix}{/rest*}`), prefix };
};

/** @throws SyntaxError where a manifest has no such path */
const read = (path: string): string => {
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
  const within = text.replaceAll(/\[\^?[^\]]*\]/g, (set) => set.replace("/", "").replace(/^\[\^\]$/, "[^ ]"));
  if (/\.[*+]/.test(within)) throw new SyntaxError(`"${text}" may go on over a /, and a pattern is of one segment`);
  return `{p${place}:${patternOf(within, "[^ ]")}}`;
};
