/** Verifies a token's signature with the matching keys, then its issuer, audience and times. */
import { decodeJwt, errors, type JWTPayload, jwtVerify } from "jose";
import { isCompact } from "./compact-token.ts";
import type { IssuerKeys, KeySet } from "./jwks.ts";
import { type TokenHeader, tokenHeaderReader } from "./jwt-header.ts";
import { type VerificationKey, withEdDsaAliases } from "./verification-keys.ts";

interface TokenRequirements {
  readonly issuer: string;
  /** One of these must match; undefined for any audience. */
  readonly audience: string | readonly string[] | undefined;
  readonly algorithms: readonly string[];
  /** In seconds. */
  readonly leeway: number;
  readonly maxAge: number | undefined;
}

export type TokenRefusal = "token-invalid" | "token-expired" | "token-rejected";

export interface TokenVerifier {
  /** Whether a text is a well-formed signed token with an accepted algorithm. Reads no claims. */
  readonly isSigned: (token: string) => boolean;
  /**
   * @returns the claims, or why the token is refused. Tries the current keys, then newer ones of the issuer. An
   * unusable key is skipped.
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
      // A key may have been replaced under the same id, or have no id. Only a well-formed token triggers a request to
      // the issuer.
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

/** @returns the header of a well-formed token; undefined for any other text */
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

/** Whether the payload is a JSON object (RFC 7519, section 7.2). */
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
    // A token without expiry could not be revoked.
    requiredClaims: ["exp"],
    clockTolerance: leeway,
    ...(maxAge !== undefined && { maxTokenAge: maxAge }),
  };
  return async (token: string, key: CryptoKey): Promise<JWTPayload> =>
    (await jwtVerify(token, key, { ...options, currentDate: new Date(now()) })).payload;
};

/** @returns undefined when none of the keys signed the token */
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

/** Another key may be the right one. */
const ignoreWrongSignature = (error: unknown): undefined => {
  if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error;
};
