/** Tokens with the defects of signature, encoding or key that Wycheproof covers, generated in the edge runtime. */
import { exportJWK, generateKeyPair, type JWK } from "jose";
import { describe, expect, it } from "vitest";
import { staticKeySet } from "../../../functions/gateway/identity/jwks.ts";
import { tokenVerifier } from "../../../functions/gateway/identity/token-verifier.ts";

const now = Date.UTC(2026, 10, 1);
const claims = { iss: "https://issuer.example", aud: "wallet", sub: "alice", exp: now / 1000 + 60 };

const base64 = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
const bytesOf = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (it) => it.charCodeAt(0));
const utf8 = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>;
const part = (value: unknown): string => base64(utf8(JSON.stringify(value)));

const algorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"] as const;
type Algorithm = (typeof algorithms)[number];

const settings = (algorithm: Algorithm): object => {
  const bits = algorithm.slice(2);
  if (algorithm.startsWith("RS")) return { name: "RSASSA-PKCS1-v1_5" };
  if (algorithm.startsWith("PS")) return { name: "RSA-PSS", saltLength: Number(bits) / 8 };
  return algorithm === "EdDSA" ? { name: "Ed25519" } : { name: "ECDSA", hash: `SHA-${bits}` };
};

const pairs = new Map<Algorithm, Promise<{ readonly publicKey: CryptoKey; readonly privateKey: CryptoKey }>>();
const pairOf = (algorithm: Algorithm) => {
  const known = pairs.get(algorithm) ?? generateKeyPair(algorithm, { extractable: true });
  pairs.set(algorithm, known as never);
  return known;
};
const jwkOf = async (algorithm: Algorithm): Promise<JWK> => exportJWK((await pairOf(algorithm)).publicKey);

interface Signed {
  readonly head: string;
  readonly body: string;
  readonly signature: Uint8Array<ArrayBuffer>;
}

const signed = async (algorithm: Algorithm, header: object = {}, as: object = settings(algorithm)): Promise<Signed> => {
  const [head, body] = [part({ alg: algorithm, ...header }), part(claims)];
  const { privateKey } = await pairOf(algorithm);
  const bytes = await crypto.subtle.sign(as as never, privateKey, utf8(`${head}.${body}`));
  return { head, body, signature: new Uint8Array(bytes) };
};
const token = ({ head, body, signature }: Signed): string => `${head}.${body}.${base64(signature)}`;

/** @returns `taken` for an accepted token, or the problem code */
const judged = async (text: string, ...keys: JWK[]): Promise<string> => {
  const expected = {
    issuer: claims.iss,
    audience: claims.aud,
    algorithms,
    leeway: 5,
    maxAge: undefined,
  };
  const set = staticKeySet(keys);
  const verdict = await tokenVerifier(expected, () => now).verify(text, await set.current(), set);
  return typeof verdict === "string" ? verdict : "taken";
};
const refused = "token-invalid";

describe.each(algorithms)("%s", (algorithm) => {
  it("accepts a valid token", async () => {
    expect(await judged(token(await signed(algorithm)), await jwkOf(algorithm))).toBe("taken");
  });

  it("refuses a token with a changed, missing, empty or repeated part", async () => {
    const key = await jwkOf(algorithm);
    const it = await signed(algorithm);
    const { head, body } = it;
    const last = base64(it.signature);
    const flipped = it.signature.map((byte, index) => (index === 7 ? byte ^ 1 : byte)) as Uint8Array<ArrayBuffer>;
    const texts = [
      `${head}.${body}.${base64(flipped)}`,
      `${head}.${part({ ...claims, sub: "mallory" })}.${last}`,
      `${part({ alg: algorithm, a: 1 })}.${body}.${last}`,
      `${head}.${body}.`,
      `${head}.${body}`,
      `${head}..${last}`,
      `.${body}.${last}`,
      `${head}.${last}`,
      `${head}`,
      "",
      "..",
      `${head}.${body}.${last}.`,
      `${head}.${body}.${last}.${last}`,
      JSON.stringify({ protected: head, payload: body, signature: last }),
    ];
    expect(await Promise.all(texts.map((text) => judged(text, key)))).toEqual(texts.map(() => refused));
  });

  it("refuses a signature that is longer, shorter, zero or all ones", async () => {
    const key = await jwkOf(algorithm);
    const { signature, ...it } = await signed(algorithm);
    const size = signature.length;
    const signatures = [
      new Uint8Array(size),
      new Uint8Array(size).fill(255),
      Uint8Array.of(...signature, 0),
      Uint8Array.of(0, ...signature),
      signature.slice(0, -1),
      signature.slice(1),
      Uint8Array.of(...signature, ...signature),
    ];
    const all = signatures.map((one) => judged(token({ ...it, signature: one as Uint8Array<ArrayBuffer> }), key));
    expect(await Promise.all(all)).toEqual(signatures.map(() => refused));
  });

  it("refuses base64url with spaces, padding, other characters or unused bits", async () => {
    const key = await jwkOf(algorithm);
    const { head, body, signature } = await signed(algorithm);
    const last = base64(signature);
    const spoilt = [
      ` ${last}`,
      `${last} `,
      `${last}\n`,
      `${last}=`,
      `${last}==`,
      `?${last}`,
      `${last.slice(0, 4)} ${last.slice(4)}`,
    ];
    const texts = [
      ...spoilt.map((it) => `${head}.${body}.${it}`),
      ...[`${head} `, `${head}=`, `?${head}`, ` ${head}`].map((it) => `${it}.${body}.${last}`),
      ...[`${body} `, `${body}=`, `?${body}`, ` ${body}`].map((it) => `${head}.${it}.${last}`),
      ...(unusedBits(last) ? [`${head}.${body}.${unusedBits(last)}`] : []),
    ];
    const verdicts = await Promise.all(texts.map((text) => judged(text, key)));
    expect(texts.filter((_, index) => verdicts[index] !== refused)).toEqual([]);
  });

  it("refuses another key or algorithm", async () => {
    const key = await jwkOf(algorithm);
    const { publicKey } = await generateKeyPair(algorithm);
    expect(await judged(token(await signed(algorithm)), await exportJWK(publicKey))).toBe(refused);
    for (const alg of [...algorithms, "HS256", "none", "NONE", "", "ES256K", "EdDSA "].filter((it) => it !== algorithm))
      expect([alg, await judged(token(await signed(algorithm, { alg })), key)]).toEqual([alg, refused]);
  });

  it("ignores a key for encryption, another algorithm or another use", async () => {
    const key = await jwkOf(algorithm);
    const text = token(await signed(algorithm));
    const keys = [
      { use: "enc" },
      { key_ops: ["encrypt"] },
      { key_ops: ["sign"] },
      { key_ops: [] },
      { alg: "RSA1_5" },
      { kty: "oct" },
    ];
    for (const members of keys)
      expect([members, await judged(text, { ...key, ...members } as JWK)]).toEqual([members, refused]);
  });
});

/** The same bytes, with unused bits set in the last character. */
const unusedBits = (text: string): string | undefined => {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const spare = { 2: 15, 3: 3 }[text.length % 4];
  const last = alphabet.indexOf(text.at(-1) ?? "");
  return spare === undefined ? undefined : `${text.slice(0, -1)}${alphabet[(last & ~spare) | 1]}`;
};

describe("a public key is not an HMAC secret", () => {
  it.each(["RS256", "ES256", "EdDSA"] as const)("of %s, in any encoding", async (algorithm) => {
    const jwk = await jwkOf(algorithm);
    const { publicKey } = await pairOf(algorithm);
    const der = new Uint8Array((await crypto.subtle.exportKey("spki", publicKey)) as ArrayBuffer);
    const secrets = [utf8(JSON.stringify(jwk)), der, utf8(jwk.x ?? jwk.n ?? ""), bytesOf(jwk.x ?? jwk.n ?? "")];
    for (const secret of secrets) {
      const key = await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
      const text = `${part({ alg: "HS256" })}.${part(claims)}`;
      const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, utf8(text)));
      expect(await judged(`${text}.${base64(mac)}`, jwk)).toBe(refused);
    }
  });

  it("and a key in a token is ignored", async () => {
    const jwk = await jwkOf("ES256");
    const text = token(await signed("ES256", { jwk }));
    const { publicKey } = await generateKeyPair("ES256");
    expect([await judged(text, await exportJWK(publicKey)), await judged(text, jwk)]).toEqual([refused, refused]);
  });
});

describe("ECDSA", () => {
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const number = (value: bigint): number[] =>
    (value.toString(16).padStart(64, "0").match(/../g) ?? []).map((it) => Number.parseInt(it, 16));

  it("refuses r or s of 0, 1, n - 1, n or above", async () => {
    const key = await jwkOf("ES256");
    const it = await signed("ES256");
    const edges = [0n, 1n, order - 1n, order, order + 1n, 2n ** 256n - 1n];
    for (const r of edges)
      for (const s of edges) {
        const signature = Uint8Array.from([...number(r), ...number(s)]);
        expect([r, s, await judged(token({ ...it, signature }), key)]).toEqual([r, s, refused]);
      }
  });

  it("refuses a signature in ASN.1", async () => {
    const it = await signed("ES256");
    const integer = (bytes: Uint8Array) => [2, bytes.length + 1, 0, ...bytes];
    const both = [...integer(it.signature.slice(0, 32)), ...integer(it.signature.slice(32))];
    const signature = Uint8Array.from([48, both.length, ...both]);
    expect(await judged(token({ ...it, signature }), await jwkOf("ES256"))).toBe(refused);
  });

  it("refuses a key whose point is not on its curve, or of another curve", async () => {
    const { x = "", y = "", ...key } = await jwkOf("ES256");
    const text = token(await signed("ES256"));
    const off = base64(bytesOf(y).map((byte, index) => (index === 31 ? byte ^ 1 : byte)));
    const zero = base64(new Uint8Array(32));
    const keys = [
      { x, y: off },
      { x: zero, y: zero },
      { x, y, crv: "P-384" },
      { x, y, crv: "secp256k1" },
      { x: y, y: x },
      { x: `${x}AA`, y },
    ];
    for (const it of keys) expect([it, await judged(text, { ...key, ...it } as JWK)]).toEqual([it, refused]);
  });
});

describe("EdDSA", () => {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const little = (bytes: Uint8Array): bigint => bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  const bytes = (value: bigint): number[] =>
    Array.from({ length: 32 }, (_, at) => Number((value >> BigInt(8 * at)) & 255n));

  it("accepts only s below the order (RFC 8032, section 5.1.7)", async () => {
    const it = await signed("EdDSA");
    const s = little(it.signature.slice(32));
    for (const other of [s + order, s + 2n * order, order - s].filter((value) => value < 2n ** 256n)) {
      const signature = Uint8Array.from([...it.signature.slice(0, 32), ...bytes(other)]);
      expect(await judged(token({ ...it, signature }), await jwkOf("EdDSA"))).toBe(refused);
    }
  });

  it("refuses a key of small order", async () => {
    const { body } = await signed("EdDSA");
    const identity = Uint8Array.from([1, ...new Uint8Array(31)]);
    const signature = Uint8Array.from([...identity, ...new Uint8Array(32)]);
    const points = smallPoints.flatMap((it) => [it, it.map((byte, at) => (at === 31 ? byte | 128 : byte))]);
    let fit = 0;
    for (const point of points) {
      const jwk = { kty: "OKP", crv: "Ed25519", x: base64(Uint8Array.from(point)) };
      const key = await crypto.subtle.importKey("jwk", jwk, "Ed25519", false, ["verify"]).catch(() => undefined);
      for (let time = 0; time < 24; time++) {
        const head = part({ alg: "EdDSA", typ: "JWT", time });
        const held = key && (await crypto.subtle.verify("Ed25519", key, signature, utf8(`${head}.${body}`)));
        fit += held ? 1 : 0;
        expect([jwk.x, await judged(token({ head, body, signature }), jwk)]).toEqual([jwk.x, refused]);
      }
    }
    // The runtime accepts them, so the gate must refuse them.
    expect(fit).toBeGreaterThan(20);
  });
});

const fromHex = (text: string): number[] => (text.match(/../g) ?? []).map((it) => Number.parseInt(it, 16));
const smallPoints = [
  fromHex("00".repeat(32)),
  fromHex(`01${"00".repeat(31)}`),
  fromHex(`ec${"ff".repeat(30)}7f`),
  fromHex(`ed${"ff".repeat(30)}7f`),
  fromHex(`ee${"ff".repeat(30)}7f`),
  fromHex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
  fromHex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
];

/** Raw RSA: applies the private key to a number without padding. */
const power = (base: bigint, exponent: bigint, modulus: bigint): bigint => {
  let result = 1n;
  for (let [square, rest] = [base % modulus, exponent]; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
};
const big = (bytes: Uint8Array): bigint =>
  BigInt(`0x${Array.from(bytes, (it) => it.toString(16).padStart(2, "0")).join("")}`);
const wide = (value: bigint, size: number): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(
    (
      value
        .toString(16)
        .padStart(size * 2, "0")
        .match(/../g) ?? []
    ).map((it) => Number.parseInt(it, 16)),
  );

describe("RSA", () => {
  const parts = async () => {
    const jwk = await exportJWK((await pairOf("RS256")).privateKey);
    return { n: big(bytesOf(jwk.n ?? "")), d: big(bytesOf(jwk.d ?? "")), jwk: await jwkOf("RS256") };
  };
  const sha256 = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0, 4, 0x20,
  ];
  const padded = (tail: readonly number[], filler = 0xff, first = [0, 1]): number[] => [
    ...first,
    ...Array<number>(256 - first.length - 1 - tail.length).fill(filler),
    0,
    ...tail,
  ];
  const changed = (at: number, to: number): number[] => sha256.map((byte, index) => (index === at ? to : byte));

  it("accepts one padding only (RFC 8017, section 8.2.2)", async () => {
    const { n, d, jwk } = await parts();
    const [head, body] = [part({ alg: "RS256" }), part(claims)];
    const hash = [...new Uint8Array(await crypto.subtle.digest("SHA-256", utf8(`${head}.${body}`)))];
    const other = hash.map((byte, index) => (index === 31 ? byte ^ 1 : byte));
    const short = [...sha256.slice(0, 1), 0x2f, 0x30, 0x0b, ...sha256.slice(4, 15), 4, 0x20];
    const blocks: Readonly<Record<string, number[]>> = {
      "no prefix": padded(hash),
      "another hash": padded([...sha256, ...other]),
      "a hash cut short": padded([...sha256, ...hash.slice(0, 31)]),
      "no NULL": padded([...short, ...hash]),
      "a NULL that is longer": padded([...changed(16, 1).slice(0, 17), 0, ...sha256.slice(17), ...hash]),
      "SHA-512's name": padded([...changed(14, 3), ...hash]),
      "another length of the sequence": padded([...changed(1, 0x32), ...hash]),
      "a length in the long form": padded([0x30, 0x81, 0x31, ...sha256.slice(2), ...hash]),
      "another tag": padded([...changed(0, 0x31), ...hash]),
      "something behind the hash": padded([...sha256, ...hash, 0, 0]),
      "zeros in the padding": padded([...sha256, ...hash], 0),
      "random padding": padded([...sha256, ...hash], 0x5a, [0, 2]),
      "a type of 0": padded([...sha256, ...hash], 0xff, [0, 0]),
      "a padding of eight bytes": [
        0,
        1,
        ...Array<number>(8).fill(255),
        0,
        ...sha256,
        ...hash,
        ...Array<number>(256 - 11 - 51).fill(7),
      ],
      "no zero ahead of the hash": padded([...sha256, ...hash]).map((it, index) => (index === 204 ? 255 : it)),
    };
    const verdictOf = (block: readonly number[]) => {
      const signature = wide(power(big(Uint8Array.from(block)), d, n), 256);
      return judged(token({ head, body, signature }), jwk);
    };
    expect(await verdictOf(padded([...sha256, ...hash]))).toBe("taken");
    const wrong: string[] = [];
    for (const [name, block] of Object.entries(blocks)) if ((await verdictOf(block)) !== refused) wrong.push(name);
    expect(wrong).toEqual([]);
  });

  it("refuses a signature that is n, n - 1, n + 1, or above n", async () => {
    const { n, jwk } = await parts();
    const it = await signed("RS256");
    const s = big(it.signature);
    for (const value of [n, n - 1n, n + 1n, s + n].filter((one) => one < 2n ** 2048n))
      expect(await judged(token({ ...it, signature: wide(value, 256) }), jwk)).toBe(refused);
  });

  it("accepts PSS only with a salt as long as the hash (RFC 7518, section 3.5)", async () => {
    for (const saltLength of [0, 20, 31, 33, 64, 222]) {
      const text = token(await signed("PS256", {}, { name: "RSA-PSS", saltLength }));
      expect([saltLength, await judged(text, await jwkOf("PS256"))]).toEqual([saltLength, refused]);
    }
  });

  it("refuses a short key, or an exponent that is 0, 1, even or longer than the modulus", async () => {
    const { n, jwk } = await parts();
    const [head, body] = [part({ alg: "RS256" }), part(claims)];
    const hash = [...new Uint8Array(await crypto.subtle.digest("SHA-256", utf8(`${head}.${body}`)))];
    const signature = Uint8Array.from(padded([...sha256, ...hash]));
    // With an exponent of 1, a signature equals the signed value.
    for (const e of ["AQ", "AA", "", "Ag", "AAAA", base64(wide(n + 2n, 257))])
      expect([e, await judged(token({ head, body, signature }), { ...jwk, e })]).toEqual([e, refused]);
    const small = await crypto.subtle.generateKey(
      { name: "RSASSA-PKCS1-v1_5", modulusLength: 1024, publicExponent: Uint8Array.of(1, 0, 1), hash: "SHA-256" },
      true,
      ["sign", "verify"],
    );
    const { publicKey, privateKey } = small as CryptoKeyPair;
    const bytes = new Uint8Array(await crypto.subtle.sign("RSASSA-PKCS1-v1_5", privateKey, utf8(`${head}.${body}`)));
    const key = (await crypto.subtle.exportKey("jwk", publicKey)) as JWK;
    expect(await judged(token({ head, body, signature: bytes }), { kty: "RSA", n: key.n ?? "", e: key.e ?? "" })).toBe(
      refused,
    );
  });
});
