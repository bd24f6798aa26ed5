/** Audit rules for rate limits. */
import type { CountsSecurity } from "../../../../functions/gateway/hooks/security.ts";
import { isEnforced } from "../../../compiler/check/rules/enforced.ts";
import type { CheckedFilter } from "../../../compiler/model/checked.ts";
import { droppedFilters, type FilterFact, filtersWith, hasUpstream, isLimit, isPublic } from "../rule-kit/chains.ts";
import type { RawFinding, Rule } from "../rule-kit/rule.ts";

export const unlimitedPublicRoute: Rule = {
  id: "unlimited-public-route",
  severity: "high",
  summary: "A public route has no rate limit.",
  incident:
    "A public route returned the account for any mail address; called half a billion times, it revealed the names of 15 million users (Trello, 2024).",
  remedy: "Add `rate-limit`, by `ip` where callers are not identified.",
  check: ({ tier }) =>
    tier.routes
      .filter((route) => hasUpstream(route) && isPublic(route) && !route.chain.some(isLimit))
      .map((route) => ({
        source: tier.source,
        at: ["routes", route.name, "match"],
        message: `${route.name} is public and has no rate limit`,
        remedy: "add a limit: rate-limit: { limit: 20/s, by: ip }",
        related: droppedFilters(tier, route, isLimit),
      })),
};

export const evadableLimit: Rule = {
  id: "evadable-limit",
  severity: "high",
  summary: "A client can evade the rate limit by what it sends.",
  incident:
    "A limit by a header such as `x-forwarded-for` gives a new budget to each value that a client invents: the oldest bypass of login limits.",
  remedy:
    "Count by `ip`, `consumer`, `claim.<name>`, `route` or `tier`, for every request; a limit by header may stand beside that one.",
  check: ({ tier }) =>
    tier.routes.flatMap((route): RawFinding[] => {
      const limits = filtersWith(route.chain, "counts").filter(({ filter }) => isLimit(filter));
      if (limits.length === 0 || limits.some(({ filter, fact }) => isEnforced(filter) && !fact.byHeader)) return [];
      const [first] = limits;
      return first ? [evadableFinding(first)] : [];
    }),
};

const evadableFinding = ({ filter, fact: { byHeader } }: FilterFact<CountsSecurity>): RawFinding => {
  const { source, at, entry, when } = filter;
  const remedy = "count by ip or consumer, or add such a limit";
  if (byHeader) {
    const message = `a client that sends another ${byHeader.name} each time is never refused`;
    return { source, at: [...at, ...byHeader.at], message, remedy };
  }
  if (when.length > 0)
    return {
      source,
      at: entry,
      key: "when",
      message: "requests that do not match these conditions are not counted",
      remedy: "remove `when`, or add a limit without conditions",
    };
  const message = `only ${filter.percent} of users are counted`;
  return { source, at: entry, key: "percent", message, remedy: "remove `percent` once the limit is proven" };
};

export const guessableKey: Rule = {
  id: "guessable-key",
  severity: "medium",
  summary: "API keys can be guessed without a rate limit.",
  incident:
    "Leaked passwords were tried for months without a rate limit; 14,000 accounts were taken over, and with them the data of 6.9 million people (23andMe, 2023).",
  remedy: "Add a `rate-limit` by `ip` before `api-key`: it counts refused requests too.",
  check: ({ tier }) =>
    tier.routes.flatMap(({ chain }) =>
      filtersWith(chain, "guessable")
        .filter(({ filter }) => !chain.slice(0, chain.indexOf(filter)).some(limitsByAddress))
        .map(({ filter: { source, entry, use } }) => ({
          source,
          at: entry,
          key: use,
          message: "no earlier filter limits attempts to guess keys",
          remedy: "add a limit before it: rate-limit: { limit: 20/s, by: ip }",
        })),
    ),
};

const limitsByAddress = (filter: CheckedFilter): boolean =>
  filtersWith([filter], "counts").some(({ fact }) => isEnforced(filter) && fact.byAddress);

export const countedApart: Rule = {
  id: "counted-apart",
  severity: "low",
  summary: "Each isolate counts by itself, and there are thousands of them.",
  incident:
    "A limit that works on a laptop with one isolate lets a thousand times as much pass in production, where one client's requests reach many isolates.",
  remedy:
    "Remove `count`: isolates then share the count. A limit that only protects an isolate from overload is right as it is.",
  check: ({ tier }) =>
    tier.routes.flatMap(({ chain }): RawFinding[] => {
      const limits = filtersWith(chain, "counts").filter(({ filter }) => isEnforced(filter));
      const [first] = limits;
      const alone = first?.fact.perIsolate;
      if (!alone || limits.some(({ fact }) => !fact.perIsolate)) return [];
      const { source, at } = first.filter;
      return [
        {
          source,
          at: [...at, ...alone.at],
          message: `each isolate lets ${alone.rates.join(" and ")} pass, and there is no global limit`,
          remedy: "remove it, or add a limit that is counted globally",
        },
      ];
    }),
};
