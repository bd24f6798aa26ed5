/** What rules ask of routes and their filters. */
import { isDeepStrictEqual } from "node:util";
import type { spec as apiKey } from "../../../../functions/filters/api-key.ts";
import type { spec as bodyLimit } from "../../../../functions/filters/body-limit.ts";
import type { spec as cors } from "../../../../functions/filters/cors.ts";
import type { spec as headers } from "../../../../functions/filters/headers.ts";
import type { spec as ip } from "../../../../functions/filters/ip.ts";
import type { spec as jwt } from "../../../../functions/filters/jwt.ts";
import type { spec as rateLimit } from "../../../../functions/filters/rate-limit.ts";
import type { spec as redirect } from "../../../../functions/filters/redirect.ts";
import type { spec as secureHeaders } from "../../../../functions/filters/secure-headers.ts";
import type { spec as signature } from "../../../../functions/filters/signature.ts";
import type { spec as timeout } from "../../../../functions/filters/timeout.ts";
import type { Config } from "../../../../functions/gateway/part.ts";
import { isEnforced } from "../../../compiler/check/rules/enforced.ts";
import type { CheckedFilter, CheckedRoute, CheckedTier } from "../../../compiler/model/checked.ts";
import type { Related } from "../../../diagnostics/problem.ts";

interface Configs {
  readonly "api-key": Config<typeof apiKey>;
  readonly "body-limit": Config<typeof bodyLimit>;
  readonly cors: Config<typeof cors>;
  readonly headers: Config<typeof headers>;
  readonly ip: Config<typeof ip>;
  readonly jwt: Config<typeof jwt>;
  readonly "rate-limit": Config<typeof rateLimit>;
  readonly redirect: Config<typeof redirect>;
  readonly "secure-headers": Config<typeof secureHeaders>;
  readonly signature: Config<typeof signature>;
  readonly timeout: Config<typeof timeout>;
}

export type Using<Kind extends keyof Configs> = CheckedFilter & { readonly config: Configs[Kind] };

/** The filters of one kind that do something. */
export const using = <Kind extends keyof Configs>(chain: readonly CheckedFilter[], kind: Kind): Using<Kind>[] =>
  chain.filter((it): it is Using<Kind> => it.use === kind && it.mode !== "off");

/** Every filter that a route has, each once. */
export const filtersOf = ({ routes }: CheckedTier): CheckedFilter[] => [
  ...new Set(routes.flatMap(({ chain }) => chain)),
];

/** Upstreams that a route's filters stand ahead of. */
export const upstreamsOf = ({ settings: { to } }: CheckedRoute): string[] =>
  typeof to === "string" ? [to] : (to ?? []).flatMap((it) => Object.keys(it));

/** The services behind them: two upstreams may be one, by its URL or its Worker's name. */
const servicesOf = ({ upstreams }: CheckedTier, route: CheckedRoute): string[] =>
  upstreamsOf(route).map((name) => {
    const { use, config } = upstreams[name] ?? {};
    const { url, service } = (config ?? {}) as { readonly url?: string; readonly service?: string };
    if (url === undefined) return `${use} ${service ?? name}`;
    const { host, pathname } = new URL(url);
    return host + pathname.replace(/\/$/, "");
  });

export const asksService = (route: CheckedRoute): boolean => upstreamsOf(route).length > 0;

const writing = ["POST", "PUT", "PATCH", "DELETE", "ANY"];

/** Methods by which something is changed. */
export const writesOf = ({ methods }: CheckedRoute): string[] => methods.filter((it) => writing.includes(it));

export const identifies = (filter: CheckedFilter): boolean => filter.about.phase === "identity" && isEnforced(filter);

/** A route, and one beside it that asks the same service and lacks some of its guards of identity and access. */
export interface Unguarded {
  readonly guarded: CheckedRoute;
  readonly other: CheckedRoute;
  readonly lacking: readonly CheckedFilter[];
}

/** Of a thousand routes with the same guards none lacks any, so routes are compared group by group. */
export const unguarded = (tier: CheckedTier): Unguarded[] => {
  const { routes } = tier;
  const services = new Map(routes.map((route) => [route, servicesOf(tier, route)]));
  const share = (a: CheckedRoute, b: CheckedRoute): boolean =>
    services.get(a)?.some((it) => services.get(b)?.includes(it)) === true;
  const groups = [
    ...Map.groupBy(routes, ({ chain }) => JSON.stringify(chain.filter(guards).map(({ id }) => id))).values(),
  ];
  return groups.flatMap((some) =>
    groups.flatMap((others) => {
      const lacking = lackedBy(others[0] as CheckedRoute, some[0] as CheckedRoute);
      if (lacking.length === 0) return [];
      return some.flatMap((guarded) =>
        others.filter((other) => share(guarded, other)).map((other) => ({ guarded, other, lacking })),
      );
    }),
  );
};

/** A guard that is written once more with the same settings is no other. */
const lackedBy = (other: CheckedRoute, { chain }: CheckedRoute): CheckedFilter[] => {
  const own = other.chain.filter(guards);
  const isSame = (a: CheckedFilter, b: CheckedFilter): boolean =>
    a.id === b.id || (a.use === b.use && isDeepStrictEqual(a.config, b.config));
  return chain.filter((it) => guards(it) && !own.some((one) => isSame(it, one)));
};

const guards = (it: CheckedFilter): boolean =>
  isEnforced(it) && (it.about.phase === "identity" || it.about.phase === "access");

/** Only some addresses get in. */
export const allowsAddresses = ({ chain }: CheckedRoute): boolean =>
  using(chain, "ip").some((it) => isEnforced(it) && it.config.allow !== undefined);

/** Nothing keeps a stranger out. */
export const isPublic = (route: CheckedRoute): boolean => !route.chain.some(identifies) && !allowsAddresses(route);

export const isLimit = ({ about, mode }: CheckedFilter): boolean => about.phase === "limits" && mode === "enforce";

/** Where a token may stand, the first of them first. */
export const placesOf = ({ from }: Configs["jwt"]): readonly string[] => [from].flat();

/** Where a route drops what would have been there. */
export const droppedHere = (
  { source, shared }: CheckedTier,
  { name, settings }: CheckedRoute,
  fits: (filter: CheckedFilter) => boolean,
): Related[] =>
  shared.filters
    .filter((it) => fits(it) && settings.without.includes(it.id))
    .map(({ id }) =>
      source.related(["routes", name, "without", settings.without.indexOf(id)], `${name} drops ${id} here`),
    );

/** Headers that a filter edits in the request that the service sees. */
export const requestEdits = (chain: readonly CheckedFilter[]) =>
  using(chain, "headers")
    .filter(isEnforced)
    .map((filter) => ({ filter, ...filter.config.request }));

/** `a, b and c` */
export const listed = (words: readonly string[]): string =>
  words.length > 1 ? `${words.slice(0, -1).join(", ")} and ${words.at(-1)}` : words.join();
