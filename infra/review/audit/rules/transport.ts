/** Audit rules for transport: calls, keys and redirects without encryption. */
import { parseLocation } from "../../../../functions/gateway/core/references.ts";
import { isPlaintext } from "../../../../functions/manifest/addresses.ts";
import { normalizeRedirect } from "../../../compiler/lower/lower.ts";
import type { Path } from "../../../diagnostics/locate.ts";
import type { Source } from "../../../diagnostics/source.ts";
import { distinctFilters, filtersWith } from "../rule-kit/chains.ts";
import type { AuditTarget, RawFinding, Rule } from "../rule-kit/rule.ts";

export const plaintextUpstream: Rule = {
  id: "plaintext-upstream",
  severity: "high",
  summary: "A service is called without encryption.",
  incident:
    "A secret service read the traffic between the data centres of one company, since only the connections from users were encrypted (MUSCULAR, 2013).",
  remedy:
    "Call it by https. http to this machine is accepted; where the path is private by other means, such as a tunnel, ignore the rule there, with the reason.",
  check: ({ tier }) =>
    Object.entries(tier.upstreams).flatMap(([name, { use, spec, config }]): RawFinding[] => {
      const { endpoint } = spec.security?.(config) ?? {};
      if (!endpoint || !isPlaintext(endpoint.url)) return [];
      const isShort = typeof at(tier.source.value, ["upstreams", name, use]) === "string";
      return [
        {
          source: tier.source,
          at: ["upstreams", name, use, ...(isShort ? [] : [endpoint.key])],
          message: `${name} is called without encryption, at ${new URL(endpoint.url).host}`,
          remedy: "call it by https",
        },
      ];
    }),
};

export const keptLocation: Rule = {
  id: "kept-location",
  severity: "low",
  summary: "A service's own address is passed on to clients in its redirects.",
  incident: "A web server revealed its internal address in `Location` and `Content-Location` (IIS, CVE-2000-0649).",
  remedy: "Leave `location` out: references to the service's own address then lead clients back to the gate.",
  check: ({ tier }) =>
    Object.entries(tier.upstreams).flatMap(([name, { use, spec, config }]): RawFinding[] => {
      const { endpoint, exposesAddress: key } = spec.security?.(config) ?? {};
      if (!endpoint || key === undefined) return [];
      return [
        {
          source: tier.source,
          at: ["upstreams", name, use, key],
          message: `redirects of ${name} to ${new URL(endpoint.url).host} reach clients`,
          remedy: "leave it out, or write rewrite",
        },
      ];
    }),
};

const at = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>(
    (it, step) => (typeof it === "object" && it !== null ? Reflect.get(it, step) : undefined),
    value,
  );

export const plaintextRedirect: Rule = {
  id: "plaintext-redirect",
  severity: "medium",
  summary: "A redirect leads clients from https to http.",
  incident:
    "A client that follows the redirect sends its request where others can read it: a login that began by https ends on the open Wi-Fi of a café (Firesheep, 2010).",
  remedy: "Redirect to https.",
  check: (auditTarget) =>
    listRedirects(auditTarget)
      .filter(({ to }) => isPlaintext(to))
      .map(({ source, at, to }) => ({
        source,
        at,
        message: `clients are sent to ${parseLocation(to).origin}, where others can read along`,
        remedy: "redirect to https://",
      })),
};

export const carriedQuery: Rule = {
  id: "carried-query",
  severity: "low",
  summary: "A redirect passes the whole query to another host.",
  incident:
    "The URLs of a health exchange, with incomes and pregnancies, were passed to hosts of other companies (HealthCare.gov, 2015).",
  remedy: "Write `query: drop`, or `keep` once it is known that the other host may read all of it.",
  check: (auditTarget) =>
    listRedirects(auditTarget)
      .filter(({ to, query, isQuerySet }) => query === "keep" && !isQuerySet && isForeignHost(to, auditTarget))
      .map(({ source, at, to }) => ({
        source,
        at,
        message: `${parseLocation(to).origin} receives the query of each request`,
        remedy: "query: drop; or query: keep, if it may read all of it",
      })),
};

const isForeignHost = (to: string, { tier }: AuditTarget): boolean => {
  const { origin } = parseLocation(to);
  return origin !== "" && !tier.manifest.hosts.includes(new URL(origin).hostname);
};

interface Redirect {
  readonly source: Source;
  readonly at: Path;
  readonly to: string;
  readonly query: "keep" | "drop";
  /** Whether `query` is set explicitly. */
  readonly isQuerySet: boolean;
}

const listRedirects = ({ tier }: AuditTarget): Redirect[] => {
  const { source } = tier;
  const routes = tier.routes.flatMap(({ name, settings: { redirect } }): Redirect[] => {
    if (redirect === undefined) return [];
    const { query, ...where } = normalizeRedirect(redirect);
    const redirectPath = ["routes", name, "redirect"];
    const target = redirectTarget(where, tier.manifest.hosts);
    if (!target) return [];
    return [
      {
        source,
        at: typeof redirect === "string" ? redirectPath : [...redirectPath, target.key],
        to: target.to,
        query,
        isQuerySet: isQueryWritten(source, redirectPath),
      },
    ];
  });
  const filters = filtersWith(distinctFilters(tier), "redirects").flatMap(
    ({ filter: { source, at: redirectPath }, fact: { query, ...where } }): Redirect[] => {
      const target = redirectTarget(where, tier.manifest.hosts);
      if (!target) return [];
      return [
        {
          source,
          at: typeof at(source.value, redirectPath) === "string" ? redirectPath : [...redirectPath, target.key],
          to: target.to,
          query,
          isQuerySet: isQueryWritten(source, redirectPath),
        },
      ];
    },
  );
  return [...routes, ...filters];
};

/** The target of a redirect that changes host or scheme, and its key; undefined if it changes neither. */
const redirectTarget = (
  { to, scheme, host }: { to?: string | undefined; scheme?: string | undefined; host?: string | undefined },
  [own = "any.example"]: readonly string[],
): { readonly key: "to" | "scheme" | "host"; readonly to: string } | undefined => {
  if (to !== undefined) return { key: "to", to };
  if (scheme === "http") return { key: "scheme", to: `http://${host ?? own.replace("*.", "any.")}` };
  return host === undefined ? undefined : { key: "host", to: `https://${host}` };
};

const isQueryWritten = (source: Source, redirectPath: Path): boolean =>
  at(source.value, [...redirectPath, "query"]) !== undefined;
