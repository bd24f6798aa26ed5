/**
 * Ed25519 key pairs of operators: the private key in a file that git ignores or in an environment variable, the public key
 * in the environment's YAML.
 */
import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
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
export const keyFile = (env: string, { name }: Pick<KeyPurpose, "name">): string => `.secrets/${name}-${env}.json`;

/** Writes a file that only this user can read, in a folder that git ignores whatever the repository's own files say. */
export const writeSecret = (root: string, file: string, text: string): void => {
  writeWithin(root, ".secrets/.gitignore", "*\n");
  writeWithin(root, file, text, { isPrivate: true });
};

const maxBytes = 64 * 1024;

/** The public key; creates the pair if there is none. */
export const ensurePublicKey = (root: string, env: string, purpose: KeyPurpose): string => {
  const file = keyFile(env, purpose);
  if (readTextWithin(root, file, maxBytes) === undefined) {
    const pair = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
    writeSecret(root, file, `${JSON.stringify(pair)}\n`);
  }
  return readKeyPair(root, env, purpose).x;
};

/**
 * Puts a new pair in the place of an old one, which stays beside it, named by its public key: until the new one is deployed, and
 * however often the command is repeated before, one of the old ones is in use.
 */
export const replaceKeyPair = (root: string, env: string, purpose: KeyPurpose): string => {
  const file = keyFile(env, purpose);
  if (readTextWithin(root, file, maxBytes) !== undefined) {
    const { x } = readKeyPair(root, env, purpose);
    fs.renameSync(path.join(root, file), path.join(root, file.replace(/\.json$/, `.${x.slice(0, 8)}.old.json`)));
  }
  return ensurePublicKey(root, env, purpose);
};

/** The private key as a JWK from its file; undefined if there is none. */
export const privateKeyText = (root: string, env: string, purpose: Pick<KeyPurpose, "name">): string | undefined =>
  readTextWithin(root, keyFile(env, purpose), maxBytes);

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
