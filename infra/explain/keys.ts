/** The keys of explain tokens: the private one with who may look, the public one in every gate. */
import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { SignJWT } from "jose";
import { explainAudience, longestLife } from "../../functions/gateway/explain.ts";

const fileOf = (root: string, env: string): string => path.join(root, ".secrets", `explain-${env}.json`);

interface Pair {
  readonly kty: "OKP";
  readonly crv: "Ed25519";
  readonly x: string;
  readonly d: string;
}

/** The public key of a pair that is made where there is none; git ignores the file that it is kept in. */
export const ownKey = (root: string, env: string): string => {
  const file = fileOf(root, env);
  if (!fs.existsSync(file)) {
    fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    const pair = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
    fs.writeFileSync(file, `${JSON.stringify(pair)}\n`, { mode: 0o600 });
  }
  return pairOf(root, env).x;
};

const pairOf = (root: string, env: string): Pair => {
  const given = process.env.POSTERN_EXPLAIN_KEY;
  const file = fileOf(root, env);
  if (given === undefined && !fs.existsSync(file))
    throw new Error(`there is no key to explain with in ${env}; npx postern explain --init --env ${env}`);
  try {
    const pair = JSON.parse(given ?? fs.readFileSync(file, "utf8")) as Pair;
    if (pair.kty === "OKP" && pair.crv === "Ed25519" && typeof pair.d === "string") return pair;
  } catch {
    // What is in it is nobody's business.
  }
  throw new Error(
    `${given === undefined ? path.relative(root, file) : "POSTERN_EXPLAIN_KEY"} is no Ed25519 key as a JWK`,
  );
};

/** For one tier, five minutes long. */
export const explainToken = (root: string, env: string, tier: string): Promise<string> => {
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({ env, tier, route: "*" })
    .setProtectedHeader({ alg: "EdDSA" })
    .setAudience(explainAudience)
    .setIssuedAt(now)
    .setExpirationTime(now + longestLife)
    .sign(createPrivateKey({ key: { ...pairOf(root, env) }, format: "jwk" }));
};
