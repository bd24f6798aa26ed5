/** The schema of public keys that stand in a manifest (JWK, RFC 7517). */
import * as z from "zod";

/** Of private and symmetric keys (RFC 7518, section 6). */
const secretMembers = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

const publicMembers = { RSA: ["n", "e"], EC: ["crv", "x", "y"], OKP: ["crv", "x"] } as const;

export const publicKeys = () =>
  z
    .array(z.looseObject({ kty: z.enum(["RSA", "EC", "OKP"]) }))
    .min(1)
    .refine((keys) => !keys.some((key) => secretMembers.some((member) => member in key)), {
      error: "a private or symmetric key does not belong here",
    })
    .refine((keys) => keys.every((key) => publicMembers[key.kty].every((member) => member in key)), {
      error: "a public key has `n` and `e` (RSA), `crv`, `x` and `y` (EC), or `crv` and `x` (OKP)",
    });
