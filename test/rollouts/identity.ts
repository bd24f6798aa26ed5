/** Callers of a tier with a `jwt` filter: their tokens, and the keys that verify them. */
import { exportJWK, generateKeyPair, SignJWT } from "jose";

export const issuer = "https://id.acme.example";

/** As many as a pass needs, on either version. */
const callers = 200;

/** @returns a token for the audience `a` of each caller, separated by commas, and the keys as the manifest has them (JSON) */
export const newCallers = async (): Promise<{ readonly tokens: string; readonly keys: string }> => {
  const { privateKey, publicKey } = await generateKeyPair("ES256");
  const sign = (sub: string): Promise<string> =>
    new SignJWT({ sub })
      .setProtectedHeader({ alg: "ES256", kid: "one" })
      .setIssuer(issuer)
      .setAudience("a")
      .setIssuedAt()
      .setExpirationTime("1h")
      .sign(privateKey);
  const tokens = await Promise.all(Array.from({ length: callers }, (_, number) => sign(`caller-${number}`)));
  return {
    tokens: tokens.join(),
    keys: JSON.stringify([{ ...(await exportJWK(publicKey)), kid: "one", alg: "ES256" }]),
  };
};
