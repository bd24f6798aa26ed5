/**
 * Loads Wycheproof's vectors (github.com/C2SP/wycheproof, `testvectors_v1`) from a configured folder. They are not
 * part of this repository.
 */
import fs from "node:fs";
import path from "node:path";

/** A token, and whether its signature must verify with a key of the set. */
export interface TokenVector {
  readonly file: string;
  readonly id: number;
  /** Of its group, and its own. */
  readonly about: string;
  readonly flags: readonly string[];
  readonly result: "valid" | "invalid" | "acceptable";
  readonly jws: string;
  readonly keys: readonly Jwk[];
}

/** A signature over bytes. */
export interface SignatureVector {
  readonly file: string;
  readonly id: number;
  readonly about: string;
  readonly flags: readonly string[];
  readonly result: TokenVector["result"];
  readonly algorithm: string;
  readonly key: Jwk;
  /** In hexadecimal digits. */
  readonly message: string;
  readonly signature: string;
}

type Jwk = Readonly<Record<string, unknown>> & { readonly kty?: string };

export interface Vectors {
  readonly tokens: readonly TokenVector[];
  readonly signatures: readonly SignatureVector[];
  readonly macs: readonly (Omit<SignatureVector, "key" | "algorithm"> & {
    readonly key: string;
    readonly bits: number;
  })[];
}

const tokenFiles = ["json_web_signature", "json_web_key", "json_web_crypto"];

/** Those of algorithms that a manifest can name. */
const signatureFiles: Readonly<Record<string, string>> = {
  ecdsa_secp256r1_sha256_p1363: "ES256",
  ecdsa_secp384r1_sha384_p1363: "ES384",
  ecdsa_secp521r1_sha512_p1363: "ES512",
  ed25519: "EdDSA",
  rsa_signature_2048_sha256: "RS256",
  rsa_signature_3072_sha256: "RS256",
  rsa_signature_4096_sha256: "RS256",
  rsa_signature_2048_sha384: "RS384",
  rsa_signature_3072_sha384: "RS384",
  rsa_signature_4096_sha384: "RS384",
  rsa_signature_2048_sha512: "RS512",
  rsa_signature_3072_sha512: "RS512",
  rsa_signature_4096_sha512: "RS512",
  rsa_pss_2048_sha256_mgf1_32: "PS256",
  rsa_pss_3072_sha256_mgf1_32: "PS256",
  rsa_pss_4096_sha256_mgf1_32: "PS256",
  rsa_pss_2048_sha384_mgf1_48: "PS384",
  rsa_pss_4096_sha384_mgf1_48: "PS384",
  rsa_pss_4096_sha512_mgf1_64: "PS512",
};

export const vectorsIn = (folder: string): Vectors => {
  const groups = (name: string): Group[] =>
    JSON.parse(fs.readFileSync(path.join(folder, `${name}_test.json`), "utf8")).testGroups;
  const each = <T>(name: string, make: (group: Group, test: Test, about: About) => T | undefined): T[] =>
    groups(name).flatMap((group) =>
      group.tests.flatMap((test) => {
        const about = `${group.comment ?? ""} ${test.comment}`.trim();
        return make(group, test, { file: name, id: test.tcId, about, flags: test.flags, result: test.result }) ?? [];
      }),
    );
  return {
    tokens: tokenFiles.flatMap((name) =>
      // The others of that file are encrypted, and no gate decrypts.
      each(name, (group, { jws }, about) =>
        jws === undefined ? undefined : { ...about, jws: textOf(jws), keys: keysOf(group.public ?? group.private) },
      ),
    ),
    signatures: Object.entries(signatureFiles).flatMap(([name, algorithm]) =>
      each(name, (group, { msg: message, sig: signature }, about) => ({
        ...about,
        algorithm,
        key: keyOf(group, algorithm),
        message,
        signature,
      })),
    ),
    macs: each("hmac_sha256", ({ tagSize }, { key, msg: message, tag: signature }, about) => ({
      ...about,
      key,
      message,
      signature,
      bits: tagSize,
    })),
  };
};

type About = Pick<TokenVector, "file" | "id" | "about" | "flags" | "result">;

interface Group {
  readonly comment?: string;
  readonly public?: Jwk;
  readonly private?: Jwk;
  readonly publicKey: {
    readonly modulus: string;
    readonly publicExponent: string;
    readonly wx: string;
    readonly wy: string;
    readonly pk: string;
  };
  readonly tagSize: number;
  readonly tests: readonly Test[];
}

interface Test {
  readonly tcId: number;
  readonly comment: string;
  readonly flags: readonly string[];
  readonly result: TokenVector["result"];
  readonly jws?: string | object;
  readonly msg: string;
  readonly sig: string;
  readonly key: string;
  readonly tag: string;
}

const textOf = (jws: string | object): string => (typeof jws === "string" ? jws : JSON.stringify(jws));

const keysOf = (it: Jwk | undefined): Jwk[] => (it === undefined ? [] : Array.isArray(it.keys) ? it.keys : [it]);

const curves: Readonly<Record<string, readonly [name: string, bytes: number]>> = {
  ES256: ["P-256", 32],
  ES384: ["P-384", 48],
  ES512: ["P-521", 66],
};

const keyOf = ({ publicKey }: Group, algorithm: string): Jwk => {
  if (algorithm === "EdDSA") return { kty: "OKP", crv: "Ed25519", x: base64(publicKey.pk) };
  const [crv, size] = curves[algorithm] ?? [];
  if (crv === undefined || size === undefined)
    return { kty: "RSA", n: base64(short(publicKey.modulus)), e: base64(short(publicKey.publicExponent)) };
  const coordinate = (hex: string) => base64(hex.padStart(size * 2, "0").slice(-size * 2));
  return { kty: "EC", crv, x: coordinate(publicKey.wx), y: coordinate(publicKey.wy) };
};

/** Without the zeros that keep a number positive. */
const short = (hex: string): string => hex.replace(/^(?:00)+/, "");

const base64 = (hex: string): string => Buffer.from(hex, "hex").toString("base64url");
