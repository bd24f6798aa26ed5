/** Audit rules of `jwt`: configurations that accept too many tokens, or accept them for too long. */
import { claimPath } from "../../gateway/core/claims.ts";
import { milliseconds } from "../../gateway/core/quantities.ts";
import type { AuditRule } from "../../gateway/hooks/audit.ts";
import { isPlaintext } from "../../manifest/addresses.ts";
import type { JwtConfig } from "./config.ts";

type Rule = AuditRule<JwtConfig>;

const longest = { age: "24h", leeway: "2m", keys: "24h" } as const;

const exceeds = (text: string, bound: keyof typeof longest): boolean =>
  milliseconds(text) > milliseconds(longest[bound]);

const longToken: Rule = {
  id: "long-token",
  severity: "medium",
  summary: "A stolen token is valid for as long as its issuer says, even years.",
  incident:
    "Long-lived tokens of customers were stolen from two companies, and gave access to the private repositories of dozens of others (Heroku and Travis CI, 2022).",
  remedy: "Set `max-age`, 24h at most, or `revocation: {}`, so that tokens can be revoked.",
  check: ({ "max-age": age, revocation }) => {
    if (revocation || (age !== undefined && !exceeds(age, "age"))) return [];
    const remedy = `max-age: 1h, of ${longest.age} at most; or revocation: {}`;
    return [
      age === undefined
        ? { at: [], message: "a stolen token is valid for as long as its issuer says", remedy }
        : { at: ["max-age"], message: `a stolen token is valid for ${age}`, remedy },
    ];
  },
};

/** Claims that name the client whom a token was issued to, at one issuer or another. */
const clientClaims = ["client_id", "azp", "appid", "cid"];

const anyAudience: Rule = {
  id: "any-audience",
  severity: "high",
  summary: "A token that was issued for another application is accepted.",
  incident:
    "Sign-in pages accepted tokens that were issued for other applications: the owner of any application of the same provider could enter the accounts of millions (Grammarly, Vidio and Bukalapak, 2023).",
  remedy:
    "Set `audience`. Tokens without one, such as Cognito's access tokens, name their client instead: `claims: { client_id: … }`.",
  check: ({ audience, claims, issuer }) => {
    if (audience !== undefined) return [];
    if (Object.keys(claims).some((it) => clientClaims.includes(claimPath(it).join(".")))) return [];
    return [
      {
        at: [],
        message: `a token that ${issuer} issued for any other application is accepted here too`,
        remedy: "set audience, or claims: { client_id: … } if tokens have none",
      },
    ];
  },
};

const tokenInQuery: Rule = {
  id: "token-in-query",
  severity: "medium",
  summary: "Tokens are in URLs, which are stored in histories, logs and analytics.",
  incident:
    "A hundred thousand applications had access tokens in the page's URL, from where browsers leaked them to advertisers (Facebook, 2011).",
  remedy:
    "Read it from `header.authorization` or a cookie; for a WebSocket, whose headers a page cannot set, from `subprotocol.<name>`.",
  check: ({ from }) => {
    const index = [from].flat().findIndex((it) => it.startsWith("query."));
    if (index < 0) return [];
    return [
      {
        at: Array.isArray(from) ? ["from", index] : ["from"],
        message: "the token is part of the URL, which is logged and passed on",
        remedy: "header.authorization, cookie.<name>, or subprotocol.<name> for a WebSocket",
      },
    ];
  },
};

const wideLeeway: Rule = {
  id: "wide-leeway",
  severity: "medium",
  summary: "Tokens are accepted for minutes after they have expired.",
  incident:
    "A leeway that was set for a wrong clock stays after the clock is corrected, and then every expired token is still accepted, including short-lived ones.",
  remedy: "Set 2m at most, which is enough for synchronized clocks (RFC 7519, section 4.1.4).",
  check: ({ leeway }) =>
    exceeds(leeway, "leeway")
      ? [
          {
            at: ["leeway"],
            message: `a token works for ${leeway} after it has expired`,
            remedy: `${longest.leeway} at most; clocks are seconds apart`,
          },
        ]
      : [],
};

const staleKeys: Rule = {
  id: "stale-keys",
  severity: "medium",
  summary: "A key that its issuer has withdrawn is accepted for days.",
  incident:
    "A signing key that should have been retired two years before was still accepted, and the thief made tokens with it (Storm-0558, 2023).",
  remedy: "Keep `cache` and `stale` together at 24h or less.",
  check: ({ keys, cache, stale }) =>
    !keys && milliseconds(cache) + milliseconds(stale) > milliseconds(longest.keys)
      ? [
          {
            at: [milliseconds(stale) > milliseconds(cache) ? "stale" : "cache"],
            message: `a key that the issuer has withdrawn is accepted for ${cache}, and ${stale} longer if the issuer does not respond`,
            remedy: `cache and stale together: ${longest.keys} at most`,
          },
        ]
      : [],
};

const mutable = ["email", "preferred_username", "upn", "unique_name", "name", "nickname", "phone_number"];

const mutableClaim: Rule = {
  id: "mutable-claim",
  severity: "high",
  summary: "The consumer is identified by a claim that users can change.",
  incident:
    "Applications identified users by the `email` claim; an attacker who entered another person's address in their own account was logged in as that person (nOAuth, 2023).",
  remedy:
    "Remove `consumer`: `sub` is never reassigned (OpenID Connect Core, section 5.7). If the issuer guarantees the same for another claim, use that one.",
  check: ({ consumer }) =>
    mutable.includes(claimPath(consumer).at(-1) ?? "")
      ? [
          {
            at: ["consumer"],
            message: `${consumer} can belong to different people over time`,
            remedy: "remove it: sub is stable",
          },
        ]
      : [],
};

const plaintextKeys: Rule = {
  id: "plaintext-keys",
  severity: "high",
  summary: "The keys that verify tokens are fetched without encryption.",
  incident:
    "Whoever controls the network between gate and issuer answers in the issuer's place with their own key, and can then make tokens for anybody.",
  remedy: "Fetch them by https, or write them into the manifest: `keys`.",
  check: ({ issuer, jwks, keys }) => {
    const url = jwks ?? issuer;
    if (keys || !isPlaintext(url)) return [];
    const message = `whoever controls the network to ${new URL(url).host} can replace the issuer's keys`;
    return [{ at: [jwks ? "jwks" : "issuer"], message, remedy: "fetch them by https, or give `keys`" }];
  },
};

export const rules: readonly Rule[] = [
  mutableClaim,
  anyAudience,
  tokenInQuery,
  longToken,
  wideLeeway,
  staleKeys,
  plaintextKeys,
];
