/** Who calls, and who may. */
import { claimPath } from "../../../../functions/gateway/core/claims.ts";
import { referencesIn } from "../../../../functions/gateway/core/references.ts";
import type { CheckedFilter, CheckedRoute, CheckedTier } from "../../../compiler/model/checked.ts";
import {
  asksService,
  droppedHere,
  filtersOf,
  identifies,
  isPublic,
  listed,
  placesOf,
  requestEdits,
  upstreamsOf,
  using,
  writesOf,
} from "../rule-kit/chains.ts";
import type { Rule, Spotted } from "../rule-kit/rule.ts";

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
      .filter((route) => asksService(route) && writesOf(route).length > 0 && isPublic(route))
      .map((route) => ({
        source: tier.source,
        at: ["routes", route.name, "match"],
        message: `anybody may ${listed(writesOf(route))} on ${route.name}: no filter says who is calling`,
        remedy: "put jwt, api-key or signature on it, or ip with `allow`",
        related: droppedHere(tier, route, identifies),
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
      .filter((route) => asksService(route) && isPublic(route) && takesAll(route) && !isRewritten(route))
      .map(({ name }) => ({
        source: tier.source,
        at: ["routes", name, "match"],
        message: `${name} hands every path on, so the health, metrics and admin pages behind it are public too`,
        remedy: "name the paths that are meant: GET /products/{path*}",
      })),
};

/** The route's own part is nothing but the rest of the path. */
const takesAll = ({ settings }: CheckedRoute): boolean => /^\S+ \/\{[^/]*\*\}$/.test(settings.match);

const isRewritten = ({ settings, chain }: CheckedRoute): boolean =>
  settings.path !== undefined || chain.some(({ use }) => use === "rewrite");

export const spoofableHeader: Rule = {
  id: "spoofable-header",
  severity: "high",
  summary: "A service learns from a header who is calling, and one of its routes lets clients write that header.",
  incident:
    "A web framework believed a header of its own also where a client had sent it, and left out its checks of who may pass (Next.js, CVE-2025-29927, 2025).",
  remedy:
    "Set the header on every route that leads to the service, or remove it there. `--fix` removes it: no honest client has any use for it.",
  check: ({ tier }) => {
    const told = headersTold(tier);
    return tier.routes.flatMap((route) => spoofable(tier, route, told));
  },
};

interface Teller {
  readonly header: string;
  readonly route: string;
  readonly filter: CheckedFilter;
}

/** By upstream: the headers that tell it who is calling, and where the first of them is set. */
const headersTold = ({ routes }: CheckedTier): ReadonlyMap<string, ReadonlyMap<string, Teller>> => {
  const told = new Map<string, Map<string, Teller>>();
  for (const route of routes)
    for (const { filter, set } of requestEdits(route.chain))
      for (const [header, value] of Object.entries(set)) {
        if (typeof value !== "string" || !referencesIn(value).some(({ source }) => callers.includes(source))) continue;
        for (const upstream of upstreamsOf(route)) {
          const known = told.get(upstream) ?? new Map<string, Teller>();
          told.set(upstream, known);
          if (!known.has(header)) known.set(header, { header, route: route.name, filter });
        }
      }
  return told;
};

const callers: readonly string[] = ["consumer", "claim"];

const spoofable = (
  { source }: CheckedTier,
  route: CheckedRoute,
  told: ReadonlyMap<string, ReadonlyMap<string, Teller>>,
): Spotted[] => {
  const edits = requestEdits(route.chain);
  const written = new Set(edits.flatMap(({ set, remove }) => [...Object.keys(set), ...remove]));
  const open = [...new Map(upstreamsOf(route).flatMap((it) => [...(told.get(it) ?? [])])).values()].filter(
    ({ header }) => !written.has(header),
  );
  if (open.length === 0) return [];
  const headers = open.map(({ header }) => header);
  const filter = `headers: { request: { remove: [${headers.join(", ")}] } }`;
  return [
    {
      source,
      at: ["routes", route.name, "match"],
      message: `on ${route.name}, ${listed(upstreamsOf(route))} reads ${listed(headers)} as the client wrote ${headers.length > 1 ? "them" : "it"}`,
      remedy: filter,
      related: open.map(({ header, route: other, filter: { source: file, at } }) =>
        file.related([...at, "request", "set", header], `${other} tells it who is calling here`),
      ),
      fix: {
        says: `${route.name} removes ${listed(headers)} from requests`,
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
    tier.routes.filter(asksService).flatMap((route) => {
      const edits = requestEdits(route.chain);
      return credentialsOf(route.chain)
        .filter(({ header }) => !edits.some(({ set, remove }) => remove.includes(header) || Object.hasOwn(set, header)))
        .map(({ filter, header }) => ({
          source: filter.source,
          at: filter.entry,
          key: filter.use,
          message: `${listed(upstreamsOf(route))} is sent the ${header} header of ${route.name}'s callers`,
          remedy: `remove it behind: headers: { request: { remove: [${header}] } }`,
        }));
    }),
};

const credentialsOf = (chain: readonly CheckedFilter[]): { filter: CheckedFilter; header: string }[] => [
  ...using(chain, "jwt")
    .filter(({ config }) => placesOf(config).includes("header.authorization"))
    .map((filter) => ({ filter, header: "authorization" })),
  ...using(chain, "api-key").map((filter) => ({ filter, header: filter.config.header })),
];

const mutable = ["email", "preferred_username", "upn", "unique_name", "name", "nickname", "phone_number"];

export const mutableClaim: Rule = {
  id: "mutable-claim",
  severity: "high",
  summary: "A claim says who is calling that its owner, or another issuer's user, can change.",
  incident:
    "Applications took the `email` of a token for its owner; whoever wrote another's address into an account of their own was let in as that person (nOAuth, 2023).",
  remedy:
    "Leave `consumer` out: `sub` never belongs to anybody else (OpenID Connect Core, section 5.7). Where the issuer promises the same of another claim, use that one.",
  check: ({ tier }) =>
    using(filtersOf(tier), "jwt")
      .filter(({ config }) => mutable.includes(claimPath(config.consumer).at(-1) ?? ""))
      .map(({ source, at, config }) => ({
        source,
        at: [...at, "consumer"],
        message: `${config.consumer} is not always the same person's`,
        remedy: "leave it out: sub is",
      })),
};

export const sharedKey: Rule = {
  id: "shared-key",
  severity: "high",
  summary: "Two consumers sign with the same secret, so each of them can sign as the other.",
  incident:
    "One key that was meant for one kind of accounts was believed for another kind too, and whoever had stolen it read the mail of governments (Storm-0558, 2023).",
  remedy: "Give each consumer a secret of its own. Two keys of one consumer may share nothing but their owner.",
  check: ({ tier }) =>
    using(filtersOf(tier), "signature").flatMap(({ source, at, config }) => {
      const all = Object.entries(config.keys);
      return all.flatMap(([id, { secret, consumer }], index) => {
        const other = all.slice(0, index).find(([, it]) => it.secret === secret && it.consumer !== consumer);
        if (!other) return [];
        return [
          {
            source,
            at: [...at, "keys", id, "secret"],
            message: `${consumer} and ${other[1].consumer} sign with the same secret, so each can sign as the other`,
            remedy: "give each a secret of its own",
            related: [source.related([...at, "keys", other[0], "secret"], `${other[1].consumer} has it here`)],
          },
        ];
      });
    }),
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
    const [own] = files.slice(-1);
    if (!own || value.consumers || using(filtersOf(tier), "api-key").length === 0) return [];
    return [
      {
        source: own,
        at: ["kv", "consumers"],
        message: "any gate with api-key can write here, and make a key of its own any consumer of any tier",
        remedy: "consumers: { key: … }, as `npx postern secrets consumers-key` prints it",
      },
    ];
  },
};
