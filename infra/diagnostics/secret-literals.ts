/** Detects texts that look like secrets, for the audit and for masking output. */

/** Formats of well-known credentials. Each part is bounded, so that matching is linear. */
const credentialShapes: readonly (readonly [what: string, shape: RegExp])[] = [
  ["a private key", /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----(?:[^-]{0,8192}-----END [A-Z ]{0,40}PRIVATE KEY-----)?/],
  ["a token (JWT)", /\beyJ[A-Za-z0-9_-]{8,512}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]{8,})/],
  ["a GitHub token", /\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{50,})/],
  ["an AWS key", /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/],
  ["a Slack token", /\bxox[abeoprs]-[A-Za-z0-9-]{10,}/],
  [
    "a chat's webhook URL",
    /(?<=\bhttps:\/\/(?:hooks\.slack|chat\.googleapis|[a-z0-9.-]{1,100}\.(?:logic\.azure|powerplatform))\.com(?::\d{1,5})?\/)[^\s"',}]{8,1000}/i,
  ],
  ["a Stripe key", /\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}/],
  ["a Google API key", /\bAIza[A-Za-z0-9_-]{35}\b/],
  ["a password in a URL", /(?<=\b[a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/:@]{0,256}:[^\s/@]{1,256}(?=@)/i],
];

const headerCredential = /^(?:Basic|Bearer|Token|ApiKey)\s+[A-Za-z0-9+/=_.~-]{8,}$/i;

/** Keys that name a secret: `x-api-key`, `client-secret`. */
const secretKeyName =
  /(?:^|[-_.])(?:secret|password|passwd|token|api-?key|apikey|private-?key|credential|authorization)s?$/i;

export const isSecretKey = (key: string): boolean => secretKeyName.test(key.replaceAll(/([a-z])([A-Z])/g, "$1-$2"));

/** Of a secret: `PAY_SIGNING_KEY_2`. */
const isSecretName = /^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+$/;

/** A word with high entropy, and digits among letters. */
const looksRandom = (text: string): boolean =>
  /^[A-Za-z0-9+/=_~-]{16,}$/.test(text) &&
  !isSecretName.test(text) &&
  /[0-9]/.test(text) &&
  /[A-Za-z]/.test(text) &&
  entropy(text) > 3.3;

/** Shannon entropy, in bits per character. */
const entropy = (text: string): number => {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  return [...counts.values()].reduce((sum, n) => sum - (n / text.length) * Math.log2(n / text.length), 0);
};

/**
 * The kind of secret that a text looks like, or undefined.
 * @param key of the text
 */
export const detectSecret = (text: string, key = ""): string | undefined => {
  // References are resolved by the gate and are no secrets.
  const written = text.replaceAll(/\{[a-z]+\.[^}]*\}/g, "");
  const known = credentialShapes.find(([, shape]) => shape.test(written));
  if (known) return known[0];
  if (headerCredential.test(written)) return "a credential of a header";
  return secretKeyName.test(key) && looksRandom(written) ? "a key or password" : undefined;
};

/** The value, with everything that looks like a secret masked. */
export const maskSecrets = (value: unknown, key = ""): unknown => {
  if (typeof value === "string") return detectSecret(value, key) ? "•••" : value;
  if (Array.isArray(value)) return value.map((it) => maskSecrets(it, key));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, it]) => [name, maskSecrets(it, name)]));
};

/** Start and end offset in a text, in UTF-16 units. */
export type Range = readonly [start: number, end: number];

const globalShapes = credentialShapes.map(([, shape]) => new RegExp(shape.source, `${shape.flags}g`));

/** Credentials after an HTTP auth scheme. A digit is required, since prose rarely has one there. */
const credentialInText = /\b(?:Basic|Bearer|Token|ApiKey)\s+(?=[A-Za-z+/=_.~-]{0,64}[0-9])[A-Za-z0-9+/=_.~-]{8,}/gi;

/** Long words, except key hashes, which are no secrets. */
const longWords = /(?<![A-Za-z0-9+=_]|sha256:)[A-Za-z0-9+=_]{20,}/g;

/** Whether letters and digits alternate often, unlike in names. */
const looksScrambled = (word: string): boolean =>
  (word.match(/(?<=[A-Za-z])[0-9]|(?<=[0-9])[A-Za-z]/g) ?? []).length >= 4;

/** A value beside a name, in YAML, in a header or in a shell: `api-key: x`, `X-Api-Key=x`. */
const assignments =
  /([A-Za-z][A-Za-z0-9_.-]{0,63})["']?[ \t]*[:=][ \t]*(?:\r?\n[ \t]+(?:- )?)?("[^"\n]*"?|'[^'\n]*'?|[^\s,#}\]"'][^\s,}\]]*)/g;

/** Credentials in a text, by format or by the key beside them. */
const findCredentialRanges = (text: string): Range[] => [
  ...globalShapes.flatMap((shape) => matchRanges(text.matchAll(shape))),
  ...matchRanges(text.matchAll(credentialInText)),
  ...[...text.matchAll(assignments)].flatMap(({ 0: whole, 1: key = "", 2: value = "", index }): Range[] => {
    const bare = value.replace(/^["']|["']$/g, "");
    return isSecretKey(key) && couldBeSecret(bare) ? [[index + whole.length - value.length, index + whole.length]] : [];
  }),
];

/** Secrets in a file's text, which may be broken YAML or a comment. Random-looking words count without a key. */
export const findSecretRanges = (text: string): Range[] => [
  ...findCredentialRanges(text),
  ...matchRanges([...text.matchAll(longWords)].filter(([word]) => looksScrambled(word))),
];

const matchRanges = (matches: Iterable<RegExpMatchArray>): Range[] =>
  [...matches].map(({ 0: text, index = 0 }) => [index, index + text.length]);

/**
 * Whether a text under a secret key may be a secret. Names of secrets, variables, references and matcher keywords
 * are not.
 */
export const couldBeSecret = (text: string): boolean =>
  text.length >= 6 &&
  !/^(?:[A-Z][A-Z0-9_]*|\$?\{[^}]*\}?|secret:[A-Z0-9_]*|absent|present|true|false)$/.test(text) &&
  (/[0-9]/.test(text) || text.length >= 16);

/** The text, with credentials masked. */
export const redact = (text: string): string => replaceRanges(text, findCredentialRanges(text), () => "•••");

/** @param shown the replacement of a range */
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
