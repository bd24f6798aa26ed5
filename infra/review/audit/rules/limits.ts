/** How much anybody may ask for. */
import type { Counts } from "../../../../functions/gateway/hooks/security.ts";
import { isEnforced } from "../../../compiler/check/rules/enforced.ts";
import type { CheckedFilter } from "../../../compiler/model/checked.ts";
import { droppedFilters, hasUpstream, isLimit, isPublic, type Knowing, knowing } from "../rule-kit/chains.ts";
import type { RawFinding, Rule } from "../rule-kit/rule.ts";

export const unlimitedPublicRoute: Rule = {
  id: "unlimited-public-route",
  severity: "high",
  summary: "Anybody may call a route, as often as they like.",
  incident:
    "A public route said for any mail address whose account it was; asked half a billion times, it gave away the names of 15 million users (Trello, 2024).",
  remedy: "Put `rate-limit` on it, by `ip` where nobody is identified.",
  check: ({ tier }) =>
    tier.routes
      .filter((route) => hasUpstream(route) && isPublic(route) && !route.chain.some(isLimit))
      .map((route) => ({
        source: tier.source,
        at: ["routes", route.name, "match"],
        message: `anybody may call ${route.name}, as often as they like`,
        remedy: "put a limit on it: rate-limit: { limit: 20/s, by: ip }",
        related: droppedFilters(tier, route, isLimit),
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
    tier.routes.flatMap((route): RawFinding[] => {
      const limits = knowing(route.chain, "counts").filter(({ filter }) => isLimit(filter));
      if (limits.length === 0 || limits.some(({ filter, fact }) => isEnforced(filter) && !fact.byHeader)) return [];
      const [first] = limits;
      return first ? [evadableFinding(first)] : [];
    }),
};

const evadableFinding = ({ filter, fact: { byHeader } }: Knowing<Counts>): RawFinding => {
  const { source, at, entry, when } = filter;
  const remedy = "count by ip or consumer, or put such a limit beside it";
  if (byHeader) {
    const message = `whoever sends another ${byHeader.name} each time is never refused`;
    return { source, at: [...at, ...byHeader.at], message, remedy };
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
      knowing(chain, "guessable")
        .filter(({ filter }) => !chain.slice(0, chain.indexOf(filter)).some(limitsByAddress))
        .map(({ filter: { source, entry, use } }) => ({
          source,
          at: entry,
          key: use,
          message: "nothing ahead slows down who tries keys",
          remedy: "put a limit ahead of it: rate-limit: { limit: 20/s, by: ip }",
        })),
    ),
};

const limitsByAddress = (filter: CheckedFilter): boolean =>
  knowing([filter], "counts").some(({ fact }) => isEnforced(filter) && fact.byAddress);

export const countedApart: Rule = {
  id: "counted-apart",
  severity: "low",
  summary: "Each isolate counts for itself, and there are thousands of them.",
  incident:
    "A limit that holds on a laptop, which has one isolate, lets a thousand times as much pass in production, where requests of one client meet many.",
  remedy:
    "Leave `count` out: isolates then share what one client may send. Where a limit only shields an isolate from floods, it is right as it is.",
  check: ({ tier }) =>
    tier.routes.flatMap(({ chain }): RawFinding[] => {
      const limits = knowing(chain, "counts").filter(({ filter }) => isEnforced(filter));
      const [first] = limits;
      const alone = first?.fact.perIsolate;
      if (!alone || limits.some(({ fact }) => !fact.perIsolate)) return [];
      const { source, at } = first.filter;
      return [
        {
          source,
          at: [...at, ...alone.at],
          message: `each isolate lets ${alone.rates.join(" and ")} pass, and nothing counts them together`,
          remedy: "leave it out, or put a limit beside it that is counted together",
        },
      ];
    }),
};
