/** What in the configuration of `jwt` lets in more tokens, or lets them in longer, than is sound. */
import { claimPath } from "../../gateway/core/claims.ts";
import { milliseconds } from "../../gateway/core/quantities.ts";
import type { AuditRule } from "../../gateway/hooks/audit.ts";
import { isPlaintext } from "../../manifest/addresses.ts";
import type { JwtConfig } from "./config.ts";

type Rule = AuditRule<JwtConfig>;

const longest = { age: "24h", leeway: "2m", keys: "24h" } as const;

const exceeds = (text: string, most: keyof typeof longest): boolean => milliseconds(text) > milliseconds(longest[most]);

const longToken: Rule = {
  id: "long-token",
  severity: "medium",
  summary: "A token that was stolen opens the door for as long as its issuer says, be it years.",
  incident:
    "Tokens that two companies kept for their customers were stolen, and being good for long opened the private repositories of dozens of others (Heroku and Travis CI, 2022).",
  remedy: "Give `max-age`, 24h at most, or `revocation: {}`, so that a token can be taken back.",
  check: ({ "max-age": age, revocation }) => {
    if (revocation || (age !== undefined && !exceeds(age, "age"))) return [];
    const remedy = `max-age: 1h, of ${longest.age} at most; or revocation: {}`;
    return [
      age === undefined
        ? { at: [], message: "a stolen token is good for as long as its issuer says", remedy }
        : { at: ["max-age"], message: `a stolen token is good for ${age}`, remedy },
    ];
  },
};

/** Claims that name the client whom a token was issued to, at one issuer or another. */
const clientClaims = ["client_id", "azp", "appid", "cid"];

const anyAudience: Rule = {
  id: "any-audience",
  severity: "high",
  summary: "A token that its issuer made for another application opens this API too.",
  incident:
    "Sign-in pages took tokens that another application had been given for its users: whoever ran any application of the same provider could enter the accounts of millions (Grammarly, Vidio and Bukalapak, 2023).",
  remedy:
    "Give `audience`. Tokens that carry none, such as Cognito's access tokens, name their client instead: `claims: { client_id: … }`.",
  check: ({ audience, claims, issuer }) => {
    if (audience !== undefined) return [];
    if (Object.keys(claims).some((it) => clientClaims.includes(claimPath(it).join(".")))) return [];
    return [
      {
        at: [],
        message: `a token that ${issuer} made for any other application is good here too`,
        remedy: "give audience, or claims: { client_id: … } where tokens carry none",
      },
    ];
  },
};

const tokenInQuery: Rule = {
  id: "token-in-query",
  severity: "medium",
  summary: "Tokens stand in URLs, and URLs stand in histories, logs and analytics.",
  incident:
    "A hundred thousand applications had the access tokens of their users in the address of the page, and from there the browser told them to advertisers (Facebook, 2011).",
  remedy:
    "Read it from `header.authorization` or a cookie; of a WebSocket, whose headers no browser lets a page write, from `subprotocol.<name>`.",
  check: ({ from }) => {
    const index = [from].flat().findIndex((it) => it.startsWith("query."));
    if (index < 0) return [];
    return [
      {
        at: Array.isArray(from) ? ["from", index] : ["from"],
        message: "the token is part of the URL, which is kept and handed on by whoever sees it",
        remedy: "header.authorization, cookie.<name>, or subprotocol.<name> of a WebSocket",
      },
    ];
  },
};

const wideLeeway: Rule = {
  id: "wide-leeway",
  severity: "medium",
  summary: "Tokens are believed for minutes after they have expired.",
  incident:
    "A leeway that once hid a clock that was wrong stays when the clock is right, and then every expired token works on, those that were made short on purpose too.",
  remedy: "Write 2m at most, which is what clocks that are kept at all need (RFC 7519, section 4.1.4).",
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
  summary: "A key that its issuer has withdrawn goes on being believed for days.",
  incident:
    "A signing key that had been due for retirement two years before was still believed, and whoever had stolen it made tokens with it (Storm-0558, 2023).",
  remedy: "Keep `cache` and `stale` together at 24h or less.",
  check: ({ keys, cache, stale }) =>
    !keys && milliseconds(cache) + milliseconds(stale) > milliseconds(longest.keys)
      ? [
          {
            at: [milliseconds(stale) > milliseconds(cache) ? "stale" : "cache"],
            message: `a key that the issuer has withdrawn is believed for ${cache}, and ${stale} more where it does not answer`,
            remedy: `cache and stale together: ${longest.keys} at most`,
          },
        ]
      : [],
};

const mutable = ["email", "preferred_username", "upn", "unique_name", "name", "nickname", "phone_number"];

const mutableClaim: Rule = {
  id: "mutable-claim",
  severity: "high",
  summary: "A claim says who is calling that its owner, or another issuer's user, can change.",
  incident:
    "Applications took the `email` of a token for its owner; whoever wrote another's address into an account of their own was let in as that person (nOAuth, 2023).",
  remedy:
    "Leave `consumer` out: `sub` never belongs to anybody else (OpenID Connect Core, section 5.7). Where the issuer promises the same of another claim, use that one.",
  check: ({ consumer }) =>
    mutable.includes(claimPath(consumer).at(-1) ?? "")
      ? [
          {
            at: ["consumer"],
            message: `${consumer} is not always the same person's`,
            remedy: "leave it out: sub is",
          },
        ]
      : [],
};

const plaintextKeys: Rule = {
  id: "plaintext-keys",
  severity: "high",
  summary: "The keys that verify tokens are fetched without encryption.",
  incident:
    "Whoever is on the way answers in the issuer's place, with a key of their own, and from then on makes tokens for everybody.",
  remedy: "Fetch them by https, or write them into the manifest: `keys`.",
  check: ({ issuer, jwks, keys }) => {
    const url = jwks ?? issuer;
    if (keys || !isPlaintext(url)) return [];
    const message = `who is on the way to ${new URL(url).host} can put keys of their own in place of the issuer's`;
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
