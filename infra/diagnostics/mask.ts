/** Hides what looks like a secret in lines and sentences about a file, whether the file holds or not: problems are printed, and sent to others. */
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
  /** A piece of the file, as wide as it is. @param start where it begins */
  readonly excerpt: (start: number, end: number) => string;
  /** A sentence, which may quote the file. */
  readonly sentence: (text: string) => string;
}

/** Looks for secrets when the first line is shown: most files have nothing to be told about. */
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
  /** The same as texts, as sentences quote them. */
  readonly texts: readonly string[];
}

const findSecrets = (text: string, root: Node | null): FoundSecrets => {
  const scalars = secretScalars(root, { key: "", isSecret: false, namesSecret: false }, text);
  const ranges = [...findSecretRanges(text), ...scalars.map(({ range }) => range)].toSorted(([a], [b]) => a - b);
  const texts = [...scalars.map(({ value }) => value), ...ranges.map(([from, to]) => unquote(text.slice(from, to)))];
  return { ranges, texts: [...new Set(texts)].filter((it) => it.length >= minLength) };
};

/** Shorter ones stand in other words, too. */
const minLength = 4;

const unquote = (text: string): string => text.replace(/^["']|["']$/g, "");

interface Secret {
  readonly range: Range;
  readonly value: string;
}

interface KeyContext {
  /** The nearest one above. */
  readonly key: string;
  /** Beneath a name such as `password`, which holds nothing else. */
  readonly isSecret: boolean;
  /** It is called by a name such as `password`, and is no secret, but its samples would be. */
  readonly namesSecret: boolean;
}

/** Members of a JWK that are not public. Source: RFC 7518, sections 6.2.2, 6.3.2 and 6.4. */
const privateMembers = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/** What stands beneath these is called by whoever wrote it, and that may be `list-repo-secrets`. */
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

/** What a schema called `password` has of one. */
const sampleKeywords = ["default", "example", "examples", "const", "enum"];

const secretName = /(?:^|[-_.])(?:secrets?|password|passwd|passphrase|private-?key)$/i;

/** Of those that hold a secret as a whole. */
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
  // A secret within a longer text is hidden by itself.
  return detectSecret(value, key) !== undefined && findSecretRanges(written).length === 0;
};

/** Of a secret, or of a value of the environment. */
const namesValue = /^(?:[A-Z][A-Z0-9_]*|\$\{.*\})$/;

/** A sentence may quote a beginning only, and as JSON. */
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
