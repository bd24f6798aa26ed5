/** Verifies a token's signature with the keys that fit it, and then its issuer, its audience and its time. */
import { decodeJwt, errors, type JWTPayload, jwtVerify } from "jose";
import { isCompact } from "./compact-token.ts";
import type { IssuerKeys, KeySet } from "./jwks.ts";
import { type TokenHeader, tokenHeaderReader } from "./jwt-header.ts";
import { type VerificationKey, withEdDsaAliases } from "./verification-keys.ts";

interface TokenRequirements {
  readonly issuer: string;
  /** One of these; undefined for tokens of any audience. */
  readonly audience: string | readonly string[] | undefined;
  readonly algorithms: readonly string[];
  /** In seconds. */
  readonly leeway: number;
  readonly maxAge: number | undefined;
}

export type TokenRefusal = "token-invalid" | "token-expired" | "token-rejected";

export interface TokenVerifier {
  /** Whether some key could make a text hold: it is written as a signed token is, by an algorithm that is accepted. Reads no claim. */
  readonly isSigned: (token: string) => boolean;
  /**
   * @returns for a token, among these keys and then those that the issuer has published since: its claims, or why it does not
   * hold. A key that cannot be used never fails: it did not sign the token.
   */
  readonly verify: (token: string, current: IssuerKeys, keys: KeySet) => Promise<JWTPayload | TokenRefusal>;
}

export const tokenVerifier = (expected: TokenRequirements, now: () => number): TokenVerifier => {
  const algorithms = [...withEdDsaAliases(expected.algorithms)];
  const verifyWith = verifierOf(expected, algorithms, now);
  const headerOf = signedHeaderReader(algorithms);
  return {
    isSigned: (token) => headerOf(token) !== undefined && hasClaims(token),
    verify: async (token, current, keys) => {
      const header = headerOf(token);
      if (!header) return "token-invalid";
      const tryKeys = (among: IssuerKeys) =>
        verifyWithAny(among.candidatesFor(header), header.alg, (key) => verifyWith(token, key));
      // A key may have been exchanged under its old id, or have none. Only a token makes the gate ask the issuer.
      const newerKeys = async () => (hasClaims(token) ? await keys.newerThan(current) : undefined);
      try {
        const claims = (await tryKeys(current)) ?? (await newerKeys().then((it) => it && tryKeys(it)));
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
const signedHeaderReader = (algorithms: readonly string[]) => {
  const headerOf = tokenHeaderReader();
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

type VerifyWithKey = (key: CryptoKey) => Promise<JWTPayload>;

const verifierOf = (
  { issuer, audience, leeway, maxAge }: TokenRequirements,
  algorithms: string[],
  now: () => number,
) => {
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
const verifyWithAny = async (
  candidates: readonly VerificationKey[],
  algorithm: string,
  verifyWith: VerifyWithKey,
): Promise<JWTPayload | undefined> => {
  for (const candidate of candidates) {
    const key = await candidate.importFor(algorithm);
    const claims = key && (await verifyWith(key).catch(ignoreWrongSignature));
    if (claims) return claims;
  }
  return undefined;
};

/** Another key may have signed it. */
const ignoreWrongSignature = (error: unknown): undefined => {
  if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error;
};
