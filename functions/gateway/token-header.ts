/** What a token may say of itself before anybody has verified it. */
import { decodeProtectedHeader } from "jose";

/** Of access tokens (RFC 9068) and of tokens that do not say what they are for; case does not matter. */
const types: ReadonlySet<unknown> = new Set([undefined, "jwt", "at+jwt", "application/jwt", "application/at+jwt"]);

/** Tokens of one key begin alike, so a few beginnings are all that there is to know. */
const mostKnown = 8;

/**
 * A token that brings its own key, or says where to fetch one, is not looked at any further (RFC 8725, section 3.10).
 * @throws where it is no token
 */
export const plainTokens = (): ((token: string) => boolean) => {
  const known = new Set<string>();
  return (token) => {
    const text = token.slice(0, token.indexOf(".") + 1);
    if (known.has(text)) return true;
    if (!isPlain(token)) return false;
    if (known.size >= mostKnown) known.clear();
    known.add(text);
    return true;
  };
};

const isPlain = (token: string): boolean => {
  const header = decodeProtectedHeader(token);
  const type: unknown = typeof header.typ === "string" ? header.typ.toLowerCase() : header.typ;
  return types.has(type) && !["jwk", "jku", "x5u", "x5c", "crit"].some((member) => member in header);
};
