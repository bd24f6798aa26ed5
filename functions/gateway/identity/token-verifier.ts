/** Verifies a token's signature with the keys that fit it, and then its issuer, its audience and its time. */
import { decodeJwt, errors, type JWTPayload, jwtVerify } from "jose";
import { isCompact } from "./compact-token.ts";
import type { KeySet, Keys } from "./jwks.ts";
import { type TokenHeader, tokenHeaders } from "./jwt-header.ts";
import { bothNames, type VerificationKey } from "./verification-keys.ts";

interface Expected {
  readonly issuer: string;
  /** One of these; undefined for tokens of any audience. */
  readonly audience: string | readonly string[] | undefined;
  readonly algorithms: readonly string[];
  /** In seconds. */
  readonly leeway: number;
  readonly maxAge: number | undefined;
}

export type Unverified = "token-invalid" | "token-expired" | "token-rejected";

export interface TokenVerifier {
  /** Whether some key could make a text hold: it is written as a signed token is, by an algorithm that is accepted. Reads no claim. */
  readonly isSigned: (token: string) => boolean;
  /**
   * @returns for a token, among these keys and then those that the issuer has published since: its claims, or why it does not
   * hold. A key that cannot be used never fails: it did not sign the token.
   */
  readonly verify: (token: string, current: Keys, keys: KeySet) => Promise<JWTPayload | Unverified>;
}

export const tokenVerifier = (expected: Expected, now: () => number): TokenVerifier => {
  const algorithms = [...bothNames(expected.algorithms)];
  const read = reader(expected, algorithms, now);
  const headerOf = signedHeaders(algorithms);
  return {
    isSigned: (token) => headerOf(token) !== undefined && hasClaims(token),
    verify: async (token, current, keys) => {
      const header = headerOf(token);
      if (!header) return "token-invalid";
      const tried = (among: Keys) => triedWith(among.candidatesFor(header), header.alg, (key) => read(token, key));
      // A key may have been exchanged under its old id, or have none. Only a token makes the gate ask the issuer.
      const newer = async () => (hasClaims(token) ? await keys.newerThan(current) : undefined);
      try {
        const claims = (await tried(current)) ?? (await newer().then((it) => it && tried(it)));
        return claims ?? "token-invalid";
      } catch (error) {
        if (error instanceof errors.JWTExpired) return "token-expired";
        if (error instanceof errors.JWTClaimValidationFailed) return "token-rejected";
        if (error instanceof errors.JOSEError || error instanceof TypeError || error instanceof SyntaxError)
          return "token-invalid";
        throw error;
      }
    },
  };
};

/** @returns the header of a token that a key could have signed; undefined for any other text */
const signedHeaders = (algorithms: readonly string[]) => {
  const headerOf = tokenHeaders();
  return (token: string): TokenHeader | undefined => {
    if (!isCompact(token) || token.endsWith(".")) return undefined;
    try {
      const header = headerOf(token);
      return header && algorithms.includes(header.alg) ? header : undefined;
    } catch {
      return undefined;
    }
  };
};

/** Whether the second part of a token is a JSON object (RFC 7519, section 7.2). */
const hasClaims = (token: string): boolean => {
  try {
    decodeJwt(token);
    return true;
  } catch {
    return false;
  }
};

type Read = (key: CryptoKey) => Promise<JWTPayload>;

const reader = ({ issuer, audience, leeway, maxAge }: Expected, algorithms: string[], now: () => number) => {
  const options = {
    issuer,
    algorithms,
    ...(audience !== undefined && { audience: [audience].flat() }),
    // A token that never expires could never be taken back.
    requiredClaims: ["exp"],
    clockTolerance: leeway,
    ...(maxAge !== undefined && { maxTokenAge: maxAge }),
  };
  return async (token: string, key: CryptoKey): Promise<JWTPayload> =>
    (await jwtVerify(token, key, { ...options, currentDate: new Date(now()) })).payload;
};

/** @returns undefined where none of these keys signed the token */
const triedWith = async (
  candidates: readonly VerificationKey[],
  algorithm: string,
  read: Read,
): Promise<JWTPayload | undefined> => {
  for (const candidate of candidates) {
    const key = await candidate.imported(algorithm);
    const claims = key && (await read(key).catch(unlessUnsigned));
    if (claims) return claims;
  }
  return undefined;
};

/** Another key may have signed it. */
const unlessUnsigned = (error: unknown): undefined => {
  if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error;
};
