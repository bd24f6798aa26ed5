/** Parses and checks the header of a token before it is verified. */
import { decodeProtectedHeader } from "jose";

/** Header members that select the key. */
export interface TokenHeader {
  readonly alg: string;
  readonly kid: string | undefined;
  /** Thumbprints of the key's certificate. */
  readonly x5t: string | undefined;
  readonly x5tS256: string | undefined;
}

/**
 * Types of access tokens (RFC 9068) and of tokens without a specific type (SPIFFE's may be `JOSE`). Case does not
 * matter.
 */
const acceptedTypes: ReadonlySet<unknown> = new Set([
  ...[undefined, "jwt", "jose", "at+jwt"],
  ...["application/jwt", "application/jose", "application/at+jwt"],
]);

/** Members that carry a key or a key's URL (RFC 8725, section 3.10), and extensions that change the meaning. */
const refusedMembers = ["jwk", "jku", "x5u", "x5c", "crit", "b64", "zip", "enc"];

/** Tokens of one key have the same header, so few have to be remembered. */
const maxRemembered = 8;

/**
 * Parses the header of a token.
 * @returns undefined for a token that is refused
 * @throws when it is not a token
 */
export const tokenHeaderReader = (): ((token: string) => TokenHeader | undefined) => {
  const known = new Map<string, TokenHeader>();
  return (token) => {
    const text = token.slice(0, token.indexOf(".") + 1);
    const before = known.get(text);
    if (before) return before;
    const header = parseHeader(token);
    if (!header) return undefined;
    if (known.size >= maxRemembered) known.clear();
    known.set(text, header);
    return header;
  };
};

const parseHeader = (token: string): TokenHeader | undefined => {
  const header = decodeProtectedHeader(token);
  const { typ, alg, kid, x5t, "x5t#S256": x5tS256 } = header as Readonly<Record<string, unknown>>;
  const type = typeof typ === "string" ? typ.toLowerCase() : (typ ?? undefined);
  if (!acceptedTypes.has(type) || refusedMembers.some((member) => member in header)) return undefined;
  if (typeof alg !== "string" || typeof (kid ?? "") !== "string") return undefined;
  return { alg, kid: textOf(kid), x5t: textOf(x5t), x5tS256: textOf(x5tS256) };
};

const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
