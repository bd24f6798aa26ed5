/** A caller of a tier with a `jwt` filter: the token, and the keys that verify it. */
import { exportJWK, generateKeyPair, SignJWT } from "jose";

export const issuer = "https://id.acme.example";

/** @returns a token for the audience `a`, and the keys as the manifest has them (JSON) */
export const newCaller = async (): Promise<{ readonly token: string; readonly keys: string }> => {
  const { privateKey, publicKey } = await generateKeyPair("ES256");
  const token = await new SignJWT({ sub: "alice" })
    .setProtectedHeader({ alg: "ES256", kid: "one" })
    .setIssuer(issuer)
    .setAudience("a")
    .setIssuedAt()
    .setExpirationTime("1h")
    .sign(privateKey);
  return { token, keys: JSON.stringify([{ ...(await exportJWK(publicKey)), kid: "one", alg: "ES256" }]) };
};
