/** The selection of the keys that may have signed a token. */
import { exportJWK, generateKeyPair, type JWK } from "jose";
import { describe, expect, it } from "vitest";
import type { TokenHeader } from "../../../functions/gateway/identity/jwt-header.ts";
import {
  maxCandidates,
  verificationKeys,
  withEdDsaAliases,
} from "../../../functions/gateway/identity/verification-keys.ts";

const rsa = await exportJWK((await generateKeyPair("RS256", { extractable: true })).publicKey);
const ed = await exportJWK((await generateKeyPair("EdDSA", { extractable: true })).publicKey);

const header = (more: Partial<TokenHeader> = {}): TokenHeader => ({
  alg: "RS256",
  kid: undefined,
  x5t: undefined,
  x5tS256: undefined,
  ...more,
});

/** Indexes of the candidate keys. */
const tried = (keys: readonly JWK[], of: Partial<TokenHeader>): number[] => {
  const all = verificationKeys(keys.map((key, index) => ({ ...key, x5t: key.x5t ?? `at-${index}` })));
  return all.candidatesFor(header(of)).map((it) => {
    const { jwk } = it as unknown as { readonly jwk: JWK };
    return Number(String(jwk.x5t).replace("at-", ""));
  });
};

describe("keys are tried", () => {
  it.each<readonly [string, readonly JWK[], Partial<TokenHeader>, readonly number[]]>([
    [
      "by id alone where one has it",
      [
        { ...rsa, kid: "a" },
        { ...rsa, kid: "b" },
      ],
      { kid: "b" },
      [1],
    ],
    ["by id, then those without", [rsa, { ...rsa, kid: "b" }], { kid: "b" }, [1, 0]],
    [
      "all with one id",
      [
        { ...rsa, kid: "b" },
        { ...rsa, kid: "b" },
      ],
      { kid: "b" },
      [0, 1],
    ],
    ["all where the token names none", [{ ...rsa, kid: "a" }, rsa], {}, [0, 1]],
    ["none where all have other ids", [{ ...rsa, kid: "a" }], { kid: "b" }, []],
    ["none of another type", [{ ...ed, kid: "a" }], { kid: "a" }, []],
    [
      "none of another algorithm",
      [
        { ...rsa, alg: "RS512" },
        { ...rsa, alg: "RS256" },
      ],
      {},
      [1],
    ],
    [
      "under both names of Ed25519",
      [
        { ...ed, alg: "EdDSA" },
        { ...ed, alg: "Ed25519" },
      ],
      { alg: "Ed25519" },
      [0, 1],
    ],
    [
      "none for encryption",
      [
        { ...rsa, use: "enc" },
        { ...rsa, key_ops: ["encrypt"] },
      ],
      {},
      [],
    ],
    ["those that may do more than verify", [{ ...rsa, key_ops: ["sign", "verify"] }], {}, [0]],
    ["none whose operations are no list", [{ ...rsa, key_ops: "verify" as never }], {}, []],
    ["none by the name of a prototype's method", [rsa], { alg: "toString" }, []],
  ])("%s", (_, keys, of, order) => {
    expect(tried(keys, of)).toEqual(order);
  });

  it("the one whose certificate the token names first", () => {
    const keys = Array.from({ length: 30 }, () => rsa);
    expect(tried(keys, { x5t: "at-29" })[0]).toBe(29);
  });

  it("sixteen at most", () => {
    expect(maxCandidates).toBe(16);
    expect(
      tried(
        Array.from({ length: 100 }, () => rsa),
        {},
      ),
    ).toHaveLength(16);
  });
});

it("ignores keys that cannot be imported, each time", async () => {
  const short = await crypto.subtle.generateKey(
    { name: "RSASSA-PKCS1-v1_5", modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]), hash: "SHA-256" },
    true,
    ["sign", "verify"],
  );
  const broken: readonly JWK[] = [
    { kty: "RSA" },
    { kty: "RSA", n: 7 as never, e: "AQAB" },
    { kty: "RSA", n: "AAAA", e: "AQAB" },
    { kty: "RSA", n: "***", e: "AQAB" },
    (await crypto.subtle.exportKey("jwk", (short as CryptoKeyPair).publicKey)) as JWK,
  ];
  for (const key of broken) {
    const [candidate] = verificationKeys([{ ...key, alg: "RS256", ext: true } as JWK]).candidatesFor(header());
    expect(await candidate?.importFor("RS256")).toBeUndefined();
    expect(await candidate?.importFor("RS256")).toBeUndefined();
  }
});

it("a key is imported once", async () => {
  const [candidate] = verificationKeys([rsa]).candidatesFor(header());
  const key = await candidate?.importFor("RS256");
  expect(key).toBeDefined();
  expect(await candidate?.importFor("RS256")).toBe(key);
});

it("treats EdDSA and Ed25519 as aliases", () => {
  expect(withEdDsaAliases(["EdDSA"])).toEqual(["EdDSA", "Ed25519"]);
  expect(withEdDsaAliases(["Ed25519"])).toEqual(["Ed25519", "EdDSA"]);
  expect(withEdDsaAliases(["RS256"])).toEqual(["RS256"]);
});
