/** Texts that look like secrets: what the audit complains about, and what no report may repeat. */

/** Shapes that well-known issuers give their credentials. */
const shapes: readonly (readonly [what: string, shape: RegExp])[] = [
  ["a private key", /-----BEGIN [A-Z ]*PRIVATE KEY-----/],
  ["a token (JWT)", /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}/],
  ["a GitHub token", /\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{50,})/],
  ["an AWS key", /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/],
  ["a Slack token", /\bxox[abeoprs]-[A-Za-z0-9-]{10,}/],
  ["a Stripe key", /\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}/],
  ["a Google API key", /\bAIza[A-Za-z0-9_-]{35}\b/],
  ["a password in a URL", /\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@]*:[^\s/@]+@/i],
  ["a credential of a header", /^(?:Basic|Bearer|Token|ApiKey)\s+[A-Za-z0-9+/=_.~-]{8,}$/i],
];

/** Names that say so themselves: `x-api-key`, `client-secret`. */
const telling = /(?:^|[-_.])(?:secret|password|passwd|token|api-?key|apikey|private-?key|credential|authorization)s?$/i;

/** A word of many different characters, with digits among letters, is nothing that anybody reads. */
const looksRandom = (text: string): boolean =>
  /^[A-Za-z0-9+/=_~-]{16,}$/.test(text) && /[0-9]/.test(text) && /[A-Za-z]/.test(text) && entropy(text) > 3.3;

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
export const secretLooking = (text: string, key = ""): string | undefined => {
  // A reference is filled in by the gate.
  const written = text.replaceAll(/\{[a-z]+\.[^}]*\}/g, "");
  const known = shapes.find(([, shape]) => shape.test(written));
  if (known) return known[0];
  return telling.test(key) && looksRandom(written) ? "a key or password" : undefined;
};

/** The value with everything that looks like a secret hidden. */
export const hidden = (value: unknown, key = ""): unknown => {
  if (typeof value === "string") return secretLooking(value, key) ? "•••" : value;
  if (Array.isArray(value)) return value.map((it) => hidden(it, key));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, it]) => [name, hidden(it, name)]));
};
