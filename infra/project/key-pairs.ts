/**
 * Ed25519 key pairs of operators: the private key in a file that git ignores or in an environment variable, the public key
 * in the environment's YAML.
 */
import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { readTextWithin, writeWithin } from "./files.ts";

export interface KeyPurpose {
  /** Part of the file's name: `.secrets/<name>-<environment>.json`. */
  readonly name: string;
  /** Environment variable with the private key, as in CI. */
  readonly variable: string;
  /** What the key is for, as in "there is no key to … in production". */
  readonly action: string;
  /** The command that creates one. */
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
 * @param sample the public sample pair of the dev loop's environment
 * @throws if there is none, or something else; the message does not show what
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
    // The content is not shown.
  }
  throw new Error(`${explicit === undefined ? file : purpose.variable} is not an Ed25519 key as a JWK`);
};
