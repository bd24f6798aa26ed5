/** Schemas of algorithms and public keys in a manifest (RFC 7518; JWK, RFC 7517). */
import { base64url } from "jose";
import * as z from "zod";
import { isSmallOrder } from "../gateway/identity/ed25519-points.ts";
import { isRoca, publicMembers, secretMembers } from "../gateway/identity/verification-keys.ts";

/** No symmetric algorithms and no `none`: a gate holds no key that could also sign. */
export const algorithms = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "Ed25519",
  "EdDSA",
] as const;

/** Bytes of a coordinate (RFC 7518, section 6.2.1.2; RFC 8037, section 2). */
const coordinates: Readonly<Record<string, number>> = { "P-256": 32, "P-384": 48, "P-521": 66, Ed25519: 32 };

type Key = Readonly<Record<string, unknown>> & { readonly kty: keyof typeof publicMembers };

export const publicKeys = () =>
  z
    .array(z.looseObject({ kty: z.enum(["RSA", "EC", "OKP"]) }))
    .min(1)
    .refine((keys) => !keys.some((key) => secretMembers.some((member) => member in key)), {
      error: "a private or symmetric key does not belong here",
    })
    .refine((keys) => keys.every((key) => publicMembers[key.kty].every((member) => member in key)), {
      error: "a public key has `n` and `e` (RSA), `crv`, `x` and `y` (EC), or `crv` and `x` (OKP)",
      abort: true,
    })
    .superRefine((keys, context) => {
      for (const [index, key] of keys.entries()) {
        const message = keyProblem(key);
        if (message) context.addIssue({ code: "custom", message, path: [index] });
      }
    });

/** Why a key cannot verify tokens; undefined for a usable key. */
const keyProblem = (key: Key): string | undefined => {
  const { kty, crv, use } = { ...key, crv: plain(key.crv), use: plain(key.use) };
  if ((use ?? "sig") !== "sig") return `a key with use: ${use} verifies no token; write use: sig, or omit it`;
  if (kty === "RSA") return rsaKeyProblem(key);
  const size = Object.hasOwn(coordinates, String(crv)) ? coordinates[String(crv)] : undefined;
  if (size === undefined || (kty === "OKP") !== (crv === "Ed25519"))
    return `crv: ${crv} verifies no token; EC has P-256, P-384 and P-521, and OKP has Ed25519`;
  if (kty === "OKP" && typeof key.x === "string" && isSmallOrder(key.x))
    return "`x` is a point of small order, under which one signature fits every token; it is no public key";
  const parts = kty === "EC" ? [key.x, key.y] : [key.x];
  return parts.every((it) => lengthOf(it) === size)
    ? undefined
    : `coordinates of a key on ${crv} are ${size} bytes each, written in base64url`;
};

const rsaKeyProblem = ({ n, e }: Key): string | undefined => {
  if (lengthOf(n) < 256 || lengthOf(e) === 0)
    return "`n` and `e` of an RSA key are base64url, and `n` has 2048 bits at least (RFC 7518, section 3.3)";
  if (isRoca({ kty: "RSA", n: n as string }))
    return "the private half of this key can be computed (ROCA, CVE-2017-15361): the issuer needs a key that another library makes";
  return isOdd(n as string) && isOdd(e as string) && !isOne(e as string)
    ? undefined
    : "`n` and `e` of an RSA key are odd, and `e` is 3 at least (RFC 8017, section 3.1)";
};

const isOdd = (number: string): boolean => ((base64url.decode(number).at(-1) ?? 0) & 1) === 1;

/** With an exponent of 1 a signature equals the signed value. */
const isOne = (number: string): boolean => base64url.decode(number).reduce((sum, byte) => sum + byte, 0) === 1;

/** Converts a value for a message, since not every object can be converted to text. */
const plain = (value: unknown): unknown =>
  typeof value === "object" && value !== null ? JSON.stringify(value) : value;

/** Bytes of a text in base64url without padding; 0 for any other value. */
const lengthOf = (value: unknown): number =>
  typeof value === "string" && /^[\w-]+$/.test(value) ? Math.floor((value.length * 3) / 4) : 0;
