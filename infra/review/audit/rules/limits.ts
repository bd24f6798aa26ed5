/** How much anybody may ask for. */

import { isEnforced } from "../../../compiler/check/rules/enforced.ts";
import type { CheckedFilter } from "../../../compiler/model/checked.ts";
import { asksService, droppedHere, filtersOf, isLimit, isPublic, type Using, using } from "../rule-kit/chains.ts";
import type { Rule, Spotted } from "../rule-kit/rule.ts";

export const unlimitedPublicRoute: Rule = {
  id: "unlimited-public-route",
  severity: "high",
  summary: "Anybody may call a route, as often as they like.",
  incident:
    "A public route said for any mail address whose account it was; asked half a billion times, it gave away the names of 15 million users (Trello, 2024).",
  remedy: "Put `rate-limit` on it, by `ip` where nobody is identified.",
  check: ({ tier }) =>
    tier.routes
      .filter((route) => asksService(route) && isPublic(route) && !route.chain.some(isLimit))
      .map((route) => ({
        source: tier.source,
        at: ["routes", route.name, "match"],
        message: `anybody may call ${route.name}, as often as they like`,
        remedy: "put a limit on it: rate-limit: { limit: 20/s, by: ip }",
        related: droppedHere(tier, route, isLimit),
      })),
};

export const evadableLimit: Rule = {
  id: "evadable-limit",
  severity: "high",
  summary: "A client decides by what it sends whether it is counted, and as whom.",
  incident:
    "Who counts by a header such as `x-forwarded-for` gives a fresh budget to each value that a client makes up: the oldest way around limits on logins.",
  remedy:
    "Count by `ip`, `consumer`, `claim.<name>`, `route` or `tier`, for every request; a limit by header may stand beside that one.",
  check: ({ tier }) =>
    tier.routes.flatMap((route): Spotted[] => {
      const limits = using(route.chain, "rate-limit").filter(isLimit);
      if (limits.length === 0 || limits.some((it) => isEnforced(it) && !headerOf(it))) return [];
      const [first] = limits;
      return first ? [evadable(first)] : [];
    }),
};

const headerOf = ({ config }: Using<"rate-limit">): string | undefined =>
  [config.by].flat().find((it) => it.startsWith("header."));

const evadable = (filter: Using<"rate-limit">): Spotted => {
  const { source, at, entry, when } = filter;
  const header = headerOf(filter);
  const remedy = "count by ip or consumer, or put such a limit beside it";
  if (header) {
    const message = `whoever sends another ${header.slice("header.".length)} each time is never refused`;
    return { source, at: [...at, "by"], message, remedy };
  }
  if (when.length > 0)
    return {
      source,
      at: entry,
      key: "when",
      message: "whoever does not fulfil these conditions is not counted at all",
      remedy: "leave `when` out, or put a limit without conditions beside it",
    };
  const message = `only ${filter.percent} of users are counted`;
  return { source, at: entry, key: "percent", message, remedy: "leave `percent` out once the limit is known to fit" };
};

export const guessableKey: Rule = {
  id: "guessable-key",
  severity: "medium",
  summary: "API keys can be tried one after the other, as fast as the network carries them.",
  incident:
    "Passwords known from elsewhere were tried for months without being slowed down; 14,000 accounts fell, and with them the data of 6.9 million people (23andMe, 2023).",
  remedy: "Put a `rate-limit` by `ip` ahead of `api-key`: it counts those who are refused too.",
  check: ({ tier }) =>
    tier.routes.flatMap(({ chain }) =>
      using(chain, "api-key")
        .filter((key) => !chain.slice(0, chain.indexOf(key)).some(countsAddresses))
        .map(({ source, entry, use }) => ({
          source,
          at: entry,
          key: use,
          message: "nothing ahead slows down who tries keys",
          remedy: "put a limit ahead of it: rate-limit: { limit: 20/s, by: ip }",
        })),
    ),
};

const countsAddresses = (filter: CheckedFilter): boolean =>
  using([filter], "rate-limit").some((it) => isEnforced(it) && [it.config.by].flat().join() === "ip");

export const openOnFailure: Rule = {
  id: "open-on-failure",
  severity: "medium",
  summary: "When counts cannot be kept, a limit lets everybody pass.",
  incident:
    "A flood that is large enough to reach the store that counts it takes the limit away with it, so the limit is gone exactly when it is needed.",
  remedy:
    "Write `local`, and each isolate counts by itself meanwhile; or `deny` where nobody may pass uncounted. `--fix` writes `local`.",
  check: ({ tier }) =>
    using(filtersOf(tier), "rate-limit")
      .filter(({ config }) => config["on-failure"] === "allow" && config.count !== "local")
      .map(({ source, at, id }) => ({
        source,
        at: [...at, "on-failure"],
        message: "without its store this limit counts nobody",
        remedy: "write local: isolates count by themselves meanwhile",
        fix: {
          says: `${id} counts in the isolate when its store is gone`,
          change: { kind: "replace", at: [...at, "on-failure"], text: "local" },
        },
      })),
};

export const countedApart: Rule = {
  id: "counted-apart",
  severity: "low",
  summary: "Each isolate counts for itself, and there are thousands of them.",
  incident:
    "A limit that holds on a laptop, which has one isolate, lets a thousand times as much pass in production, where requests of one client meet many.",
  remedy:
    "Leave `count` out: isolates then share what one client may send. Where a limit only shields an isolate from floods, it is right as it is.",
  check: ({ tier }) =>
    tier.routes.flatMap(({ chain }): Spotted[] => {
      const limits = using(chain, "rate-limit").filter(isEnforced);
      const [first] = limits;
      if (!first || limits.some(({ config }) => config.count !== "local")) return [];
      const rates = [first.config.limit].flat().join(" and ");
      return [
        {
          source: first.source,
          at: [...first.at, "count"],
          message: `each isolate lets ${rates} pass, and nothing counts them together`,
          remedy: "leave it out, or put a limit beside it that is counted together",
        },
      ];
    }),
};
