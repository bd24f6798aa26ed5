/** The grammar of `match`: `GET,POST /accounts/{id}/{n:[0-9]+}/{rest*}`, and `/files{/rest*}` for /files as well. Read by the compiler; a gate never parses one. */
import { canonicalPath } from "./path.ts";

export type Segment =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "capture"; readonly name: string; readonly pattern?: string }
  /** `optional` where the path may also end ahead of it: `/files{/rest*}` takes /files, and captures the slash along. */
  | { readonly kind: "rest"; readonly name: string; readonly optional?: true };

export const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "ANY"] as const;

/**
 * Reads `GET,POST /accounts/{id}`.
 * @throws SyntaxError with a sentence for the manifest's author
 */
export const matchOf = (text: string): { readonly methods: readonly string[]; readonly path: string } => {
  const [, list, path] = /^(\S+) (\S+)$/.exec(text) ?? [];
  if (list === undefined || path === undefined)
    throw new SyntaxError("a match is a method and a path: GET /accounts/{id}");
  const named = list.split(",");
  const odd = named.find((method) => !(methods as readonly string[]).includes(method));
  if (odd !== undefined) throw new SyntaxError(`"${odd}" is no method; it is one of ${methods.join(", ")}`);
  const twice = repeated(named);
  if (twice !== undefined) throw new SyntaxError(`${twice} stands there twice`);
  if (named.includes("ANY") && named.length > 1) throw new SyntaxError("ANY is every method; it stands alone");
  segmentsOf(path);
  return { methods: named, path };
};

/** @throws SyntaxError with a sentence for the manifest's author */
export const baseOf = (text: string): void => {
  if (segmentsOf(text).some(({ kind }) => kind !== "literal")) throw new SyntaxError("a base has no {captures}");
};

/** The tier's base and a route's path in one. */
export const joined = (base: string, path: string): string => (base === "/" ? path : path === "/" ? base : base + path);

/**
 * Splits `/accounts/{id:[0-9]+}/{rest*}` into its segments.
 * @throws SyntaxError with a sentence for the manifest's author
 */
export const segmentsOf = (path: string): Segment[] => {
  if (path.length > longestPath) throw new SyntaxError(`a path has ${longestPath} characters at most`);
  if (!path.startsWith("/")) throw new SyntaxError("a path begins with /");
  if (path === "/") return [];
  const [, ahead, tail] = optionalRest.exec(path) ?? [];
  if (ahead === "/") throw new SyntaxError(`of a whole host, every path has a slash: write /{${tail}*}`);
  const texts = (ahead ?? path).slice(1).split("/");
  const segments = texts.map((text, index) => segmentOf(text, tail === undefined && index === texts.length - 1));
  if (tail !== undefined) segments.push({ kind: "rest", name: tail, optional: true });
  const twice = repeated(capturesIn(segments));
  if (twice !== undefined) throw new SyntaxError(`two captures are called {${twice}}`);
  return segments;
};

const longestPath = 1024;

/** As RFC 6570 writes path segments that may not be there (section 3.2.6). */
const optionalRest = /^(\/.*)\{\/([a-z][a-z0-9-]*)\*\}$/;

/** Segments as they are written, `{name}` for a capture whatever its pattern. */
export const pathWritten = (segments: readonly Segment[]): string => {
  const texts = segments.map((it) => {
    if (it.kind === "rest") return it.optional ? `{/${it.name}*}` : `/{${it.name}*}`;
    return it.kind === "literal" ? `/${it.text}` : `/{${it.name}}`;
  });
  return texts.join("") || "/";
};

export const capturesIn = (segments: readonly Segment[]): string[] =>
  segments.flatMap((it) => (it.kind === "literal" ? [] : [it.name]));

const repeated = (words: readonly string[]): string | undefined =>
  words.find((word, index) => words.indexOf(word) < index);

const capture = /^\{([a-z][a-z0-9-]*)(?::(.+)|(\*))?\}$/;

const segmentOf = (text: string, last: boolean): Segment => {
  const [, name, pattern, star] = capture.exec(text) ?? [];
  if (name === undefined) return { kind: "literal", text: literal(text) };
  if (star) {
    if (!last) throw new SyntaxError(`{${name}*} takes the rest of the path, so it stands last`);
    return { kind: "rest", name };
  }
  if (pattern === undefined) return { kind: "capture", name };
  const complaint = patternProblem(pattern);
  if (complaint) throw new SyntaxError(complaint);
  return { kind: "capture", name, pattern };
};

/** What may stand in a segment as it is (RFC 3986, `pchar`), less `;` and `*`; everything else is percent-encoded there. */
const unencoded = /[^A-Za-z0-9\-._~!$&'()+,=:@%]/u;

/** Only text that a request's path can have once it is in its canonical form. */
const literal = (text: string): string => {
  if (/^\{[^}]*$/.test(text)) throw new SyntaxError(`"${text}" is a { without its }; a pattern holds no /`);
  if (/[{}*]/.test(text))
    throw new SyntaxError(`a segment is a literal, {name}, {name:pattern} or {rest*}, not "${text}"`);
  if (text === "") throw new SyntaxError("a path has no empty segment and no slash at its end");
  if (/^\.\.?$/.test(text))
    throw new SyntaxError(`"${text}" is resolved before a path is matched, so no request has it`);
  if (/[?#;\\\s]/.test(text)) throw new SyntaxError(`"${text}" has a character that no matched path can have`);
  const [odd] = unencoded.exec(text) ?? [];
  if (odd !== undefined) throw new SyntaxError(`write "${odd}" as requests have it: ${encodeURIComponent(odd)}`);
  const canonical = text.includes("%") ? canonicalPath(`/${text}`)?.slice(1) : text;
  if (canonical === undefined) throw new SyntaxError(`"${text}" has an encoding that no matched path can have`);
  if (canonical !== text) throw new SyntaxError(`write "${text}" as "${canonical}": a path is matched in this form`);
  return text;
};

/** One part of a pattern, and how often it may stand there. */
export const atom = /(?:\[\^?(?:\\[\w\-\].]|[^\]\\[])+\]|\\[dw.-]|[A-Za-z0-9_~-])(\?|\+|\*|\{\d{1,2}(,\d{1,2})?\})?/y;

/** Of a pattern, each repetition counted. */
const mostPlaces = 128;

/**
 * Patterns run on what a client sent, so they can only be of a kind that takes linear time: atoms in a row, of which two
 * vary in length and one of these without end.
 * @returns a sentence for the manifest's author, or undefined where there is nothing to complain about
 */
export const patternProblem = (pattern: string): string | undefined => {
  let varying = 0;
  let endless = 0;
  let places = 0;
  atom.lastIndex = 0;
  do {
    const [found, quantifier, range] = atom.exec(pattern) ?? [];
    places += Number(/\{(?:\d+,)?(\d+)\}$/.exec(quantifier ?? "")?.[1] ?? 1);
    if (found === undefined)
      return `the pattern "${pattern}" may hold characters, [classes], \\d and \\w, each with ?, +, * or {n,m} up to 99; no groups, no |`;
    if (quantifier === "+" || quantifier === "*") endless++;
    if (quantifier !== undefined && (!quantifier.startsWith("{") || range !== undefined)) varying++;
  } while (atom.lastIndex < pattern.length);
  try {
    new RegExp(pattern);
  } catch {
    return `the pattern "${pattern}" is no regular expression: a range runs backwards`;
  }
  if (places > mostPlaces) return `the pattern is for texts of more than ${mostPlaces} characters; write a shorter one`;
  if (endless > 1) return `the pattern "${pattern}" may hold one + or * at most; bound the others: {1,20}`;
  return varying > 2 ? `the pattern "${pattern}" may vary in length at two places at most` : undefined;
};
