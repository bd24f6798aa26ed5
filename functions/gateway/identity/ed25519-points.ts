/**
 * Ed25519 points of small order, which are no public keys: one signature would fit any text (RFC 8032, section 8.8;
 * "Taming the many EdDSAs", 2020).
 */

/** Their encodings without the sign of x: orders 4, 1 and 2, then 4 and 1 in non-canonical forms, then 8 twice. */
const small: ReadonlySet<string> = new Set([
  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
  "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
  "7P_______________________________________38",
  "7f_______________________________________38",
  "7v_______________________________________38",
  "JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_AU",
  "xxdqcD1N2E-6PAt2DRBnDyogU_osOczGTsf9d5KsA3o",
]);

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/** The sign of x is the 249th bit: the third of those that the 42nd character has. */
const signAt = 41;
const sign = 8;

/** @param x as in a JWK */
export const isSmallOrder = (x: string): boolean => {
  const bits = alphabet.indexOf(x.charAt(signAt)) & ~sign;
  return small.has(x.slice(0, signAt) + alphabet.charAt(bits) + x.slice(signAt + 1));
};
