/** Texts that look like secrets: what the audit complains about, and what no report may repeat. */

/** Shapes that well-known issuers give their credentials; each part is bounded, so that a long text costs no more than its length. */
const credentialShapes: readonly (readonly [what: string, shape: RegExp])[] = [
  ["a private key", /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----(?:[^-]{0,8192}-----END [A-Z ]{0,40}PRIVATE KEY-----)?/],
  ["a token (JWT)", /\beyJ[A-Za-z0-9_-]{8,512}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]{8,})/],
  ["a GitHub token", /\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{50,})/],
  ["an AWS key", /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/],
  ["a Slack token", /\bxox[abeoprs]-[A-Za-z0-9-]{10,}/],
  ["a Stripe key", /\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}/],
  ["a Google API key", /\bAIza[A-Za-z0-9_-]{35}\b/],
  ["a password in a URL", /(?<=\b[a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/:@]{0,256}:[^\s/@]{1,256}(?=@)/i],
];

const headerCredential = /^(?:Basic|Bearer|Token|ApiKey)\s+[A-Za-z0-9+/=_.~-]{8,}$/i;

/** Names that say so themselves: `x-api-key`, `client-secret`. */
const secretKeyName =
  /(?:^|[-_.])(?:secret|password|passwd|token|api-?key|apikey|private-?key|credential|authorization)s?$/i;

export const isSecretKey = (key: string): boolean => secretKeyName.test(key.replaceAll(/([a-z])([A-Z])/g, "$1-$2"));

/** Of a secret: `PAY_SIGNING_KEY_2`. */
const isSecretName = /^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+$/;

/** A word of many different characters, with digits among letters, is nothing that anybody reads. */
const looksRandom = (text: string): boolean =>
  /^[A-Za-z0-9+/=_~-]{16,}$/.test(text) &&
  !isSecretName.test(text) &&
  /[0-9]/.test(text) &&
  /[A-Za-z]/.test(text) &&
  entropy(text) > 3.3;

/** Shannon's, in bits a character. */
const entropy = (text: string): number => {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  return [...counts.values()].reduce((sum, n) => sum - (n / text.length) * Math.log2(n / text.length), 0);
};

/**
 * What a text seems to be, or undefined.
 * @param key under which it stands
 */
export const detectSecret = (text: string, key = ""): string | undefined => {
  // A reference is filled in by the gate.
  const written = text.replaceAll(/\{[a-z]+\.[^}]*\}/g, "");
  const known = credentialShapes.find(([, shape]) => shape.test(written));
  if (known) return known[0];
  if (headerCredential.test(written)) return "a credential of a header";
  return secretKeyName.test(key) && looksRandom(written) ? "a key or password" : undefined;
};

/** The value with everything that looks like a secret hidden. */
export const maskSecrets = (value: unknown, key = ""): unknown => {
  if (typeof value === "string") return detectSecret(value, key) ? "•••" : value;
  if (Array.isArray(value)) return value.map((it) => maskSecrets(it, key));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, it]) => [name, maskSecrets(it, name)]));
};

/** Where something begins and ends in a text, in UTF-16 units. */
export type Range = readonly [start: number, end: number];

const globalShapes = credentialShapes.map(([, shape]) => new RegExp(shape.source, `${shape.flags}g`));

/** What follows the name of a scheme, wherever it stands; with a digit, since prose has none. */
const credentialInText = /\b(?:Basic|Bearer|Token|ApiKey)\s+(?=[A-Za-z+/=_.~-]{0,64}[0-9])[A-Za-z0-9+/=_.~-]{8,}/gi;

/** Hashes of keys are no secrets, and people compare them. */
const longWords = /(?<![A-Za-z0-9+=_]|sha256:)[A-Za-z0-9+=_]{20,}/g;

/** Letters and digits change places often: in names they do not. */
const looksScrambled = (word: string): boolean =>
  (word.match(/(?<=[A-Za-z])[0-9]|(?<=[0-9])[A-Za-z]/g) ?? []).length >= 4;

/** A value beside a name, in YAML, in a header or in a shell: `api-key: x`, `X-Api-Key=x`. */
const assignments =
  /([A-Za-z][A-Za-z0-9_.-]{0,63})["']?[ \t]*[:=][ \t]*(?:\r?\n[ \t]+(?:- )?)?("[^"\n]*"?|'[^'\n]*'?|[^\s,#}\]"'][^\s,}\]]*)/g;

/** Where a sentence, or any other text, has what is a credential by its shape, or by the name beside it. */
const findCredentialRanges = (text: string): Range[] => [
  ...globalShapes.flatMap((shape) => matchRanges(text.matchAll(shape))),
  ...matchRanges(text.matchAll(credentialInText)),
  ...[...text.matchAll(assignments)].flatMap(({ 0: whole, 1: key = "", 2: value = "", index }): Range[] => {
    const bare = value.replace(/^["']|["']$/g, "");
    return isSecretKey(key) && couldBeSecret(bare) ? [[index + whole.length - value.length, index + whole.length]] : [];
  }),
];

/** The same in the text of a file, which may be no YAML, or a comment: of a word that nobody could have made up, the name may be missing. */
export const findSecretRanges = (text: string): Range[] => [
  ...findCredentialRanges(text),
  ...matchRanges([...text.matchAll(longWords)].filter(([word]) => looksScrambled(word))),
];

const matchRanges = (matches: Iterable<RegExpMatchArray>): Range[] =>
  [...matches].map(({ 0: text, index = 0 }) => [index, index + text.length]);

/**
 * Whether a text under a telling name may be shown: names of secrets, variables, references and the words of conditions
 * may. What is hidden here only because it could be one is missed by no reader.
 */
export const couldBeSecret = (text: string): boolean =>
  text.length >= 6 &&
  !/^(?:[A-Z][A-Z0-9_]*|\$?\{[^}]*\}?|secret:[A-Z0-9_]*|absent|present|true|false)$/.test(text) &&
  (/[0-9]/.test(text) || text.length >= 16);

/** A text with the credentials in it hidden. */
export const redact = (text: string): string => replaceRanges(text, findCredentialRanges(text), () => "•••");

/** @param shown what stands there instead */
export const replaceRanges = (
  text: string,
  ranges: readonly Range[],
  shown: (maskSecrets: string) => string,
): string => {
  let end = 0;
  let result = "";
  for (const [from, to] of ranges.toSorted(([a], [b]) => a - b)) {
    if (to <= end) continue;
    const start = Math.max(from, end);
    result += text.slice(end, start) + shown(text.slice(start, to));
    end = to;
  }
  return result + text.slice(end);
};
