/** Ed25519 keys that people sign with: the private half in a file that git ignores or in a variable of the shell, the public one in an environment. */
import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { readTextWithin, writeWithin } from "./files.ts";

export interface KeyPurpose {
  /** Of the file: `.secrets/<name>-<environment>.json`. */
  readonly name: string;
  /** Of the shell, as in CI. */
  readonly variable: string;
  /** What it is for, as in "there is no key to … in production". */
  readonly action: string;
  /** Makes one. */
  readonly command: string;
}

interface KeyPair {
  readonly kty: "OKP";
  readonly crv: "Ed25519";
  readonly x: string;
  readonly d: string;
}

/** Relative to the project. */
const keyFile = (env: string, { name }: KeyPurpose): string => `.secrets/${name}-${env}.json`;

const maxBytes = 64 * 1024;

/** The public key; creates the pair if there is none. */
export const ensurePublicKey = (root: string, env: string, purpose: KeyPurpose): string => {
  const file = keyFile(env, purpose);
  if (readTextWithin(root, file, maxBytes) === undefined) {
    const pair = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
    writeWithin(root, file, `${JSON.stringify(pair)}\n`, { isPrivate: true });
  }
  return readKeyPair(root, env, purpose).x;
};

/**
 * @param sample of an environment that has a pair which everybody knows, as the dev loop's has
 * @throws where there is none, or something else in its place; it says nothing of what that is
 */
export const signingKey = (
  root: string,
  env: string,
  purpose: KeyPurpose,
  sample?: string,
): { readonly x: string; readonly key: KeyObject } => {
  const pair = readKeyPair(root, env, purpose, sample);
  return { x: pair.x, key: createPrivateKey({ key: { ...pair }, format: "jwk" }) };
};

const readKeyPair = (root: string, env: string, purpose: KeyPurpose, sample?: string): KeyPair => {
  const explicit = sample ?? process.env[purpose.variable];
  const file = keyFile(env, purpose);
  const text = explicit ?? readTextWithin(root, file, maxBytes);
  if (text === undefined)
    throw new Error(`there is no key to ${purpose.action} in ${env}; npx postern ${purpose.command} --env ${env}`);
  try {
    const pair = JSON.parse(text) as KeyPair;
    if (pair.kty === "OKP" && pair.crv === "Ed25519" && typeof pair.d === "string") return pair;
  } catch {
    // What is in it is nobody's business.
  }
  throw new Error(`${explicit === undefined ? file : purpose.variable} is no Ed25519 key as a JWK`);
};
