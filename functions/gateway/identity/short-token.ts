/**
 * Short-lived tokens between Postern's own programs: EdDSA, valid for minutes, for one purpose in one environment.
 */
import { type JWTPayload, type JWTVerifyOptions, jwtVerify } from "jose";
import { isCompact } from "./compact-token.ts";

/** Tolerated clock skew in seconds. */
export const clockToleranceSeconds = 5;

export interface TokenPurpose {
  readonly audience: string;
  /** The environment in the token's `env` claim. Environments may share keys, but not tokens. */
  readonly environment: string;
  /** The longest lifetime and the maximum age, in seconds. */
  readonly lifeSeconds: number;
  readonly subject?: string;
}

/**
 * Verifies signature, purpose and times (RFC 7519, section 4.1). `iat` is neither in the future nor more than
 * `lifeSeconds` ago, so that a token never lives longer than `lifeSeconds`.
 *
 * @param key Ed25519, public
 * @param now milliseconds since the epoch
 * @throws when the token is invalid
 */
export const verifyShortToken = async (
  token: string,
  key: Parameters<typeof jwtVerify>[1],
  { audience, environment, lifeSeconds, subject }: TokenPurpose,
  now: number,
): Promise<JWTPayload & { readonly exp: number; readonly iat: number }> => {
  if (!isCompact(token)) throw new Error("it is not a well-formed token");
  const options: JWTVerifyOptions = {
    algorithms: ["EdDSA", "Ed25519"],
    audience,
    requiredClaims: ["exp", "iat"],
    maxTokenAge: lifeSeconds,
    clockTolerance: clockToleranceSeconds,
    currentDate: new Date(now),
    ...(subject !== undefined && { subject }),
  };
  const { payload } = await jwtVerify(token, key, options);
  const { exp, iat } = payload as { readonly exp: number; readonly iat: number };
  if (!(exp - iat <= lifeSeconds)) throw new Error(`it lives longer than ${lifeSeconds} s`);
  if (payload.env !== environment) throw new Error(`it is not for the environment ${environment}`);
  return { ...payload, exp, iat };
};
