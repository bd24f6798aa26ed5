/** The one text that a signed token has (JWS Compact Serialization, RFC 7515, section 7.1). */

/** Base64url without padding; bits of the last character that stand for nothing are zero (RFC 4648, section 3.5). */
const base64url = "(?:[\\w-]{4})*(?:[\\w-][AQgw]|[\\w-]{2}[AEIMQUYcgkosw048])?";
const compact = new RegExp(`^${base64url}\\.${base64url}\\.${base64url}$`);

/**
 * Whether a token is written as its signer wrote it. Decoders leave out blanks, line feeds, padding and spare bits, so that one
 * token would have many texts; RFC 7515, section 5.2, has it refused.
 */
export const isCompact = (token: string): boolean => compact.test(token);
