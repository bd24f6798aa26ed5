/**
 * Parses the grammar of `match`: `GET,POST /accounts/{id}/{n:[0-9]+}/{rest*}`, `/files{/rest*}`, which also matches
 * /files, and segments that mix text and captures: `/jobs/{id}:cancel`. Used by the compiler only; gates never parse
 * a match.
 */

import { canonicalPath } from "../http/path.ts";
import type { SegmentTemplate } from "./mixed-segment.ts";
import { atom, patternProblem } from "./patterns.ts";

export type PathSegment =
  /** Empty as the last segment: the path ends in a slash. */
  | { readonly kind: "literal"; readonly text: string }
  | Capture
  /** Text and captures, and how they are split. */
  | { readonly kind: "mixed"; readonly names: readonly string[]; readonly template: SegmentTemplate }
  /** `optional` when the path may end before it: `/files{/rest*}` also matches /files, and captures the slash. */
  | { readonly kind: "rest"; readonly name: string; readonly optional?: true };

export interface Capture {
  readonly kind: "capture";
  readonly name: string;
  readonly pattern?: string;
}

export const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "ANY"] as const;

/**
 * Parses `GET,POST /accounts/{id}`.
 * @throws SyntaxError with a sentence for the manifest's author
 */
export const parseMatch = (text: string): { readonly methods: readonly string[]; readonly path: string } => {
  const [, list, path] = /^(\S+) (\S+)$/.exec(text) ?? [];
  if (list === undefined || path === undefined)
    throw new SyntaxError("a match is a method and a path: GET /accounts/{id}");
  const named = list.split(",");
  const odd = named.find((method) => !(methods as readonly string[]).includes(method));
  if (odd !== undefined) throw new SyntaxError(`"${odd}" is no method; it is one of ${methods.join(", ")}`);
  const duplicate = firstDuplicate(named);
  if (duplicate !== undefined) throw new SyntaxError(`${duplicate} is repeated`);
  if (named.includes("ANY") && named.length > 1) throw new SyntaxError("ANY is every method; it stands alone");
  parsePath(path);
  return { methods: named, path };
};

/** @throws SyntaxError with a sentence for the manifest's author */
export const checkBase = (text: string): void => {
  if (parsePath(text).some(({ kind }) => kind !== "literal")) throw new SyntaxError("a base has no {captures}");
  if (text !== "/" && text.endsWith("/"))
    throw new SyntaxError("a base has no slash at its end; /{$} matches one there");
};

/**
 * The base with a trailing slash, as Go's ServeMux writes the end of a path. `/` under a base is the base without it.
 */
const trailingSlash = "/{$}";

/** Joins the tier's base and a route's path. */
export const joinPath = (base: string, path: string): string => {
  const own = path === trailingSlash ? "/" : path;
  if (base === "/") return own;
  return path === "/" ? base : base + own;
};

/**
 * Splits `/accounts/{id:[0-9]+}/{rest*}` into its segments.
 * @throws SyntaxError with a sentence for the manifest's author
 */
export const parsePath = (path: string): PathSegment[] => {
  if (path.length > maxPathLength) throw new SyntaxError(`a path has ${maxPathLength} characters at most`);
  if (!path.startsWith("/")) throw new SyntaxError("a path begins with /");
  if (path === "/" || path === trailingSlash) return [];
  const [, ahead, tail] = optionalRest.exec(path) ?? [];
  if (ahead === "/") throw new SyntaxError(`for a whole host every path has a slash: write /{${tail}*}`);
  const texts = (ahead ?? path).slice(1).split("/");
  const segments = texts.map((text, index) => parseSegment(text, tail === undefined && index === texts.length - 1));
  if (tail !== undefined) segments.push({ kind: "rest", name: tail, optional: true });
  const duplicate = firstDuplicate(capturesIn(segments));
  if (duplicate !== undefined) throw new SyntaxError(`two captures are called {${duplicate}}`);
  return segments;
};

const maxPathLength = 1024;

/** Optional path segments, written as in RFC 6570 (section 3.2.6). */
const optionalRest = /^(\/.*)\{\/([a-z][a-z0-9-]*)\*\}$/;

/** Formats segments, with `{name}` for a capture whatever its pattern. */
export const formatPath = (segments: readonly PathSegment[]): string => {
  const texts = segments.map((it) =>
    it.kind === "rest" && it.optional ? `{/${it.name}*}` : `/${formatBareSegment(it)}`,
  );
  return texts.join("") || "/";
};

const formatBareSegment = (it: PathSegment): string => (it.kind === "rest" ? `{${it.name}*}` : templateOf(it));

/** Formats a segment as in a URI template or an OpenAPI path: `{id}:cancel`, `{rest}`. */
export const templateOf = (it: PathSegment): string => {
  if (it.kind === "literal") return it.text;
  if (it.kind !== "mixed") return `{${it.name}}`;
  return it.template.texts.map((text, index) => (index === 0 ? text : `{${it.names[index - 1]}}${text}`)).join("");
};

/** Formats a segment as in a manifest: `{id:[0-9]+}:cancel`, `{rest*}`. */
export const formatSegment = (it: PathSegment): string => {
  if (it.kind === "literal") return it.text;
  if (it.kind === "rest") return `{${it.name}*}`;
  if (it.kind === "capture") return it.pattern === undefined ? `{${it.name}}` : `{${it.name}:${it.pattern}}`;
  const { texts, patterns } = it.template;
  const written = patterns.map((pattern, index) => `{${it.names[index]}${pattern === "" ? "" : `:${pattern}`}}`);
  return texts.map((text, index) => (index === 0 ? text : `${written[index - 1]}${text}`)).join("");
};

/** Names of the captures, left to right. */
export const capturesIn = (segments: readonly PathSegment[]): string[] => capturesOf(segments).map(({ name }) => name);

/** Captures of segments with their patterns, left to right. The rest of a path has no pattern. */
export const capturesOf = (segments: readonly PathSegment[]): { readonly name: string; readonly pattern?: string }[] =>
  segments.flatMap((it) => {
    if (it.kind === "literal") return [];
    if (it.kind !== "mixed") return [it];
    return it.names.map((name, index) => {
      const pattern = it.template.patterns[index] as string;
      return { name, ...(pattern !== "" && { pattern }) };
    });
  });

const firstDuplicate = (words: readonly string[]): string | undefined =>
  words.find((word, index) => words.indexOf(word) < index);

const capture = /^([a-z][a-z0-9-]*)(?::(.+)|(\*))?$/;

const parseSegment = (text: string, last: boolean): PathSegment => {
  const pieces = splitSegment(text);
  const [only] = pieces;
  if (only === undefined) {
    if (!last) throw new SyntaxError("a path has no empty segment");
    return { kind: "literal", text };
  }
  if (pieces.length > 1) return parseMixed(text, pieces);
  if (!only.braced) return { kind: "literal", text: checkedLiteral(text, text) };
  const [, name, , star] = capture.exec(only.text) ?? [];
  if (name === undefined || star === undefined) return parseCapture(only.text, text);
  if (!last) throw new SyntaxError(`{${name}*} takes the rest of the path, so it stands last`);
  return { kind: "rest", name };
};

interface Piece {
  readonly text: string;
  /** Whether it was in braces, which are not part of the text. */
  readonly braced: boolean;
}

/** Parts of a pattern in which a brace is not the end: a class, an escaped character, a count. */
const patternPart = /\[(?:\\.|[^\]\\])*\]|\\.|\{[^{}]*\}|[^{}]/y;

/** Splits `{id:[0-9]{3}}:cancel` into its captures and the text between them. */
const splitSegment = (text: string): Piece[] => {
  const pieces: Piece[] = [];
  for (let at = 0; at < text.length; ) {
    const open = text.indexOf("{", at);
    const ahead = text.slice(at, open < 0 ? undefined : open);
    if (ahead !== "") pieces.push({ text: ahead, braced: false });
    if (open < 0) break;
    patternPart.lastIndex = open + 1;
    let end = open + 1;
    while (patternPart.test(text)) end = patternPart.lastIndex;
    if (text[end] !== "}") throw new SyntaxError(`"${text}" is a { without its }; a pattern holds no /`);
    pieces.push({ text: text.slice(open + 1, end), braced: true });
    at = end + 1;
  }
  return pieces;
};

/** @param whole segment, for messages */
const parseCapture = (text: string, whole: string): Capture => {
  const [, name, pattern] = capture.exec(text) ?? [];
  if (text === "$") throw new SyntaxError(`write the slash alone, without {$}: /{$} is for the base of a tier`);
  if (name === undefined) throw new SyntaxError(notASegment(whole));
  if (pattern === undefined) return { kind: "capture", name };
  const problem = patternProblem(pattern);
  if (problem) throw new SyntaxError(problem);
  return { kind: "capture", name, pattern };
};

const notASegment = (text: string): string =>
  `a segment is a literal, {name}, {name:pattern}, {rest*}, or captures with text between them, {id}:cancel; not "${text}"`;

const parseMixed = (whole: string, pieces: readonly Piece[]): PathSegment => {
  const texts = [""];
  const captures: Capture[] = [];
  for (const [index, { text, braced }] of pieces.entries()) {
    if (!braced) texts[captures.length] = checkedLiteral(text, whole);
    else if (text.endsWith("*") && !text.includes(":")) throw new SyntaxError(`{${text}} stands alone in its segment`);
    else {
      if (pieces[index - 1]?.braced)
        throw new SyntaxError(`between two captures of a segment stands a text: {a}-{b}, not "${whole}"`);
      captures.push(parseCapture(text, whole));
      texts.push("");
    }
  }
  const patterns = captures.map(({ pattern = "" }) => pattern);
  const ends = patterns.findIndex((it, index) => it === "" || canHold(it, (texts[index + 1] ?? "")[0] ?? ""));
  // The last capture ends where the last text begins, so it never ends at a first occurrence.
  const firsts = Math.min(ends < 0 ? patterns.length : ends, patterns.length - 1);
  return { kind: "mixed", names: captures.map(({ name }) => name), template: { texts, patterns, firsts } };
};

/** Whether a pattern can match a text with the character. */
const canHold = (pattern: string, character: string): boolean =>
  [...pattern.matchAll(new RegExp(atom.source, "g"))].some(([all, quantifier = ""]) =>
    new RegExp(`^${all.slice(0, all.length - quantifier.length)}$`).test(character),
  );

/** Characters that need encoding in a segment: all but `pchar` (RFC 3986) without `;` and `*`. */
const unencoded = /[^A-Za-z0-9\-._~!$&'()+,=:@%]/u;

/**
 * Accepts only text that a canonical path can have.
 * @param whole segment, for messages
 */
const checkedLiteral = (text: string, whole: string): string => {
  if (/[}*]/.test(text)) throw new SyntaxError(notASegment(whole));
  if (/^\.\.?$/.test(whole))
    throw new SyntaxError(`"${text}" is resolved before a path is matched, so no request has it`);
  if (/[?#;\\\s]/.test(text)) throw new SyntaxError(`"${text}" has a character that no matched path can have`);
  const [odd] = unencoded.exec(text) ?? [];
  if (odd !== undefined) throw new SyntaxError(`write "${odd}" as requests have it: ${encodeURIComponent(odd)}`);
  const canonical = text.includes("%") ? canonicalPath(`/${text}`)?.slice(1) : text;
  if (canonical === undefined) throw new SyntaxError(`"${text}" has an encoding that no matched path can have`);
  if (canonical !== text) throw new SyntaxError(`write "${text}" as "${canonical}": a path is matched in this form`);
  return text;
};
