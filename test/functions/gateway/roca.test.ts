/** Detects keys that are made as in the paper, and no others. */
import { base64url, exportJWK, generateKeyPair, type JWK } from "jose";
import { describe, expect, it } from "vitest";
import { spec } from "../../../functions/filters/jwt.ts";
import { hasRocaFingerprint } from "../../../functions/gateway/identity/roca.ts";
import { verificationKeys } from "../../../functions/gateway/identity/verification-keys.ts";
import { runs } from "../runs.ts";

const firstPrimes = (count: number): bigint[] => {
  const primes: bigint[] = [];
  for (let it = 2n; primes.length < count; it++) if (primes.every((prime) => it % prime !== 0n)) primes.push(it);
  return primes;
};

const random = (bits: number): bigint =>
  crypto.getRandomValues(new Uint8Array(bits / 8)).reduce((all, byte) => (all << 8n) | BigInt(byte), 0n);

const power = (base: bigint, exponent: bigint, modulus: bigint): bigint => {
  let result = 1n;
  for (let b = base % modulus, e = exponent; e > 0n; e >>= 1n, b = (b * b) % modulus)
    if (e & 1n) result = (result * b) % modulus;
  return result;
};

/** Section 2.1 of the paper: how many primes M has, by key length. */
const lengths = [
  { bits: 512, primes: 39 },
  { bits: 1024, primes: 71 },
  { bits: 2048, primes: 126 },
  { bits: 3072, primes: 126 },
  { bits: 4096, primes: 225 },
] as const;

/** k·M + (65537^a mod M), half the key's length; primality does not matter for the fingerprint. */
const factor = (bits: number, primes: number): bigint => {
  const m = firstPrimes(primes).reduce((product, prime) => product * prime, 1n);
  const k = ((1n << BigInt(bits / 2)) - 1n) / m - (random(16) % 1000n);
  return k * m + power(65_537n, random(256), m);
};

const bytesOf = (number: bigint): Uint8Array => {
  const hex = number.toString(16);
  const even = hex.padStart(hex.length + (hex.length % 2), "0");
  return Uint8Array.from(even.match(/../g) ?? [], (it) => Number.parseInt(it, 16));
};

const weak = (bits: number, primes: number): Uint8Array => bytesOf(factor(bits, primes) * factor(bits, primes));
const asJwk = (n: Uint8Array): JWK => ({ kty: "RSA", n: base64url.encode(n), e: "AQAB" });

/** A factor without small prime divisors. */
const plain = (bits: number): bigint => {
  for (;;) {
    const it = random(bits) | 1n | (1n << BigInt(bits - 1));
    if (firstPrimes(39).every((prime) => it % prime !== 0n)) return it;
  }
};

it.each(lengths)("detects a key of $bits bits, also with leading zeros", ({ bits, primes }) => {
  for (let tries = 0; tries < 5; tries++) {
    const modulus = weak(bits, primes);
    expect([hasRocaFingerprint(modulus), hasRocaFingerprint(Uint8Array.of(0, 0, ...modulus))]).toEqual([true, true]);
  }
});

it("has no false positives in other moduli, nor with a single weak factor", () => {
  const sound = Array.from({ length: runs(300, 1000) }, () => bytesOf(plain(1024) * plain(1024)));
  expect(sound.filter(hasRocaFingerprint)).toEqual([]);
  const half = Array.from({ length: 50 }, () => bytesOf(factor(2048, 126) * plain(1024)));
  expect(half.filter(hasRocaFingerprint)).toEqual([]);
});

it("ignores moduli longer than any runtime accepts", () => {
  expect([hasRocaFingerprint(new Uint8Array()), hasRocaFingerprint(new Uint8Array(3_000_000).fill(1))]).toEqual([
    false,
    false,
  ]);
});

const of = (key: JWK, alg = "RS256") =>
  verificationKeys([key]).candidatesFor({ alg, kid: undefined, x5t: undefined, x5tS256: undefined })[0]?.importFor(alg);

describe("in a key set", () => {
  it("such a key verifies nothing, with any algorithm", async () => {
    const key = asJwk(weak(2048, 126));
    // The runtime would accept it.
    const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
    expect(await crypto.subtle.importKey("jwk", key as JsonWebKey, algorithm, false, ["verify"])).toBeDefined();
    for (const alg of ["RS256", "RS512", "PS256"]) expect(await of(key, alg)).toBeUndefined();
  });

  it("keys of real generators verify", async () => {
    for (let tries = 0; tries < runs(1, 3); tries++) {
      const { publicKey } = await generateKeyPair("RS256", { extractable: true });
      expect(await of(await exportJWK(publicKey))).toBeDefined();
    }
  });

  it.each(["AQ", "AAAB", "Ag", "AA", "AAAA"])("a key with the exponent %j verifies nothing", async (e) => {
    const { publicKey } = await generateKeyPair("RS256", { extractable: true });
    expect(await of({ ...(await exportJWK(publicKey)), e })).toBeUndefined();
  });
});

describe("in a manifest", () => {
  const config = (key: JWK) => ({ issuer: "i", audience: "a", algorithms: ["RS256"], keys: [key] });
  const complaints = (key: JWK) =>
    spec()
      .schema.safeParse(config(key))
      .error?.issues.map(({ message }) => message);

  it("such a key is reported", () => {
    expect(complaints(asJwk(weak(2048, 126)))?.join()).toMatch(/ROCA, CVE-2017-15361/);
  });

  it.each(["AQ", "AAAB", "Ag", "AA"])("a key with the exponent %j, or an even modulus, is reported", async (e) => {
    const { publicKey } = await generateKeyPair("RS256", { extractable: true });
    const key = await exportJWK(publicKey);
    expect(complaints({ ...key, e })?.join()).toMatch(/are odd, and `e` is 3 at least/);
    expect(complaints({ ...key, n: base64url.encode(bytesOf(plain(2048) << 1n)) })?.join()).toMatch(/are odd/);
    expect(complaints(key)).toBeUndefined();
  });
});
