/** Authenticates callers by a bearer token (JWT, RFC 7519) of the configured issuer. */
import type { JWTPayload } from "jose";
import * as z from "zod";
import {
  areDatesValid,
  claimReader,
  claimsMatcher,
  consumerIdOf,
  hasScopes,
  isClaimPath,
  validityProblem,
} from "../gateway/core/claims.ts";
import { Claims, Consumer, setFact } from "../gateway/core/facts.ts";
import { isRevoked, kvRevocations, type RevocableToken } from "../gateway/core/ports/revocations.ts";
import { type Codes, Fault, refuse } from "../gateway/core/problems.ts";
import { bytes, milliseconds } from "../gateway/core/quantities.ts";
import type { Context, Deps, FilterInstance, Guard } from "../gateway/core/types.ts";
import { hasIpHost } from "../gateway/http/hosts.ts";
import { type IssuerKeys, type KeySet, keysOrFail, remoteKeySet, staticKeySet } from "../gateway/identity/jwks.ts";
import { tokenCache } from "../gateway/identity/token-cache.ts";
import { tokenReader } from "../gateway/identity/token-sources.ts";
import { tokenVerifier } from "../gateway/identity/token-verifier.ts";
import { type Config, defineFilter } from "../gateway/part.ts";
import { requiredClaims, requiredClaimsText, scope } from "../manifest/claims.ts";
import { algorithms, publicKeys } from "../manifest/jwk.ts";
import { duration, kvCache } from "../manifest/quantities.ts";
import { securitySchemeOf, tokenSize, tokenSources } from "../manifest/token-sources.ts";
import { hooks } from "./jwt/hooks.ts";

export { present } from "./jwt/credentials.ts";

const codes = {
  "token-missing": { status: 401, title: "Token required" },
  "token-invalid": { status: 401, title: "Invalid token" },
  "token-expired": { status: 401, title: "Token expired" },
  "token-rejected": { status: 401, title: "Token not accepted by this API" },
  "token-revoked": { status: 401, title: "Token revoked" },
  "scope-missing": { status: 403, title: "Insufficient scope" },
  "revocations-unavailable": { status: 503, title: "Revocation check unavailable" },
  "keys-unavailable": { status: 503, title: "Token verification keys unavailable" },
} as const satisfies Codes;

const claim = () => z.string().refine(isClaimPath, "a claim is written as sub, user.id, or https://acme.example/id");

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: one declaration: the schema and the hooks of the filter
export const spec = () =>
  defineFilter({
    kind: "guard",
    phase: "identity",
    enforcing: "tightens",
    schema: z
      .strictObject({
        issuer: z.string().min(1).describe("The required issuer of the token (`iss`)"),
        audience: z
          .union([z.string().min(1), z.array(z.string().min(1)).min(1).max(10)], "an audience, or a list of them")
          .optional()
          .describe(
            "The required audience of the token (`aud`); of several, one must match. Omit it only for tokens that carry none, such as Cognito's access tokens, and name the client in `claims`",
          ),
        algorithms: z
          .array(z.enum(algorithms))
          .min(1)
          .describe("Accepted signature algorithms. `Ed25519` and `EdDSA` are aliases (RFC 9864): either accepts both"),
        from: tokenSources(),
        "max-size": tokenSize(),
        jwks: z
          .url({ protocol: /^https?$/, error: "a URL begins with http:// or https://" })
          .optional()
          .describe(
            "Where the issuer publishes its keys (RFC 7517); by default `/.well-known/jwks.json` of the issuer",
          ),
        keys: publicKeys().optional().describe("The issuer's public keys as JWKs, in place of `jwks`"),
        consumer: claim()
          .default("sub")
          .describe(
            "The claim with the consumer's id: a text, or an integer up to 2^53. A dot is a path into an object, as in `claims`",
          ),
        leeway: duration().default("5s").describe("Tolerated clock skew"),
        "max-age": duration().optional().describe("Maximum age of the token since it was issued (`iat`)"),
        claims: requiredClaims(claim()).default({}).describe(requiredClaimsText),
        scopes: z.array(scope()).default([]).describe("Required scopes of the token, all of them (`scope` or `scp`)"),
        revocation: z
          .strictObject({
            cache: kvCache().default("30s").describe("How long a location caches lookups"),
          })
          .optional()
          .describe(
            "Also looks each token up in the KV namespace `revocations`, a list of any length that the issuer maintains (up to a minute late). The key is the SHA-256 of issuer, line feed and `jti`. Revocations by `postern revoke` apply without it",
          ),
        cache: duration().default("10m").describe("How long fetched keys are used before they are reloaded"),
        stale: duration()
          .default("1h")
          .describe("How much longer fetched keys are used when the issuer does not respond"),
        cooldown: duration()
          .default("30s")
          .describe("The least time between two requests to the issuer, from all isolates of a location"),
      })
      .refine(({ jwks, keys }) => !(jwks && keys), "give `jwks` or `keys`, not both")
      .refine(({ issuer, jwks, keys }) => jwks || keys || /^https?:\/\/[^/]/.test(issuer), {
        error: "an issuer that is not a URL publishes no keys: give `jwks` or `keys`",
        path: ["issuer"],
      })
      .refine(({ issuer, jwks, keys }) => keys || !hasIpHost(jwks ?? issuer), {
        error: "keys are fetched from a name, not an IP address: the platform's fetch refuses addresses",
        path: ["jwks"],
      }),
    example: {
      issuer: "https://identity.acme.example",
      audience: "wallet",
      algorithms: ["RS256", "EdDSA"],
      cooldown: "1m",
    },
    codes,
    impossibleCodes: ({ keys, scopes }) => [
      ...(keys ? ["keys-unavailable"] : []),
      ...(scopes[0] ? [] : ["scope-missing"]),
    ],
    exposes: ({ from }) => ({ security: securitySchemeOf([from].flat()[0] as string) }),
    provides: ["consumer", "claim"],
    bindings: ({ keys, revocation }) => [
      ...(keys ? [] : [{ kind: "cache" } as const]),
      ...(revocation ? [{ kind: "kv", binding: "REVOCATIONS", namespace: "revocations" } as const] : []),
    ],
    connections: ({ keys, revocation }) => Math.max(keys ? 0 : 1, revocation ? 1 : 0),
    ...hooks(),
  });

/** A token that has been verified. It stays usable until it expires or is revoked. */
type VerifiedToken = RevocableToken & { readonly claims: JWTPayload };

type Code = keyof typeof codes & string;
type Verdict = VerifiedToken | Code;

export const make = (config: Config<typeof spec>, deps: Deps, { tier }: Pick<FilterInstance, "tier">): Guard => {
  const keys = keySet(config, deps, tier);
  const { isSigned, verify } = verifier(config, deps);
  const leeway = milliseconds(config.leeway) / 1000;
  const maxAge = config["max-age"] === undefined ? Number.POSITIVE_INFINITY : milliseconds(config["max-age"]) / 1000;
  const isRevoked = revocationCheck(config, deps);
  const cache = tokenCache<VerifiedToken>();

  const unlessRevoked = (accepted: VerifiedToken): Verdict | Promise<Verdict> => {
    const code = isRevoked(accepted);
    return code instanceof Promise ? code.then((it) => it ?? accepted) : (code ?? accepted);
  };
  const verifyNew = async (token: string, current: IssuerKeys): Promise<Verdict> => {
    const verdict = await verify(token, current, keys);
    if (typeof verdict !== "string") cache.put(token, verdict);
    return typeof verdict === "string" ? verdict : unlessRevoked(verdict);
  };
  /**
   * Verifies a signature once and remembers it. Checks time, key rotation and revocation on every request.
   * Synchronous when no lookup is needed.
   */
  const judgeToken = (token: string, current: IssuerKeys): Verdict | Promise<Verdict> => {
    cache.useKeys(current.text);
    const remembered = cache.get(token);
    if (!remembered) return verifyNew(token, current);
    return validityProblem(remembered.claims, { leeway, maxAge, now: deps.now() }) ?? unlessRevoked(remembered);
  };

  const scopes = config.scopes.join(" ");
  const deny = (code: Code, context: Context): Response => {
    const error = code === "scope-missing" ? `error="insufficient_scope", scope="${scopes}"` : 'error="invalid_token"';
    const challenge = code === "token-missing" ? "Bearer" : `Bearer ${error}`;
    return refuse(context, codes, code, { headers: { "www-authenticate": challenge } });
  };
  const applyVerdict = (verdict: Verdict, context: Context): Response | undefined => {
    if (typeof verdict === "string") return deny(verdict, context);
    setFact(context, Claims, verdict.claims);
    setFact(context, Consumer, { id: verdict.consumer, labels: {} });
    return undefined;
  };
  const tokenOf = tokenReader([config.from].flat());
  const maxLength = bytes(config["max-size"]);
  return (request, context) => {
    const token = tokenOf(request, context);
    if (token === undefined) return deny("token-missing", context);
    if (token === "" || token.length > maxLength) return deny("token-invalid", context);
    const fresh = keys.fresh();
    // A malformed token is refused without a request to the issuer, and without blaming the issuer.
    if (!fresh && !isSigned(token)) return deny("token-invalid", context);
    const current = fresh ?? keysOrFail(keys.current, failUnavailable);
    const verdict =
      current instanceof Promise ? current.then((it) => judgeToken(token, it)) : judgeToken(token, current);
    return verdict instanceof Promise
      ? verdict.then((it) => applyVerdict(it, context))
      : applyVerdict(verdict, context);
  };
};

const keySet = (it: Config<typeof spec>, deps: Deps, tier: string): KeySet =>
  it.keys
    ? staticKeySet(it.keys)
    : remoteKeySet(
        {
          tier,
          issuer: it.issuer,
          url: it.jwks ?? `${it.issuer.replace(/\/$/, "")}/.well-known/jwks.json`,
          freshMs: milliseconds(it.cache),
          staleMs: milliseconds(it.stale),
          cooldownMs: milliseconds(it.cooldown),
        },
        deps,
      );

const failUnavailable = (cause: unknown): never => {
  throw new Fault(codes, "keys-unavailable", { cause, headers: { "retry-after": "5" } });
};

const verifier = (config: Config<typeof spec>, deps: Deps) => {
  const { issuer, audience, algorithms } = config;
  const maxAge = config["max-age"] === undefined ? undefined : milliseconds(config["max-age"]) / 1000;
  const expected = { issuer, audience, algorithms, leeway: milliseconds(config.leeway) / 1000, maxAge };
  const { isSigned, verify } = tokenVerifier(expected, deps.now);
  const consumerOf = claimReader(config.consumer);
  const hasClaims = claimsMatcher(config.claims);
  const judgeClaims = (claims: JWTPayload): Verdict => {
    const consumer = consumerIdOf(consumerOf(claims));
    if (consumer === undefined || !areDatesValid(claims) || !hasClaims(claims)) return "token-rejected";
    return hasScopes(claims, config.scopes) ? { claims, consumer } : "scope-missing";
  };
  const verifyToken = (token: string, current: IssuerKeys, keys: KeySet): Promise<Verdict> =>
    verify(token, current, keys).then((it) => (typeof it === "string" ? it : judgeClaims(it)));
  return { isSigned, verify: verifyToken };
};

/** Checks the feed's revocations for every token, and the KV namespace when the manifest configures it. */
const revocationCheck = (config: Config<typeof spec>, deps: Deps) => {
  const isInFeed = isRevoked(config.issuer, deps);
  const kvCheck = kvRevocationCheck(config, deps);
  return (it: VerifiedToken): Code | undefined | Promise<Code | undefined> => {
    const inFeed = isInFeed(it);
    return inFeed ? inFeed.then((yes) => (yes ? "token-revoked" : kvCheck?.(it.claims))) : kvCheck?.(it.claims);
  };
};

const kvRevocationCheck = ({ issuer, revocation }: Config<typeof spec>, deps: Deps) => {
  if (!revocation) return undefined;
  const find = kvRevocations(deps.env.REVOCATIONS as KVNamespace | undefined, issuer, milliseconds(revocation.cache));
  return async ({ jti }: JWTPayload): Promise<Code | undefined> => {
    // A token without `jti` could not be revoked, so it is refused.
    if (typeof jti !== "string" || jti === "") return "token-rejected";
    const found = await find(jti).catch((cause: unknown) => {
      throw new Fault(codes, "revocations-unavailable", { cause, headers: { "retry-after": "5" } });
    });
    return found ? "token-revoked" : undefined;
  };
};
