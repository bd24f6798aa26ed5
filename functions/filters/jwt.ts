/** Lets in who brings a valid bearer token (JWT, RFC 7519) of the named issuer. */
import { createLocalJWKSet, createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey, jwtVerify } from "jose";
import * as z from "zod";
import { Claims, Consumer, learn } from "../gateway/facts.ts";
import { type Codes, Fault, refuse } from "../gateway/faults.ts";
import { hasAddress } from "../gateway/hosts.ts";
import { aboutFilter, type Config } from "../gateway/part.ts";
import { duration, milliseconds } from "../gateway/quantities.ts";
import type { Deps, Guard } from "../gateway/types.ts";

const codes = {
  "token-missing": { status: 401, title: "A bearer token is required" },
  "token-invalid": { status: 401, title: "The token is not one that this API trusts" },
  "token-expired": { status: 401, title: "The token has expired" },
  "token-rejected": { status: 401, title: "The token is not meant for this API" },
  "keys-unavailable": { status: 503, title: "The keys that verify tokens are not available" },
} as const satisfies Codes;

/** Symmetric algorithms and `none` are left out: a gate holds no key that could also sign. */
const algorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"] as const;

export const spec = () =>
  aboutFilter({
    kind: "guard",
    phase: "identity",
    schema: z
      .strictObject({
        issuer: z.string().min(1).describe("Who must have issued the token (`iss`)"),
        audience: z.string().min(1).describe("Whom the token must be meant for (`aud`)"),
        algorithms: z.array(z.enum(algorithms)).min(1).describe("Signature algorithms that are accepted"),
        jwks: z
          .url({ protocol: /^https?$/, error: "a URL begins with http:// or https://" })
          .optional()
          .describe(
            "Where the issuer publishes its keys (RFC 7517); by default `/.well-known/jwks.json` of the issuer",
          ),
        keys: z
          .array(z.looseObject({ kty: z.enum(["RSA", "EC", "OKP"]) }))
          .min(1)
          .optional()
          .describe("The issuer's public keys as JWKs, in place of `jwks`"),
        consumer: z.string().min(1).default("sub").describe("The claim that names the consumer"),
        leeway: duration().default("5s").describe("How far clocks may be apart"),
        cache: duration().default("10m").describe("How long fetched keys are used; per isolate"),
        cooldown: duration().default("30s").describe("The least time between two fetches of keys; per isolate"),
      })
      .refine(({ jwks, keys }) => !(jwks && keys), "give `jwks` or `keys`, not both")
      .refine(({ issuer, jwks, keys }) => jwks || keys || /^https?:\/\/[^/]/.test(issuer), {
        error: "an issuer that is no URL publishes no keys: give `jwks` or `keys`",
        path: ["issuer"],
      })
      .refine(({ issuer, jwks, keys }) => keys || !hasAddress(jwks ?? issuer), {
        error: "keys are fetched from a name, not an IP address: the platform's fetch refuses addresses",
        path: ["jwks"],
      })
      .refine(({ keys }) => !keys?.some((key) => secretMembers.some((member) => member in key)), {
        error: "a private or symmetric key does not belong here",
        path: ["keys"],
      })
      .refine(({ keys }) => !keys || keys.every((key) => publicMembers[key.kty].every((member) => member in key)), {
        error: "a public key has `n` and `e` (RSA), `crv`, `x` and `y` (EC), or `crv` and `x` (OKP)",
        path: ["keys"],
      }),
    example: {
      issuer: "https://identity.acme.example",
      audience: "wallet",
      algorithms: ["RS256", "EdDSA"],
      cooldown: "1m",
    },
    codes,
    provides: ["consumer", "claim"],
  });

/** Of private and symmetric keys (RFC 7518, section 6). */
const secretMembers = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

const publicMembers = { RSA: ["n", "e"], EC: ["crv", "x", "y"], OKP: ["crv", "x"] } as const;

/** RFC 6750, section 2.1. */
const bearer = /^bearer +(\S+)$/i;

/** Longer tokens are refused unread. */
const longestToken = 8192;

export const make = (config: Config<typeof spec>, deps: Deps): Guard => {
  const keys = keySet(config, deps);
  const { issuer, audience, algorithms } = config;
  // A token that never expires could never be taken back.
  const requiredClaims = ["exp"];
  const clockTolerance = milliseconds(config.leeway) / 1000;
  const expected = { issuer, audience, algorithms, requiredClaims, clockTolerance };
  // An issuer that is down is asked once in each cool-down, too. Per isolate.
  const cooldown = milliseconds(config.cooldown);
  let unavailableUntil = 0;
  return async (request, context) => {
    const [, token] = bearer.exec(request.headers.get("authorization") ?? "") ?? [];
    const challenge = (error: string) => ({ headers: { "www-authenticate": `Bearer error="${error}"` } });
    if (token === undefined)
      return refuse(context, codes, "token-missing", { headers: { "www-authenticate": "Bearer" } });
    if (deps.now() < unavailableUntil) throw new Fault(codes, "keys-unavailable");
    if (token.length > longestToken) return refuse(context, codes, "token-invalid", challenge("invalid_token"));
    try {
      const currentDate = new Date(deps.now());
      const { payload } = await jwtVerify(token, keys, { ...expected, currentDate });
      const id = payload[config.consumer];
      if (typeof id !== "string" || id === "")
        return refuse(context, codes, "token-rejected", challenge("invalid_token"));
      learn(context, Claims, payload);
      learn(context, Consumer, { id, labels: {} });
      return undefined;
    } catch (error) {
      const code = codeOf(error);
      if (code !== "keys-unavailable") return refuse(context, codes, code, challenge("invalid_token"));
      unavailableUntil = deps.now() + cooldown;
      throw new Fault(codes, code, { cause: error });
    }
  };
};

const keySet = ({ issuer, jwks, keys, cache, cooldown }: Config<typeof spec>, deps: Deps): JWTVerifyGetKey =>
  keys
    ? createLocalJWKSet({ keys })
    : createRemoteJWKSet(new URL(jwks ?? `${issuer.replace(/\/$/, "")}/.well-known/jwks.json`), {
        cacheMaxAge: milliseconds(cache),
        cooldownDuration: milliseconds(cooldown),
        [customFetch]: (url, init) => deps.fetch(url, init),
      });

/** What the caller is told: enough to renew a token, nothing about which key or claim nearly fitted. */
const codeOf = (error: unknown): keyof typeof codes => {
  if (error instanceof errors.JWTExpired) return "token-expired";
  if (error instanceof errors.JWTClaimValidationFailed) return "token-rejected";
  if (error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid) return "keys-unavailable";
  // A plain JOSEError is a fetch that did not bring a key set; its subclasses are about the token.
  return error instanceof errors.JOSEError && error.code !== "ERR_JOSE_GENERIC" ? "token-invalid" : "keys-unavailable";
};
