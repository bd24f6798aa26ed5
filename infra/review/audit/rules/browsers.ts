/** What pages of other sites may do with a user's browser. */
import { isEnforced } from "../../../compiler/check/rules/enforced.ts";
import { isLoopback } from "../rule-kit/addresses.ts";
import {
  allowsAddresses,
  asksService,
  filtersOf,
  identifies,
  listed,
  placesOf,
  using,
  writesOf,
} from "../rule-kit/chains.ts";
import type { Rule, Spotted } from "../rule-kit/rule.ts";

export const openedNetwork: Rule = {
  id: "opened-network",
  severity: "high",
  summary: "A route that trusts a network lets every page read it that somebody there opens.",
  incident:
    "Any page could ask the services of the machine and the network that its reader sat at, and those answered, since they trusted the address (0.0.0.0 day, 2024).",
  remedy: "Drop `cors` on that route, or name the origins that need it; better still, identify who is calling.",
  check: ({ tier }) =>
    tier.routes
      .filter((route) => allowsAddresses(route) && !route.chain.some(identifies))
      .flatMap((route) =>
        using(route.chain, "cors")
          .filter(({ config }) => config.origins.includes("*"))
          .map(({ id, source, at }) => ({
            source: tier.source,
            at: ["routes", route.name, "match"],
            message: `any page that somebody in that network opens may read ${route.name}, which asks for nothing but the address`,
            remedy: `without: [${id}], or name the origins`,
            related: [source.related([...at, "origins"], "pages of all origins are let in here")],
          })),
      ),
};

export const everybodysCookies: Rule = {
  id: "everybodys-cookies",
  severity: "high",
  summary: "Any page in the world may read what a user's cookies open.",
  incident:
    "An exchange of bitcoins let pages of all origins read with the user's cookies: any page could take the API key of who looked at it, and with it the coins (Kettle, 2016).",
  remedy: "Name the origins that need it, and write `credentials: true`.",
  check: ({ tier }) =>
    using(filtersOf(tier), "cors")
      .filter(({ config }) => config.credentials === "everybody")
      .map(({ source, at }) => ({
        source,
        at: [...at, "credentials"],
        message: "any page acts here as the user who looks at it, and reads the answers",
        remedy: "name the origins, with `credentials: true`",
      })),
};

export const plaintextOrigin: Rule = {
  id: "plaintext-origin",
  severity: "medium",
  summary: "Pages that anybody on the way can change may read responses.",
  incident:
    "Sites that let their own `http` pages read what stood behind https undid https: whoever sat in the same network wrote a script into such a page (Kettle, 2016).",
  remedy: "Name origins with https only.",
  check: ({ tier }) =>
    using(filtersOf(tier), "cors").flatMap(({ source, at, config }) =>
      config.origins.flatMap((origin, index): Spotted[] => {
        if (!origin.startsWith("http://") || isLoopback(origin)) return [];
        return [
          {
            source,
            at: [...at, "origins", index],
            message: `whoever sits between a reader and ${origin} reads along`,
            remedy: `https://${origin.slice("http://".length)}`,
          },
        ];
      }),
    ),
};

export const forgeableWrite: Rule = {
  id: "forgeable-write",
  severity: "high",
  summary: "Cookies say who is calling, and nothing tells a page of the user's from one of a stranger's.",
  incident:
    "A page that a customer only looked at could move money out of their account, since their browser sent the bank's cookie along (ING Direct, 2008).",
  remedy: "Put `csrf` with your pages' origins on it.",
  check: ({ tier }) =>
    tier.routes
      .filter((route) => asksService(route) && writesOf(route).length > 0)
      .filter(({ chain }) => !chain.some((it) => it.use === "csrf" && isEnforced(it)))
      .flatMap((route) => [
        ...using(route.chain, "jwt")
          .filter(({ config }) => placesOf(config).some((it) => it.startsWith("cookie.")))
          .map(({ source, at }) => ({
            source: tier.source,
            at: ["routes", route.name, "match"],
            message: `a form of any site may ${listed(writesOf(route))} on ${route.name} with the cookie that says who looks at it`,
            remedy: "csrf: { origins: [<your pages>] }",
            related: [source.related([...at, "from"], "the token is read from a cookie here")],
          })),
        ...using(route.chain, "cors")
          .filter(({ config }) => config.credentials)
          .map(({ source, at, config }) => ({
            source: tier.source,
            at: ["routes", route.name, "match"],
            message: `a form of any site may ${listed(writesOf(route))} on ${route.name} with the cookies of who looks at it`,
            remedy: `csrf: { origins: [${config.origins.join(", ")}] }`,
            related: [source.related([...at, "credentials"], "cookies come along here")],
          })),
      ]),
};

/** Sources that let in what the policy is there to keep out. */
const loose = ["'unsafe-inline'", "'unsafe-eval'", "*", "http:", "https:", "data:"];

export const looseScripts: Rule = {
  id: "loose-scripts",
  severity: "medium",
  summary: "A policy of what pages may load lets scripts of anybody in.",
  incident:
    "The script of a chat window, served by a third party, was changed to copy the cards of 40,000 customers (Ticketmaster, 2018).",
  remedy:
    "Name the hosts of your scripts, or `'self'`, with nonces or hashes where something has to stand in the page.",
  check: ({ tier }) =>
    using(filtersOf(tier), "secure-headers").flatMap(({ source, at, config }) => {
      const policy = config["content-security-policy"];
      const directive = policy["script-src"] ? "script-src" : "default-src";
      const words = policy[directive] ?? [];
      return words.flatMap((word, index): Spotted[] => {
        if (!loose.includes(word)) return [];
        return [
          {
            source,
            at: [...at, "content-security-policy", directive, index],
            message: `${directive} with ${word} lets scripts of anybody in`,
            remedy: "name hosts, nonces or hashes",
          },
        ];
      });
    }),
};

const shortestPin = 30 * 86_400;

export const unpinnedTransport: Rule = {
  id: "unpinned-transport",
  severity: "medium",
  summary: "Browsers are not told to come by https only, or forget it within a month.",
  incident:
    "A tool in the same network kept browsers on http by changing the links that led to https, and read the passwords (sslstrip, 2009).",
  remedy: "Leave `strict-transport-security` out, which is half a year, or write a `max-age` of a month at least.",
  check: ({ tier }) =>
    using(filtersOf(tier), "secure-headers").flatMap(({ source, at, config }): Spotted[] => {
      const header = config["strict-transport-security"];
      const seconds = header === false ? 0 : Number(/max-age="?(\d+)/i.exec(header)?.[1] ?? 0);
      if (seconds >= shortestPin) return [];
      return [
        {
          source,
          at: [...at, "strict-transport-security"],
          message: header === false ? "browsers may come by http" : `browsers come by https for ${seconds}s only`,
          remedy: "leave it out: half a year is the default",
        },
      ];
    }),
};
