/** Parses a text that joins all values of a list or an object: `a,b,c`, `R=100,G=200`. */
import type { ValueShape } from "../core/ports/validators.ts";
import { type Choose, repeated, Unreadable } from "./readings.ts";
import { type Decode, scalar, shapeOfProperty } from "./values.ts";

export interface JoinedFormat {
  readonly between: string;
  /** Whether names and values are joined by `=`; otherwise they alternate. */
  readonly equals: boolean;
  readonly decode: Decode;
}

/**
 * Splits before decoding, so that an encoded separator is part of a value (OpenAPI 3.1.1, appendix C).
 * @throws Unreadable
 */
export const joinedValue = (raw: string, shape: ValueShape, format: JoinedFormat, choose: Choose): unknown => {
  const { kinds, items, properties } = shape;
  if (!items && !properties) return scalar(format.decode(raw), shape, choose);
  const list = () => listOf(raw, items as ValueShape, format, choose);
  const object = () => objectOf(raw, shape, format, choose);
  const compound = () => (items && properties ? choose(list, object) : items ? list() : object());
  return kinds ? choose(() => scalar(format.decode(raw), shape, choose), compound) : compound();
};

const listOf = (raw: string, items: ValueShape, { between, decode }: JoinedFormat, choose: Choose): unknown[] => {
  const all = (): unknown[] => raw.split(between).map((it) => scalar(decode(it), items, choose));
  // An empty list and a list of one empty text look the same.
  return raw === "" ? choose((): unknown[] => [], all) : all();
};

const objectOf = (
  raw: string,
  shape: ValueShape,
  { between, equals, decode }: JoinedFormat,
  choose: Choose,
): unknown => {
  const parts = raw === "" ? [] : raw.split(between);
  const pairs = equals ? named(parts, between) : alternating(parts);
  const found = new Map<string, unknown>();
  for (const [rawName, text] of pairs) {
    const name = decode(rawName);
    if (found.has(name)) throw repeated();
    found.set(name, scalar(decode(text), shapeOfProperty(shape, name), choose));
  }
  return Object.fromEntries(found);
};

/** Pairs of name and value. With the separator `.`, a dot may be part of a value: `R=1.5.G=2`. */
const named = (parts: readonly string[], between: string): [string, string][] => {
  const pairs: [string, string][] = [];
  for (const part of parts) {
    const at = part.indexOf("=");
    const last = pairs.at(-1);
    if (at >= 0) pairs.push([part.slice(0, at), part.slice(at + 1)]);
    else if (last && between === ".") last[1] += `.${part}`;
    else throw new Unreadable("has a name without a value");
  }
  return pairs;
};

const alternating = (parts: readonly string[]): [string, string][] => {
  if (parts.length % 2 === 1) throw new Unreadable("has a name without a value");
  return Array.from({ length: parts.length / 2 }, (_, at) => [parts[at * 2] ?? "", parts[at * 2 + 1] ?? ""]);
};
