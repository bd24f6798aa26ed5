/**
 * References: `{path.id}`, `{consumer.id}`, `{header.x-request-id}` in a text of the manifest. One small grammar, read
 * when a gate is linked, checked by the compiler against what the match captures and the filters ahead provide.
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

/** A value of the request, or undefined where it has none. Numbers, booleans and lists of a token are written as text. */
type ReadValue = (request: Request, context: Context) => string | undefined;

/** Prepares how a value of this name is read. */
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

/** Names that a source can have where they are few. */
const isNameOfSource: Readonly<Record<string, (name: string) => boolean>> = {
  consumer: (name) => /^(?:id|labels\..+)$/.test(name),
  claim: isClaim,
  client: (name) => name === "ip",
  request: (name) => name === "id",
};

/**
 * Reads `path.id`.
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
      if (/[{}]/.test(piece)) throw new SyntaxError(`a brace without its other half in "${text}"`);
      return piece;
    });

/**
 * Reads a path that a manifest gives.
 * @throws SyntaxError where it could never be asked for
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
 * Reads where a redirect leads: a path here, or a URL whose host is written out.
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

/** Where a text's value stands, which decides how each part of it is written. */
type TemplatePosition = "path" | "query" | "header";

/**
 * Prepares a text. What it gives is undefined where a value is missing, or cannot stand in that place.
 *
 * In a path, what the match captured goes on as it came, and every other value becomes one segment's text; a whole that
 * would hold a dot segment is none, nor is one that is longer than what every server takes. In a header, every other value
 * is written in another way, and none ends a line: see `headerText`.
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
 * A dot segment or an empty one would ask for another resource than the text says. So would an encoded one behind an
 * encoded slash, for a service that decodes once more than the URL standard, or twice; `..;` is `..` to a servlet.
 */
const isUnsafePath = (path: string): boolean =>
  /\/\/|%(?:[01][0-9a-f]|7f)/i.test(path) ||
  /(?:^|\/|%(?:25)*(?:2f|5c))(?:\.|%(?:25)*2e){1,2}(?:$|[/;]|%(?:25)*(?:2f|5c|3b|00))/i.test(path);

const readerFor = (position: TemplatePosition, { source, name }: Reference): ReadValue => {
  if (position === "path" && source === "path") return (_, context) => context.captures[name];
  if (position === "header" && source === "claim") return claimForHeader(name);
  const read: ReadValue = sources[source](name);
  // Whoever writes a query encodes its values.
  if (position === "query") return read;
  if (position === "path") return (request, context) => encodedSegment(read(request, context));
  return (request, context) => {
    const value = read(request, context);
    return value === undefined ? undefined : headerText(value);
  };
};

/** An empty segment would ask for another resource, and one that is no Unicode for one that servers do not agree on. */
const encodedSegment = (value: string | undefined): string | undefined =>
  value === undefined || value === "" || !value.isWellFormed() ? undefined : encodeURIComponent(value);

/** A list is its items with commas between, so a comma elsewhere is encoded. */
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
 * A value as text of a header. Different values stay different, and percent-decoding gives back what it was: a service may
 * take a header for who is calling. Visible ASCII but `%` goes on as it is, and so do spaces between; spaces at the ends, which
 * HTTP strips, and everything else are percent-encoded.
 */
export const headerText = (value: string): string =>
  plainText.test(value) ? value : value.replace(/^ +| +$|[^\x20-\x24\x26-\x7e]+/gu, percentEncoded);

const plainText = /^[\x21-\x24\x26-\x7e]*$/;

/** As `encodeURIComponent`, and one half of a surrogate pair by itself as the three bytes that WTF-8 has for it. */
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
 * Prepares a reference by itself: its value as it is, for what compares or counts.
 * @throws SyntaxError with a sentence for the manifest's author
 */
export const referenceReader = (reference: string): ReadValue => {
  const { source, name } = parseReference(reference);
  return sources[source](name);
};
