/** What pages of other sites may do with a user's browser. */
import {
  enforces,
  enforcesIdentity,
  hasAllowList,
  hasUpstream,
  joinAnd,
  knowing,
  writeMethods,
} from "../rule-kit/chains.ts";
import type { Rule } from "../rule-kit/rule.ts";

export const openedNetwork: Rule = {
  id: "opened-network",
  severity: "high",
  summary: "A route that trusts a network lets every page read it that somebody there opens.",
  incident:
    "Any page could ask the services of the machine and the network that its reader sat at, and those answered, since they trusted the address (0.0.0.0 day, 2024).",
  remedy: "Drop `cors` on that route, or name the origins that need it; better still, identify who is calling.",
  check: ({ tier }) =>
    tier.routes
      .filter((route) => hasAllowList(route) && !route.chain.some(enforcesIdentity))
      .flatMap((route) =>
        knowing(route.chain, "pages")
          .filter(({ fact }) => fact.origins.includes("*"))
          .map(({ filter: { id, source, at } }) => ({
            source: tier.source,
            at: ["routes", route.name, "match"],
            message: `any page that somebody in that network opens may read ${route.name}, which asks for nothing but the address`,
            remedy: `without: [${id}], or name the origins`,
            related: [source.related([...at, "origins"], "pages of all origins are let in here")],
          })),
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
      .filter((route) => hasUpstream(route) && writeMethods(route).length > 0)
      .filter(({ chain }) => !enforces(chain, "refusesForgery"))
      .flatMap((route) => [
        ...knowing(route.chain, "credentialCookie").map(({ filter: { source, at }, fact }) => ({
          source: tier.source,
          at: ["routes", route.name, "match"],
          message: `a form of any site may ${joinAnd(writeMethods(route))} on ${route.name} with the cookie that says who looks at it`,
          remedy: "csrf: { origins: [<your pages>] }",
          related: [source.related([...at, ...fact], "the token is read from a cookie here")],
        })),
        ...knowing(route.chain, "pages")
          .filter(({ fact }) => fact.credentials)
          .map(({ filter: { source, at }, fact }) => ({
            source: tier.source,
            at: ["routes", route.name, "match"],
            message: `a form of any site may ${joinAnd(writeMethods(route))} on ${route.name} with the cookies of who looks at it`,
            remedy: `csrf: { origins: [${fact.origins.join(", ")}] }`,
            related: [source.related([...at, "credentials"], "cookies come along here")],
          })),
      ]),
};
