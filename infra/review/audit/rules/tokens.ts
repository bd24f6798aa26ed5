/** How long a credential is believed. */

import { claimPath } from "../../../../functions/gateway/core/claims.ts";
import { milliseconds } from "../../../../functions/gateway/core/quantities.ts";
import { filtersOf, placesOf, using } from "../rule-kit/chains.ts";
import type { Rule, Spotted } from "../rule-kit/rule.ts";

const longest = { age: "24h", leeway: "2m", keys: "24h", revocation: "5m" } as const;

const exceeds = (text: string, most: keyof typeof longest): boolean => milliseconds(text) > milliseconds(longest[most]);

export const longToken: Rule = {
  id: "long-token",
  severity: "medium",
  summary: "A token that was stolen opens the door for as long as its issuer says, be it years.",
  incident:
    "Tokens that two companies kept for their customers were stolen, and being good for long opened the private repositories of dozens of others (Heroku and Travis CI, 2022).",
  remedy: "Give `max-age`, 24h at most, or `revocation: {}`, so that a token can be taken back.",
  check: ({ tier }) =>
    using(filtersOf(tier), "jwt").flatMap(({ source, entry, at, config }): Spotted[] => {
      const age = config["max-age"];
      if (config.revocation || (age !== undefined && !exceeds(age, "age"))) return [];
      const remedy = `max-age: 1h, of ${longest.age} at most; or revocation: {}`;
      return [
        age === undefined
          ? { source, at: entry, key: "jwt", message: "a stolen token is good for as long as its issuer says", remedy }
          : { source, at: [...at, "max-age"], message: `a stolen token is good for ${age}`, remedy },
      ];
    }),
};

/** Claims that name the client whom a token was issued to, at one issuer or another. */
const clientClaims = ["client_id", "azp", "appid", "cid"];

export const anyAudience: Rule = {
  id: "any-audience",
  severity: "high",
  summary: "A token that its issuer made for another application opens this API too.",
  incident:
    "Sign-in pages took tokens that another application had been given for its users: whoever ran any application of the same provider could enter the accounts of millions (Grammarly, Vidio and Bukalapak, 2023).",
  remedy:
    "Give `audience`. Tokens that carry none, such as Cognito's access tokens, name their client instead: `claims: { client_id: … }`.",
  check: ({ tier }) =>
    using(filtersOf(tier), "jwt")
      .filter(({ config }) => config.audience === undefined)
      .filter(({ config }) => !Object.keys(config.claims).some((it) => clientClaims.includes(claimPath(it).join("."))))
      .map(({ source, entry, config }) => ({
        source,
        at: entry,
        key: "jwt",
        message: `a token that ${config.issuer} made for any other application is good here too`,
        remedy: "give audience, or claims: { client_id: … } where tokens carry none",
      })),
};

export const tokenInQuery: Rule = {
  id: "token-in-query",
  severity: "medium",
  summary: "Tokens stand in URLs, and URLs stand in histories, logs and analytics.",
  incident:
    "A hundred thousand applications had the access tokens of their users in the address of the page, and from there the browser told them to advertisers (Facebook, 2011).",
  remedy:
    "Read it from `header.authorization` or a cookie; of a WebSocket, whose headers no browser lets a page write, from `subprotocol.<name>`.",
  check: ({ tier }) =>
    using(filtersOf(tier), "jwt").flatMap(({ source, at, config }) => {
      const index = placesOf(config).findIndex((it) => it.startsWith("query."));
      if (index < 0) return [];
      return [
        {
          source,
          at: Array.isArray(config.from) ? [...at, "from", index] : [...at, "from"],
          message: "the token is part of the URL, which is kept and handed on by whoever sees it",
          remedy: "header.authorization, cookie.<name>, or subprotocol.<name> of a WebSocket",
        },
      ];
    }),
};

export const wideLeeway: Rule = {
  id: "wide-leeway",
  severity: "medium",
  summary: "Tokens are believed for minutes after they have expired.",
  incident:
    "A leeway that once hid a clock that was wrong stays when the clock is right, and then every expired token works on, those that were made short on purpose too.",
  remedy: "Write 2m at most, which is what clocks that are kept at all need (RFC 7519, section 4.1.4).",
  check: ({ tier }) =>
    using(filtersOf(tier), "jwt")
      .filter(({ config }) => exceeds(config.leeway, "leeway"))
      .map(({ source, at, config }) => ({
        source,
        at: [...at, "leeway"],
        message: `a token works for ${config.leeway} after it has expired`,
        remedy: `${longest.leeway} at most; clocks are seconds apart`,
      })),
};

export const staleKeys: Rule = {
  id: "stale-keys",
  severity: "medium",
  summary: "A key that its issuer has withdrawn goes on being believed for days.",
  incident:
    "A signing key that had been due for retirement two years before was still believed, and whoever had stolen it made tokens with it (Storm-0558, 2023).",
  remedy: "Keep `cache` and `stale` together at 24h or less.",
  check: ({ tier }) =>
    using(filtersOf(tier), "jwt")
      .filter(({ config }) => !config.keys)
      .filter(({ config }) => milliseconds(config.cache) + milliseconds(config.stale) > milliseconds(longest.keys))
      .map(({ source, at, config }) => ({
        source,
        at: [...at, milliseconds(config.stale) > milliseconds(config.cache) ? "stale" : "cache"],
        message: `a key that the issuer has withdrawn is believed for ${config.cache}, and ${config.stale} more where it does not answer`,
        remedy: `cache and stale together: ${longest.keys} at most`,
      })),
};

export const slowRevocation: Rule = {
  id: "slow-revocation",
  severity: "medium",
  summary: "A key or token that was taken back works on for minutes.",
  incident:
    "All customers of a build service had to take back every secret that they had given it, on the day that they heard of it (CircleCI, 2023). How long that takes to have effect is this number.",
  remedy: "Write 5m at most: each location asks once in that time.",
  check: ({ tier }) => [
    ...using(filtersOf(tier), "api-key")
      .filter(({ config }) => exceeds(config.cache, "revocation"))
      .map(({ source, at, config }) => slow(source, [...at, "cache"], "key", config.cache)),
    ...using(filtersOf(tier), "jwt").flatMap(({ source, at, config: { revocation } }) =>
      revocation && exceeds(revocation.cache, "revocation")
        ? [slow(source, [...at, "revocation", "cache"], "token", revocation.cache)]
        : [],
    ),
  ],
};

const slow = (source: Spotted["source"], at: Spotted["at"], what: string, time: string): Spotted => ({
  source,
  at,
  message: `a ${what} that was taken back works for ${time} more`,
  remedy: `${longest.revocation} at most`,
});
