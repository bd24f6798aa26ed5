/** Who calls, and who may. */
import { referencesIn } from "../../../../functions/gateway/core/references.ts";
import type { CheckedFilter, CheckedRoute, CheckedTier } from "../../../compiler/model/checked.ts";
import type { Path } from "../../../diagnostics/locate.ts";
import { registry } from "../../../project/registry.ts";
import {
  distinctFilters,
  droppedFilters,
  enforcesIdentity,
  hasUpstream,
  isPublic,
  joinAnd,
  knowing,
  requestEdits,
  upstreamNames,
  writeMethods,
} from "../rule-kit/chains.ts";
import type { RawFinding, Rule } from "../rule-kit/rule.ts";

export const unauthenticatedWrite: Rule = {
  id: "unauthenticated-write",
  severity: "high",
  summary: "A route that changes something asks nobody who they are.",
  incident:
    "The dashboard of an API gateway took imports of whole configurations from anybody who found the address, and with them code that it ran (Apache APISIX Dashboard, CVE-2021-45232, 2021).",
  remedy:
    "Put `jwt`, `api-key` or `signature` on the route, or `ip` with `allow`. A form that the public may send, such as a contact form, is right as it is: ignore the rule there, with the reason.",
  check: ({ tier }) =>
    tier.routes
      .filter((route) => hasUpstream(route) && writeMethods(route).length > 0 && isPublic(route))
      .map((route) => ({
        source: tier.source,
        at: ["routes", route.name, "match"],
        message: `anybody may ${joinAnd(writeMethods(route))} on ${route.name}: no filter says who is calling`,
        remedy: "put jwt, api-key or signature on it, or ip with `allow`",
        related: droppedFilters(tier, route, enforcesIdentity),
      })),
};

export const serviceExposed: Rule = {
  id: "service-exposed",
  severity: "high",
  summary: "Every path of a service is public, also those that nobody thought of.",
  incident:
    "A carmaker's service answered the memory dump of its framework's monitoring to anybody, and in it stood the keys to where 800,000 cars had been (Cariad, 2024).",
  remedy: "Give each public path a route of its own, or a prefix, or identify who is calling.",
  check: ({ tier }) =>
    tier.routes
      .filter((route) => hasUpstream(route) && isPublic(route) && matchesEverything(route) && !isRewritten(route))
      .map(({ name }) => ({
        source: tier.source,
        at: ["routes", name, "match"],
        message: `${name} hands every path on, so the health, metrics and admin pages behind it are public too`,
        remedy: "name the paths that are meant: GET /products/{path*}",
      })),
};

/** The route's own part is nothing but the rest of the path. */
const matchesEverything = ({ settings }: CheckedRoute): boolean => /^\S+ \/\{[^/]*\*\}$/.test(settings.match);

const isRewritten = ({ settings, chain }: CheckedRoute): boolean =>
  settings.path !== undefined || chain.some(({ spec: about, config }) => about.security?.(config).rewritesPath);

export const spoofableHeader: Rule = {
  id: "spoofable-header",
  severity: "high",
  summary: "A service learns from a header who is calling, and one of its routes lets clients write that header.",
  incident:
    "A web framework believed a header of its own also where a client had sent it, and left out its checks of who may pass (Next.js, CVE-2025-29927, 2025).",
  remedy:
    "Set the header on every route that leads to the service, or remove it there. `--fix` removes it: no honest client has any use for it.",
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

/** By upstream: the headers that tell it who is calling, and where the first of them is set. */
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
      message: `on ${route.name}, ${joinAnd(upstreamNames(route))} reads ${joinAnd(headers)} as the client wrote ${headers.length > 1 ? "them" : "it"}`,
      remedy: filter,
      related: unprotected.map(({ route: other, filter, at }) =>
        filter.source.related(at, `${other} tells it who is calling here`),
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
  summary: "A service is sent the caller's credential, which it needs no more.",
  incident:
    "Passwords that passed by were written into the logs of services that had no need of them, and 330 million people were asked for new ones (Twitter, 2018).",
  remedy:
    "Remove the header behind the filter that has read it. A service that verifies the token once more needs it: ignore the rule there, with the reason.",
  check: ({ tier }) =>
    tier.routes.filter(hasUpstream).flatMap((route) => {
      const edits = requestEdits(route.chain);
      return knowing(route.chain, "credentialHeader")
        .map(({ filter, fact: header }) => ({ filter, header }))
        .filter(({ header }) => !edits.some(({ set, remove }) => remove.includes(header) || Object.hasOwn(set, header)))
        .map(({ filter, header }) => ({
          source: filter.source,
          at: filter.entry,
          key: filter.use,
          message: `${joinAnd(upstreamNames(route))} is sent the ${header} header of ${route.name}'s callers`,
          remedy: `remove it behind: ${removal([header])}`,
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
  summary: "Who may call is read from a KV namespace that every gate with `api-key` can write to.",
  incident:
    "Servers of a directory believe one another, so one that is taken over can write itself the rights of anybody (Active Directory, DCShadow, 2018). So can a gate here: it writes an API key of its own into the namespace, as any consumer, and every tier of the environment with `api-key` lets it in.",
  remedy:
    "Sign the entries: `npx postern secrets consumers-key`, the key into the environment, then `npx postern deploy consumers` and the gates. Where something else than `postern deploy` writes the entries, or all gates of the account are one team's, it is right as it is: ignore the rule there, with the reason.",
  check: ({ tier, environment: { value }, files }) => {
    const [environmentSource] = files.slice(-1);
    if (!environmentSource || value.consumers || !distinctFilters(tier).some(readsConsumers)) return [];
    return [
      {
        source: environmentSource,
        at: ["kv", "consumers"],
        message: "any gate with api-key can write here, and make a key of its own any consumer of any tier",
        remedy: "consumers: { key: … }, as `npx postern secrets consumers-key` prints it",
      },
    ];
  },
};

/** A filter that is off reads nothing. */
const readsConsumers = ({ spec: about, config, mode }: CheckedFilter): boolean =>
  mode !== "off" && (about.bindings?.(config) ?? []).some((it) => it.kind === "kv" && it.namespace === "consumers");
