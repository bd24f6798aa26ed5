/** Hides what looks like a secret in lines and sentences about a file, whether the file holds or not: problems are printed, and sent to others. */
import { isMap, isScalar, isSeq, type Node } from "yaml";
import {
  couldBeSecret,
  isTelling,
  type Range,
  redacted,
  secretLooking,
  secretsIn,
  withHidden,
} from "./secret-literals.ts";

export interface Mask {
  /** A piece of the file, as wide as it is. @param start where it begins */
  readonly piece: (start: number, end: number) => string;
  /** A sentence, which may quote the file. */
  readonly sentence: (text: string) => string;
}

/** Looks for secrets when the first line is shown: most files have nothing to be told about. */
export const maskOf = (text: string, root: Node | null): Mask => {
  let found: Found | undefined;
  const known = () => (found ??= findIn(text, root));
  return {
    piece: (start, end) => {
      const inside = known().ranges.flatMap(([from, to]): Range[] =>
        from < end && to > start ? [[Math.max(from, start) - start, Math.min(to, end) - start]] : [],
      );
      return withHidden(text.slice(start, end), inside, (hidden) => "•".repeat(hidden.length));
    },
    sentence: (said) => redacted(known().texts.reduce(withoutQuote, said)),
  };
};

interface Found {
  readonly ranges: readonly Range[];
  /** The same as texts, as sentences quote them. */
  readonly texts: readonly string[];
}

const findIn = (text: string, root: Node | null): Found => {
  const scalars = scalarsIn(root, { key: "", within: false, called: false }, text);
  const ranges = [...secretsIn(text), ...scalars.map(({ range }) => range)].toSorted(([a], [b]) => a - b);
  const texts = [...scalars.map(({ value }) => value), ...ranges.map(([from, to]) => bare(text.slice(from, to)))];
  return { ranges, texts: [...new Set(texts)].filter((it) => it.length >= shortest) };
};

/** Shorter ones stand in other words, too. */
const shortest = 4;

const bare = (text: string): string => text.replace(/^["']|["']$/g, "");

interface Secret {
  readonly range: Range;
  readonly value: string;
}

interface Place {
  /** The nearest one above. */
  readonly key: string;
  /** Beneath a name such as `password`, which holds nothing else. */
  readonly within: boolean;
  /** It is called by a name such as `password`, and is no secret, but its samples would be. */
  readonly called: boolean;
}

/** Members of a JWK that are not public. Source: RFC 7518, sections 6.2.2, 6.3.2 and 6.4. */
const privateMembers = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/** What stands beneath these is called by whoever wrote it, and that may be `list-repo-secrets`. */
const named = ["routes", "upstreams", "properties", "patternProperties", "$defs", "definitions", "paths", "schemas"];

/** What a schema called `password` has of one. */
const samples = ["default", "example", "examples", "const", "enum"];

const holdsNothingElse = /(?:^|[-_.])(?:secrets?|password|passwd|passphrase|private-?key)$/i;

/** Of those that hold a secret as a whole. */
const scalarsIn = (node: Node | null, place: Place, text: string): Secret[] => {
  if (isSeq(node)) return node.items.flatMap((item) => scalarsIn(item as Node | null, place, text));
  if (isMap(node)) {
    const isKey = node.has("kty");
    return node.items.flatMap(({ key, value }) => {
      const name = isScalar(key) ? String(key.value) : "";
      const tells = holdsNothingElse.test(name);
      const called = named.includes(place.key) && isMap(value) && tells;
      const within =
        place.within ||
        (tells && !called) ||
        (place.called && samples.includes(name)) ||
        (isKey && privateMembers.includes(name));
      return scalarsIn(value as Node | null, { key: name, within, called }, text);
    });
  }
  if (!isScalar(node) || !node.range || typeof node.value === "boolean" || node.value === null) return [];
  const [start, end] = node.range;
  const value = String(node.value);
  return isHidden(value, text.slice(start, end), place) ? [{ value, range: [start, end] }] : [];
};

const isHidden = (value: string, written: string, { key, within }: Place): boolean => {
  if (within && !isName.test(value)) return true;
  if (isTelling(key) && couldBeSecret(value)) return true;
  // A secret within a longer text is hidden by itself.
  return secretLooking(value, key) !== undefined && secretsIn(written).length === 0;
};

/** Of a secret, or of a value of the environment. */
const isName = /^(?:[A-Z][A-Z0-9_]*|\$\{.*\})$/;

/** A sentence may quote a beginning only, and as JSON. */
const withoutQuote = (said: string, secret: string): string =>
  [secret, JSON.stringify(secret).slice(1, -1)].reduce((text, it) => {
    const begin = it.slice(0, 8);
    let result = "";
    let rest = text;
    for (let at = rest.indexOf(begin); at >= 0; at = rest.indexOf(begin)) {
      let end = at + begin.length;
      while (end < rest.length && rest[end] === it[end - at]) end++;
      result += `${rest.slice(0, at)}•••`;
      rest = rest.slice(end);
    }
    return result + rest;
  }, said);
