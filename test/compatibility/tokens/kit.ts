/** Keys of a local issuer, and tokens signed with them as real issuers write them. */
import { CompactEncrypt, CompactSign, type CryptoKey, exportJWK, generateKeyPair, type JWK } from "jose";

type Json = Readonly<Record<string, unknown>>;

interface Pair {
  readonly publicKey: CryptoKey;
  readonly privateKey: CryptoKey;
  /** As it is published, without a key id. */
  readonly jwk: JWK;
  readonly privateJwk: JWK;
}

const pair = async (algorithm: string): Promise<Pair> => {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
  return { publicKey, privateKey, jwk: await exportJWK(publicKey), privateJwk: await exportJWK(privateKey) };
};

const [rsa, otherRsa, ec, ed] = await Promise.all([pair("RS256"), pair("RS256"), pair("ES256"), pair("EdDSA")]);

export const keys = { rsa, otherRsa, ec, ed } as const;
export type KeyName = keyof typeof keys;

/** A public key with what an issuer writes beside it. */
export const published = (name: KeyName, members: Json = {}): JWK => ({ ...keys[name].jwk, ...members });

export interface Token {
  readonly key?: KeyName;
  readonly header?: Json;
  readonly claims?: Json;
  /** The claims as text, for what no JSON writer would write; `$` stands for the usual ones. */
  readonly text?: string;
}

export const now = (): number => Math.floor(Date.now() / 1000);

/** By default RS256, for the audience `wallet` and the subject `alice`, an hour long. A claim that is undefined is left out. */
export const sign = (iss: string, { key = "rsa", header = {}, claims = {}, text = "{$}" }: Token): Promise<string> => {
  const usual = JSON.stringify({ iss, aud: "wallet", sub: "alice", exp: now() + 3600, ...claims });
  return new CompactSign(new TextEncoder().encode(text.replace("$", usual.slice(1, -1))))
    .setProtectedHeader({ alg: "RS256", ...header })
    .sign(keys[key].privateKey, { crit: { exp: true, b64: true } });
};

/** A token in an encrypted one (RFC 7519, section 5.2). */
export const encrypted = async (token: string): Promise<string> =>
  new CompactEncrypt(new TextEncoder().encode(token))
    .setProtectedHeader({ alg: "RSA-OAEP", enc: "A256GCM", cty: "JWT" })
    .encrypt((await generateKeyPair("RSA-OAEP")).publicKey);

export const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
