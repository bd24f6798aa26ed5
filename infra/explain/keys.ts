/** Keys of explain tokens: operators hold the private key, every gate has the public one. */
import { SignJWT } from "jose";
import { explainAudience, maxExplainLifeSeconds } from "../../functions/gateway/explain.ts";
import { ensurePublicKey, type KeyPurpose, signingKey } from "../project/key-pairs.ts";

const purpose: KeyPurpose = {
  name: "explain",
  variable: "POSTERN_EXPLAIN_KEY",
  action: "explain with",
  command: "explain --init",
};

/** The public key; creates the pair if there is none. */
export const ensureExplainKey = (root: string, env: string): string => ensurePublicKey(root, env, purpose);

/** A token for one tier, valid for five minutes. */
export const explainToken = (root: string, env: string, tier: string): Promise<string> => {
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({ env, tier, route: "*" })
    .setProtectedHeader({ alg: "EdDSA" })
    .setAudience(explainAudience)
    .setIssuedAt(now)
    .setExpirationTime(now + maxExplainLifeSeconds)
    .sign(signingKey(root, env, purpose).key);
};
