/** Checks the encoding of signed tokens (JWS Compact Serialization, RFC 7515, section 7.1). */

/** Base64url without padding. Unused bits of the last character are zero (RFC 4648, section 3.5). */
const base64url = "(?:[\\w-]{4})*(?:[\\w-][AQgw]|[\\w-]{2}[AEIMQUYcgkosw048])?";
const compact = new RegExp(`^${base64url}\\.${base64url}\\.${base64url}$`);

/**
 * Whether a token has its canonical encoding. Decoders skip blanks, line feeds, padding and unused bits, so that one
 * token would have many texts. RFC 7515, section 5.2, requires refusing them.
 */
export const isCompact = (token: string): boolean => compact.test(token);
