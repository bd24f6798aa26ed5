/** Tokens between the product's own programs: EdDSA, minutes long, for one purpose in one environment. */
import { type JWTPayload, type JWTVerifyOptions, jwtVerify } from "jose";
import { isCompact } from "./compact-token.ts";

/** Seconds by which two clocks may differ. */
export const clockToleranceSeconds = 5;

export interface TokenPurpose {
  readonly audience: string;
  /** The environment that the token names in `env`: keys may be shared between environments, tokens are not. */
  readonly environment: string;
  /** Seconds: how long a token may live, and how old it may be. */
  readonly lifeSeconds: number;
  readonly subject?: string;
}

/**
 * Verifies signature, purpose and times (RFC 7519, section 4.1). `iat` lies neither in the future nor further back than
 * `lifeSeconds`, so whatever a token says of its end, it is over `lifeSeconds` from now.
 *
 * @param key Ed25519, public
 * @param now milliseconds since the epoch
 * @throws where the token does not hold
 */
export const verifyShortToken = async (
  token: string,
  key: Parameters<typeof jwtVerify>[1],
  { audience, environment, lifeSeconds, subject }: TokenPurpose,
  now: number,
): Promise<JWTPayload & { readonly exp: number; readonly iat: number }> => {
  if (!isCompact(token)) throw new Error("it is not written as a token is");
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
