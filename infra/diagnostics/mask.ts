/** Masks secrets in source lines and messages, for valid and broken files alike, since problems are printed and shared. */
import { isMap, isScalar, isSeq, type Node } from "yaml";
import {
  couldBeSecret,
  detectSecret,
  findSecretRanges,
  isSecretKey,
  type Range,
  redact,
  replaceRanges,
} from "./secret-literals.ts";

export interface SecretMask {
  /** A part of the file with secrets masked, at the same width. @param start offset */
  readonly excerpt: (start: number, end: number) => string;
  /** A message, which may quote the file, with secrets masked. */
  readonly sentence: (text: string) => string;
}

/** Detects secrets lazily, at the first line shown, since most files have no problems. */
export const createMask = (text: string, root: Node | null): SecretMask => {
  let found: FoundSecrets | undefined;
  const secrets = () => (found ??= findSecrets(text, root));
  return {
    excerpt: (start, end) => {
      const inside = secrets().ranges.flatMap(([from, to]): Range[] =>
        from < end && to > start ? [[Math.max(from, start) - start, Math.min(to, end) - start]] : [],
      );
      return replaceRanges(text.slice(start, end), inside, (hidden) => "•".repeat(hidden.length));
    },
    sentence: (sentence) => redact(secrets().texts.reduce(maskQuote, sentence)),
  };
};

interface FoundSecrets {
  readonly ranges: readonly Range[];
  /** The secrets as texts, for masking quotes in messages. */
  readonly texts: readonly string[];
}

const findSecrets = (text: string, root: Node | null): FoundSecrets => {
  const scalars = secretScalars(root, { key: "", isSecret: false, namesSecret: false }, text);
  const ranges = [...findSecretRanges(text), ...scalars.map(({ range }) => range)].toSorted(([a], [b]) => a - b);
  const texts = [...scalars.map(({ value }) => value), ...ranges.map(([from, to]) => unquote(text.slice(from, to)))];
  return { ranges, texts: [...new Set(texts)].filter((it) => it.length >= minLength) };
};

/** Shorter texts could be part of ordinary words. */
const minLength = 4;

const unquote = (text: string): string => text.replace(/^["']|["']$/g, "");

interface Secret {
  readonly range: Range;
  readonly value: string;
}

interface KeyContext {
  /** The nearest key above. */
  readonly key: string;
  /** Below a key such as `password`, so the value is a secret. */
  readonly isSecret: boolean;
  /** A schema for a field such as `password`: not a secret itself, but its samples would be. */
  readonly namesSecret: boolean;
}

/** Members of a JWK that are not public. Source: RFC 7518, sections 6.2.2, 6.3.2 and 6.4. */
const privateMembers = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/** Keys below these are names that authors choose, such as `list-repo-secrets`. */
const namedByAuthor = [
  "routes",
  "upstreams",
  "properties",
  "patternProperties",
  "$defs",
  "definitions",
  "paths",
  "schemas",
];

/** Schema keywords that contain sample values. */
const sampleKeywords = ["default", "example", "examples", "const", "enum"];

const secretName = /(?:^|[-_.])(?:secrets?|password|passwd|passphrase|private-?key)$/i;

/** Scalars that are secrets as a whole. */
const secretScalars = (node: Node | null, context: KeyContext, text: string): Secret[] => {
  if (isSeq(node)) return node.items.flatMap((item) => secretScalars(item as Node | null, context, text));
  if (isMap(node)) {
    const isKey = node.has("kty");
    return node.items.flatMap(({ key, value }) => {
      const name = isScalar(key) ? String(key.value) : "";
      const isSecretName = secretName.test(name);
      const namesSecret = namedByAuthor.includes(context.key) && isMap(value) && isSecretName;
      const isSecret =
        context.isSecret ||
        (isSecretName && !namesSecret) ||
        (context.namesSecret && sampleKeywords.includes(name)) ||
        (isKey && privateMembers.includes(name));
      return secretScalars(value as Node | null, { key: name, isSecret, namesSecret }, text);
    });
  }
  if (!isScalar(node) || !node.range || typeof node.value === "boolean" || node.value === null) return [];
  const [start, end] = node.range;
  const value = String(node.value);
  return isHidden(value, text.slice(start, end), context) ? [{ value, range: [start, end] }] : [];
};

const isHidden = (value: string, written: string, { key, isSecret }: KeyContext): boolean => {
  if (isSecret && !namesValue.test(value)) return true;
  if (isSecretKey(key) && couldBeSecret(value)) return true;
  // A secret within a longer text is masked separately.
  return detectSecret(value, key) !== undefined && findSecretRanges(written).length === 0;
};

/** The name of a secret, or a variable. */
const namesValue = /^(?:[A-Z][A-Z0-9_]*|\$\{.*\})$/;

/** Masks a secret in a message, which may quote only its beginning, or quote it as JSON. */
const maskQuote = (sentence: string, secret: string): string =>
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
  }, sentence);
