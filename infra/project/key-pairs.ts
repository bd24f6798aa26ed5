/** Ed25519 keys that people sign with: the private half in a file that git ignores or in a variable of the shell, the public one in an environment. */
import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { textWithin, writeWithin } from "./files.ts";

export interface Purpose {
  /** Of the file: `.secrets/<name>-<environment>.json`. */
  readonly name: string;
  /** Of the shell, as in CI. */
  readonly variable: string;
  /** What it is for, as in "there is no key to … in production". */
  readonly to: string;
  /** Makes one. */
  readonly verb: string;
}

interface Pair {
  readonly kty: "OKP";
  readonly crv: "Ed25519";
  readonly x: string;
  readonly d: string;
}

/** Relative to the project. */
const fileOf = (env: string, { name }: Purpose): string => `.secrets/${name}-${env}.json`;

const most = 64 * 1024;

/** The public key of a pair that is made where there is none. */
export const ownPublicKey = (root: string, env: string, purpose: Purpose): string => {
  const file = fileOf(env, purpose);
  if (textWithin(root, file, most) === undefined) {
    const pair = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
    writeWithin(root, file, `${JSON.stringify(pair)}\n`, { isPrivate: true });
  }
  return pairOf(root, env, purpose).x;
};

/**
 * @param sample of an environment that has a pair which everybody knows, as the dev loop's has
 * @throws where there is none, or something else in its place; it says nothing of what that is
 */
export const signingKey = (
  root: string,
  env: string,
  purpose: Purpose,
  sample?: string,
): { readonly x: string; readonly key: KeyObject } => {
  const pair = pairOf(root, env, purpose, sample);
  return { x: pair.x, key: createPrivateKey({ key: { ...pair }, format: "jwk" }) };
};

const pairOf = (root: string, env: string, purpose: Purpose, sample?: string): Pair => {
  const given = sample ?? process.env[purpose.variable];
  const file = fileOf(env, purpose);
  const text = given ?? textWithin(root, file, most);
  if (text === undefined)
    throw new Error(`there is no key to ${purpose.to} in ${env}; npx postern ${purpose.verb} --env ${env}`);
  try {
    const pair = JSON.parse(text) as Pair;
    if (pair.kty === "OKP" && pair.crv === "Ed25519" && typeof pair.d === "string") return pair;
  } catch {
    // What is in it is nobody's business.
  }
  throw new Error(`${given === undefined ? file : purpose.variable} is no Ed25519 key as a JWK`);
};
