/** Audit rules for identity: authentication, identity headers, credentials. */
import { referencesIn } from "../../../../functions/gateway/core/references.ts";
import type { CheckedFilter, CheckedRoute, CheckedTier } from "../../../compiler/model/checked.ts";
import type { Path } from "../../../diagnostics/locate.ts";
import { registry } from "../../../project/registry.ts";
import {
  distinctFilters,
  droppedFilters,
  enforcesIdentity,
  filtersWith,
  hasUpstream,
  isPublic,
  joinAnd,
  requestEdits,
  upstreamNames,
  writeMethods,
} from "../rule-kit/chains.ts";
import type { RawFinding, Rule } from "../rule-kit/rule.ts";

export const unauthenticatedWrite: Rule = {
  id: "unauthenticated-write",
  severity: "high",
  summary: "A route for writes does not authenticate callers.",
  incident:
    "The dashboard of an API gateway accepted configurations from unauthenticated callers, and with them code that it ran (Apache APISIX Dashboard, CVE-2021-45232, 2021).",
  remedy:
    "Add `jwt`, `api-key` or `signature` to the route, or `ip` with `allow`. A public form, such as a contact form, is right as it is: ignore the rule there, with the reason.",
  check: ({ tier }) =>
    tier.routes
      .filter((route) => hasUpstream(route) && writeMethods(route).length > 0 && isPublic(route))
      .map((route) => ({
        source: tier.source,
        at: ["routes", route.name, "match"],
        message: `anybody may ${joinAnd(writeMethods(route))} on ${route.name}: no filter identifies the caller`,
        remedy: "add jwt, api-key or signature, or ip with `allow`",
        related: droppedFilters(tier, route, enforcesIdentity),
      })),
};

export const serviceExposed: Rule = {
  id: "service-exposed",
  severity: "high",
  summary: "Every path of a service is public, including internal ones.",
  incident:
    "A carmaker's service exposed its framework's heap dump to the public, with the keys to the location data of 800,000 cars (Cariad, 2024).",
  remedy: "Give each public path its own route or prefix, or identify callers.",
  check: ({ tier }) =>
    tier.routes
      .filter((route) => hasUpstream(route) && isPublic(route) && matchesEverything(route) && !isRewritten(route))
      .map(({ name }) => ({
        source: tier.source,
        at: ["routes", name, "match"],
        message: `${name} forwards every path, so health, metrics and admin pages behind it are public too`,
        remedy: "name the intended paths: GET /products/{path*}",
      })),
};

/** Whether the match is only a rest segment. */
const matchesEverything = ({ settings }: CheckedRoute): boolean => /^\S+ \/\{[^/]*\*\}$/.test(settings.match);

const isRewritten = ({ settings, chain }: CheckedRoute): boolean =>
  settings.path !== undefined || chain.some(({ spec, config }) => spec.security?.(config).rewritesPath);

export const spoofableHeader: Rule = {
  id: "spoofable-header",
  severity: "high",
  summary: "A service reads the caller's identity from a header that clients can set on one of its routes.",
  incident:
    "A web framework trusted an internal header even if a client had sent it, and skipped its authorization (Next.js, CVE-2025-29927, 2025).",
  remedy:
    "Set the header on every route to the service, or remove it there. `--fix` removes it: no legitimate client needs it.",
  check: ({ tier }) => {
    const identityHeaders = headersByUpstream(tier);
    return tier.routes.flatMap((route) => spoofable(tier, route, identityHeaders));
  },
};

interface IdentityHeader {
  readonly header: string;
  readonly route: string;
  readonly filter: CheckedFilter;
  /** Of the header. */
  readonly at: Path;
}

/** By upstream: the headers that carry the caller's identity, with the first filter that sets each. */
const headersByUpstream = ({ routes }: CheckedTier): ReadonlyMap<string, ReadonlyMap<string, IdentityHeader>> => {
  const identityHeaders = new Map<string, Map<string, IdentityHeader>>();
  for (const route of routes)
    for (const { filter, set, setAt } of requestEdits(route.chain))
      for (const [header, value] of Object.entries(set)) {
        if (typeof value !== "string" || !referencesIn(value).some(({ source }) => callerSources.includes(source)))
          continue;
        for (const upstream of upstreamNames(route)) {
          const known = identityHeaders.get(upstream) ?? new Map<string, IdentityHeader>();
          identityHeaders.set(upstream, known);
          if (!known.has(header)) known.set(header, { header, route: route.name, filter, at: [...setAt, header] });
        }
      }
  return identityHeaders;
};

const callerSources: readonly string[] = ["consumer", "claim"];

const spoofable = (
  { source }: CheckedTier,
  route: CheckedRoute,
  identityHeaders: ReadonlyMap<string, ReadonlyMap<string, IdentityHeader>>,
): RawFinding[] => {
  const edits = requestEdits(route.chain);
  const written = new Set(edits.flatMap(({ set, remove }) => [...Object.keys(set), ...remove]));
  const unprotected = [
    ...new Map(upstreamNames(route).flatMap((it) => [...(identityHeaders.get(it) ?? [])])).values(),
  ].filter(({ header }) => !written.has(header));
  if (unprotected.length === 0) return [];
  const headers = unprotected.map(({ header }) => header);
  const filter = removal(headers);
  return [
    {
      source,
      at: ["routes", route.name, "match"],
      message: `on ${route.name}, ${joinAnd(upstreamNames(route))} reads ${joinAnd(headers)} as the client sent ${headers.length > 1 ? "them" : "it"}`,
      remedy: filter,
      related: unprotected.map(({ route: other, filter, at }) =>
        filter.source.related(at, `${other} sets the identity here`),
      ),
      fix: {
        says: `${route.name} removes ${joinAnd(headers)} from requests`,
        change: { kind: "add-filter", route: route.name, filter },
      },
    },
  ];
};

export const forwardedCredential: Rule = {
  id: "forwarded-credential",
  severity: "medium",
  summary: "A service receives the caller's credential, which it does not need.",
  incident:
    "Passwords were written into the logs of services that did not need them, and 330 million people had to change them (Twitter, 2018).",
  remedy:
    "Remove the header after the filter that reads it. A service that verifies the token again needs it: ignore the rule there, with the reason.",
  check: ({ tier }) =>
    tier.routes.filter(hasUpstream).flatMap((route) => {
      const edits = requestEdits(route.chain);
      return filtersWith(route.chain, "credentialHeader")
        .map(({ filter, fact: header }) => ({ filter, header }))
        .filter(({ header }) => !edits.some(({ set, remove }) => remove.includes(header) || Object.hasOwn(set, header)))
        .map(({ filter, header }) => ({
          source: filter.source,
          at: filter.entry,
          key: filter.use,
          message: `${joinAnd(upstreamNames(route))} receives the ${header} header of ${route.name}'s callers`,
          remedy: `remove it afterwards: ${removal([header])}`,
        }));
    }),
};

/** A filter that removes headers, as a manifest has it. */
const removal = (headers: readonly string[]): string => {
  const [written] = Object.values(registry.filters).flatMap(({ removes }) => (removes ? [removes(headers)] : []));
  if (written === undefined) throw new Error("no filter removes headers");
  return written;
};

export const unsignedConsumers: Rule = {
  id: "unsigned-consumers",
  severity: "medium",
  summary: "API keys are read from a KV namespace that every gate with `api-key` can write to.",
  incident:
    "Servers of a directory trust each other, so a compromised one can grant itself any rights (Active Directory, DCShadow, 2018). So can a compromised gate: it can write its own API key into the namespace, as any consumer, and every tier of the environment with `api-key` accepts it.",
  remedy:
    "Sign the entries: `npx postern secrets consumers-key`, the key into the environment, then `npx postern deploy consumers` and the gates. If something else than `postern deploy` writes the entries, or one team owns all gates of the account, it is right as it is: ignore the rule there, with the reason.",
  check: ({ tier, environment: { value }, files }) => {
    const [environmentSource] = files.slice(-1);
    if (!environmentSource || value.consumers || !distinctFilters(tier).some(readsConsumers)) return [];
    return [
      {
        source: environmentSource,
        at: ["kv", "consumers"],
        message: "any gate with api-key can write here, and add keys for any consumer of any tier",
        remedy: "consumers: { key: … }, as `npx postern secrets consumers-key` prints it",
      },
    ];
  },
};

/** A filter that is off reads nothing. */
const readsConsumers = ({ spec, config, mode }: CheckedFilter): boolean =>
  mode !== "off" && (spec.bindings?.(config) ?? []).some((it) => it.kind === "kv" && it.namespace === "consumers");
