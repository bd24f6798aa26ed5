/**
 * References: `{path.id}`, `{consumer.id}`, `{header.x-request-id}` in texts of the manifest. Parsed when a gate is
 * linked. The compiler checks them against the captures of the match and the facts of the filters ahead.
 */

import { cookie } from "../http/cookies.ts";
import { claimReader, claimText, isClaim } from "./claims.ts";
import { Claims, Consumer, getFact } from "./facts.ts";
import type { Context } from "./types.ts";

export interface Reference {
  /** `path`, `query`, `header`, `cookie`, `consumer`, `claim`, `client`, `request`. */
  readonly source: keyof typeof sources;
  /** `id`, `x-request-id`, `labels.plan`. */
  readonly name: string;
}

/** Reads a value of a request; undefined when it is absent. Numbers, booleans and lists of a token become text. */
type ReadValue = (request: Request, context: Context) => string | undefined;

/** Compiles a reader for a name. */
type PrepareRead = (name: string) => ReadValue;

const decoded = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
};

const sources = {
  path: (name) => (_, context) => decoded(context.captures[name] ?? "%"),
  query: (name) => (_, context) => new URLSearchParams(context.url.search).get(name) ?? undefined,
  header: (name) => (request) => request.headers.get(name) ?? undefined,
  cookie: (name) => (request) => cookie(request.headers, name),
  consumer: (name) => (_, context) => {
    const consumer = getFact(context, Consumer);
    if (name === "id" || !consumer) return consumer?.id;
    const label = name.slice("labels.".length);
    return Object.hasOwn(consumer.labels, label) ? consumer.labels[label] : undefined;
  },
  claim: (name) => {
    const read = claimReader(name);
    return (_, context) => {
      const claims = getFact(context, Claims);
      return claims && claimText(read(claims));
    };
  },
  client: () => (_, context) => context.caller.ip ?? undefined,
  request: () => (_, context) => context.caller.requestId,
} satisfies Record<string, PrepareRead>;

/** Valid names of sources that have a fixed set. */
const isNameOfSource: Readonly<Record<string, (name: string) => boolean>> = {
  consumer: (name) => /^(?:id|labels\..+)$/.test(name),
  claim: isClaim,
  client: (name) => name === "ip",
  request: (name) => name === "id",
};

/**
 * Parses `path.id`.
 * @throws SyntaxError with a sentence for the manifest's author
 */
const parseReference = (reference: string): Reference => {
  const [, source = "", name = ""] = /^([a-z]+)\.([A-Za-z0-9_.:/#@~+=?%\\-]+)$/.exec(reference) ?? [];
  if (!Object.hasOwn(sources, source))
    throw new SyntaxError(`"${reference}" is no reference; it begins with one of ${Object.keys(sources).join(", ")}`);
  if (isNameOfSource[source]?.(name) === false)
    throw new SyntaxError(`"${reference}" is no reference; ${source} has no "${name}"`);
  if (source !== "claim" && !/^[A-Za-z0-9_.:/-]+$/.test(name))
    throw new SyntaxError(`"${reference}" is no reference; only a claim has such a name`);
  return { source: source as Reference["source"], name };
};

type Piece = string | Reference;

/**
 * Splits a text into literals and references.
 * @throws SyntaxError with a sentence for the manifest's author
 */
export const parseTemplate = (text: string): Piece[] =>
  text
    .split(/(\{[^{}]*\})/)
    .filter((piece) => piece !== "")
    .map((piece) => {
      if (piece.startsWith("{") && piece.endsWith("}")) return parseReference(piece.slice(1, -1));
      if (/[{}]/.test(piece)) throw new SyntaxError(`an unbalanced brace in "${text}"`);
      return piece;
    });

/**
 * Parses a path template of a manifest.
 * @throws SyntaxError for a path that no request can have
 */
export const parsePathTemplate = (path: string): Piece[] => {
  const pieces = parseTemplate(path);
  if (isUnsafePath(pieces.map((piece) => (typeof piece === "string" ? piece : "x")).join("")))
    throw new SyntaxError(`a path has no empty and no dot segments, and no control characters: "${path}"`);
  return pieces;
};

export const referencesIn = (text: string): Reference[] =>
  parseTemplate(text).filter((piece) => typeof piece !== "string");

/**
 * Parses the target of a redirect: a path, or a URL with a literal host.
 * @throws SyntaxError with a sentence for the manifest's author
 */
export const parseLocation = (text: string): { readonly origin: string; readonly path: string } => {
  const [whole, origin = "", path = "/"] =
    /^(https?:\/\/[A-Za-z0-9.-]+(?::\d{1,5})?)?(\/[^?#\s\\]*)?$/.exec(text) ?? [];
  if (!whole || whole.startsWith("//"))
    throw new SyntaxError("a location is a path, or a URL whose host is written out, with no query: /v2/{path.id}");
  parsePathTemplate(path);
  return { origin, path };
};

/** Where a value is inserted, which decides how it is encoded. */
type TemplatePosition = "path" | "query" | "header";

/**
 * Compiles a template. The result is undefined when a value is absent or not allowed in that position.
 *
 * In a path, captures are inserted unchanged and every other value becomes one encoded segment. A path with a dot
 * segment, or one that is too long, has no value. In a header, values are encoded by `headerText`.
 */
export const compileTemplate = (
  source: string,
  position: TemplatePosition,
): ((request: Request, context: Context) => string | undefined) => {
  const pieces = parseTemplate(source).map((piece) => (typeof piece === "string" ? piece : readerFor(position, piece)));
  return (request, context) => {
    let whole = "";
    for (const piece of pieces) {
      const part = typeof piece === "string" ? piece : piece(request, context);
      if (part === undefined) return undefined;
      whole += part;
    }
    if (position !== "header" && whole.length > maxLength) return undefined;
    return position === "path" && isUnsafePath(whole) ? undefined : whole;
  };
};

/** RFC 9110, section 4.1. */
const maxLength = 8000;

/**
 * Dot segments and empty segments would address another resource. So would encoded ones behind an encoded slash, for
 * services that decode once more than the URL standard, or twice. Servlets read `..;` as `..`.
 */
const isUnsafePath = (path: string): boolean =>
  /\/\/|%(?:[01][0-9a-f]|7f)/i.test(path) ||
  /(?:^|\/|%(?:25)*(?:2f|5c))(?:\.|%(?:25)*2e){1,2}(?:$|[/;]|%(?:25)*(?:2f|5c|3b|00))/i.test(path);

const readerFor = (position: TemplatePosition, { source, name }: Reference): ReadValue => {
  if (position === "path" && source === "path") return (_, context) => context.captures[name];
  if (position === "header" && source === "claim") return claimForHeader(name);
  const read: ReadValue = sources[source](name);
  // The caller encodes query values.
  if (position === "query") return read;
  if (position === "path") return (request, context) => encodedSegment(read(request, context));
  return (request, context) => {
    const value = read(request, context);
    return value === undefined ? undefined : headerText(value);
  };
};

/**
 * An empty segment would address another resource, and servers disagree about one that is not well-formed Unicode.
 */
const encodedSegment = (value: string | undefined): string | undefined =>
  value === undefined || value === "" || !value.isWellFormed() ? undefined : encodeURIComponent(value);

/** List items are joined with commas, so commas within items are encoded. */
const claimForHeader = (name: string): ReadValue => {
  const read = claimReader(name);
  const encode = (text: string): string => headerText(text).replaceAll(",", "%2C");
  return (_, context) => {
    const claims = getFact(context, Claims);
    const value = claims && read(claims);
    if (Array.isArray(value)) return claimText(value, encode);
    const text = claimText(value);
    return text === undefined ? undefined : encode(text);
  };
};

/**
 * Encodes a value for a header. Encoding is reversible by percent-decoding, since a service may identify the caller
 * by it. Visible ASCII except `%`, and inner spaces, stay unchanged. Everything else is percent-encoded, and so are
 * leading and trailing spaces, which HTTP strips.
 */
export const headerText = (value: string): string =>
  plainText.test(value) ? value : value.replace(/^ +| +$|[^\x20-\x24\x26-\x7e]+/gu, percentEncoded);

const plainText = /^[\x21-\x24\x26-\x7e]*$/;

/** Like `encodeURIComponent`, but encodes a lone surrogate as its three WTF-8 bytes. */
export const percentEncoded = (text: string): string =>
  text.isWellFormed() ? encodeURIComponent(text) : text.replace(/\p{Surrogate}|\P{Surrogate}+/gu, pieceEncoded);

const pieceEncoded = (piece: string): string => {
  if (piece.isWellFormed()) return encodeURIComponent(piece);
  const unit = piece.charCodeAt(0);
  return [0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f)]
    .map((byte) => `%${byte.toString(16).toUpperCase()}`)
    .join("");
};

/**
 * Compiles a reader of one reference that returns the raw value, for comparing and counting.
 * @throws SyntaxError with a sentence for the manifest's author
 */
export const referenceReader = (reference: string): ReadValue => {
  const { source, name } = parseReference(reference);
  return sources[source](name);
};
