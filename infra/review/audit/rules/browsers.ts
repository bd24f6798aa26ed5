/** Audit rules for browsers: CORS, CSRF, security headers. */
import type { CheckedFilter } from "../../../compiler/model/checked.ts";
import {
  enforces,
  enforcesIdentity,
  filtersWith,
  hasAllowList,
  hasUpstream,
  joinAnd,
  writeMethods,
} from "../rule-kit/chains.ts";
import type { Rule } from "../rule-kit/rule.ts";

export const openedNetwork: Rule = {
  id: "opened-network",
  severity: "high",
  summary: "A route that trusts a network by its addresses can be read by every page that somebody there opens.",
  incident:
    "Any web page could call services on the machine and network of its reader, and those answered, since they trusted the address (0.0.0.0 day, 2024).",
  remedy: "Drop `cors` on that route, or name the origins that need it; better, identify the callers.",
  check: ({ tier }) =>
    tier.routes
      .filter((route) => hasAllowList(route) && !route.chain.some(enforcesIdentity))
      .flatMap((route) =>
        filtersWith(route.chain, "pages")
          .filter(({ fact }) => fact.origins.includes("*"))
          .map(({ filter: { id, source, at } }) => ({
            source: tier.source,
            at: ["routes", route.name, "match"],
            message: `any page that somebody in that network opens may read ${route.name}, which checks nothing but the address`,
            remedy: `without: [${id}], or name the origins`,
            related: [source.related([...at, "origins"], "pages of all origins are allowed here")],
          })),
      ),
};

/**
 * It refuses every request without a credential outside of cookies. Pages of other sites cannot send one: only cookies are
 * added by browsers themselves.
 */
const requiresUnforgeableCredential = (filter: CheckedFilter): boolean =>
  enforcesIdentity(filter) && filtersWith([filter], "credentialCookie").length === 0;

export const forgeableWrite: Rule = {
  id: "forgeable-write",
  severity: "high",
  summary: "Cookies may identify the caller, and nothing checks that the request comes from your own pages (CSRF).",
  incident:
    "A page that a customer opened could transfer money from their account, since the browser sent the bank's cookie along (ING Direct, 2008).",
  remedy:
    "Add `csrf` with the origins of your pages. If pages send tokens in a header and need no cookies, drop `credentials` of `cors`.",
  check: ({ tier }) =>
    tier.routes
      .filter((route) => hasUpstream(route) && writeMethods(route).length > 0)
      .filter(({ chain }) => !enforces(chain, "refusesForgery") && !chain.some(requiresUnforgeableCredential))
      .flatMap((route) => [
        ...filtersWith(route.chain, "credentialCookie").map(({ filter: { source, at }, fact }) => ({
          source: tier.source,
          at: ["routes", route.name, "match"],
          message: `a form of any site may ${joinAnd(writeMethods(route))} on ${route.name} with the cookie that identifies its visitor`,
          remedy: "csrf: { origins: [<your pages>] }",
          related: [source.related([...at, ...fact], "the token is read from a cookie here")],
        })),
        ...filtersWith(route.chain, "pages")
          .filter(({ fact }) => fact.credentials)
          .map(({ filter: { source, at }, fact }) => ({
            source: tier.source,
            at: ["routes", route.name, "match"],
            message: `a form of any site may ${joinAnd(writeMethods(route))} on ${route.name} with the cookies of its visitor`,
            remedy: `csrf: { origins: [${fact.origins.join(", ")}] }`,
            related: [source.related([...at, "credentials"], "cookies are allowed here")],
          })),
      ]),
};
