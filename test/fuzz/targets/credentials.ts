/** Fuzz target: tokens of a trusted issuer, mutated in header, claims, text and signature. */
import { subtle, type webcrypto } from "node:crypto";
import fc from "fast-check";
import { importJWK, type JWK } from "jose";
import { each } from "../announced-property.ts";
import { cuts, cutText, oddJson, oddNumber, oneOf } from "../pieces.ts";
import type { Target } from "../target.ts";
import { sendAndCheck, type Wire } from "../wire.ts";

const usual = { iss: "https://issuer.example", aud: "wallet", sub: "alice", exp: 4_000_000_000 };

const oddMembers = (names: readonly string[]) =>
  fc
    .array(fc.tuple(oneOf(...names), fc.oneof(oddJson, oddNumber)), { maxLength: 3 })
    .map((all) => Object.fromEntries(all));

const token = fc.record({
  key: fc.nat(2),
  header: oddMembers([
    "alg",
    "kid",
    "typ",
    "cty",
    "crit",
    "b64",
    "jwk",
    "jku",
    "x5c",
    "x5t",
    "x5t#S256",
    "zip",
    "enc",
    "__proto__",
    "a",
  ]),
  claims: oddMembers(["iss", "aud", "sub", "exp", "nbf", "iat", "jti", "scope", "scp", "__proto__", "a"]),
  /** In place of the claims' JSON. */
  text: fc.option(
    oneOf(
      "",
      "[]",
      "null",
      "1",
      '"a"',
      "{",
      '{"a":1,"a":2}',
      "\u0000",
      '{"exp":1e999}',
      `${"[".repeat(3000)}${"]".repeat(3000)}`,
    ),
    { freq: 5 },
  ),
  cuts: fc.option(cuts(oneOf("", ".", "..", "=", "a", "-", "_", "+", "/", "%", "é", "eyJ")), { freq: 2 }),
  place: oneOf("header", "query", "cookie", "lower", "twice", "basic"),
});
type Token = typeof token extends fc.Arbitrary<infer T> ? T : never;

const algorithms = ["RS256", "ES256", "EdDSA"] as const;
const settings = [{ name: "RSASSA-PKCS1-v1_5" }, { name: "ECDSA", hash: "SHA-256" }, { name: "Ed25519" }] as const;

const base64 = (text: string | Uint8Array): string => Buffer.from(text as string).toString("base64url");

/** Signed as it stands, whatever stands there. */
const written = async (
  keys: readonly webcrypto.CryptoKey[],
  { key, header, claims, text, cuts }: Token,
): Promise<string> => {
  const head = base64(JSON.stringify({ alg: algorithms[key], ...header }));
  const body = base64(text ?? JSON.stringify({ ...usual, ...claims }));
  const signed = Buffer.from(`${head}.${body}`);
  const signature = await subtle.sign(settings[key] as never, keys[key] as webcrypto.CryptoKey, signed);
  const whole = `${head}.${body}.${base64(new Uint8Array(signature))}`;
  return cuts ? cutText(whole, cuts) : whole;
};

const requestOf = (text: string, place: Token["place"]): Wire => {
  const it = Buffer.from(text, "utf8").toString("latin1");
  const target = "/f/jwt";
  if (place === "query") return { target: `${target}?token=${encodeURIComponent(text)}` };
  if (place === "cookie") return { target, headers: [["Cookie", `a=b; session=${it}`]] };
  if (place === "twice")
    return {
      target,
      headers: [
        ["Authorization", `Bearer ${it}`],
        ["Authorization", `Bearer ${it}`],
      ],
    };
  const scheme = { lower: "bearer", basic: "Basic" }[place as string] ?? "Bearer";
  return { target, headers: [["Authorization", `${scheme} ${it}`]] };
};

const imported = (keys: readonly JWK[]): Promise<webcrypto.CryptoKey[]> =>
  Promise.all(keys.map((it, index) => importJWK(it, algorithms[index]) as Promise<webcrypto.CryptoKey>));

/** What no token may say and be taken. */
const isForeign = ({ claims, header, text, cuts }: Token): boolean =>
  text === null &&
  cuts === null &&
  (("iss" in claims && claims.iss !== usual.iss) || "jwk" in header || "crit" in header || "b64" in header);

/** A valid input. A gateway that refuses it would refuse all others for the same reason, and hide findings. */
const plain: Token = { key: 0, header: {}, claims: {}, text: null, cuts: null, place: "header" };

export const tokens: Target = {
  name: "tokens",
  about: "JWTs that are signed well and say odd things, and texts that were one",
  needs: "gateway",
  open: async ({ port, keys }) => {
    const signing = await imported(keys);
    const first = await sendAndCheck(port, requestOf(await written(signing, plain), plain.place));
    if (first.status !== 200) throw new Error(`a plain token is refused: ${first.text}`);
    return {
      property: each(token, async (it) => {
        const { status, text } = await sendAndCheck(port, requestOf(await written(signing, it), it.place));
        if (status === 200 && isForeign(it)) throw new Error(`a token was taken that may not be: ${text}`);
      }),
    };
  },
};
