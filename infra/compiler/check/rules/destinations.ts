/** Where routes lead: each to one place that is there, and every upstream led to. */
import { capturesIn } from "../../../../functions/gateway/routing/match.ts";
import type { Path } from "../../../diagnostics/locate.ts";
import type { Problem } from "../../../diagnostics/problem.ts";
import { choice } from "../../../diagnostics/schema-issues.ts";
import type { CheckedRoute, CheckedTier } from "../../model/checked.ts";
import { touches } from "../../model/salvage.ts";

export const destinationsHold = (tier: CheckedTier): Problem[] => [
  ...tier.routes.flatMap((route) => [
    ...leadsToOnePlace(tier, route),
    ...keysHaveEffect(tier, route),
    ...upstreamsAreThere(tier, route),
    ...connectionsSuffice(tier, route),
  ]),
  ...upstreamsAreUsed(tier),
];

const destinations = ["to", "respond", "redirect"] as const;

const leadsToOnePlace = ({ source }: CheckedTier, { name, written, broken }: CheckedRoute): Problem[] => {
  const [first, ...more] = destinations.filter((key) => written.has(key));
  // A misspelt key may have been meant for one.
  if (first === undefined && destinations.some((key) => touches(broken, key))) return [];
  if (first === undefined)
    return [
      source.problem(["routes"], "one-destination", `the route ${name} leads nowhere`, {
        key: name,
        remedy: "give it `to`, `respond` or `redirect`",
      }),
    ];
  return more.map((key) =>
    source.problem(["routes", name], "one-destination", `the route ${name} has \`${first}\` already`, {
      key,
      remedy: "keep one of the two",
      related: [source.related(["routes", name], `\`${first}\` is here`, first)],
    }),
  );
};

/** Keys that say how an upstream is asked, on a route that asks none. */
const keysHaveEffect = ({ source }: CheckedTier, route: CheckedRoute): Problem[] => {
  const { name, settings, segments, written, broken } = route;
  const slashes =
    settings["encoded-slashes"] === "keep" && !touches(broken, "match") && capturesIn(segments).length === 0
      ? [
          source.problem(["routes", name], "no-effect", "the match captures nothing that could hold an encoded slash", {
            key: "encoded-slashes",
            remedy: "remove it, or capture what may have one: /objects/{key}",
          }),
        ]
      : [];
  const answer = (["respond", "redirect"] as const).find((key) => written.has(key));
  if (!answer || written.has("to") || touches(broken, "to")) return slashes;
  const asking = (["path", "upgrade"] as const)
    .filter((key) => written.has(key))
    .map((key) =>
      source.problem(["routes", name], "no-effect", `beside \`${answer}\`, \`${key}\` changes nothing`, {
        key,
        remedy: "remove it: no upstream is asked",
      }),
    );
  return [...slashes, ...asking];
};

/** The upstreams that a route names, and where. */
const upstreamsOfRoute = ({ name, settings: { to } }: CheckedRoute): { upstream: string; at: Path; key?: string }[] => {
  if (to === undefined) return [];
  const at = ["routes", name, "to"];
  if (typeof to === "string") return [{ upstream: to, at }];
  return to.flatMap((weighted, index) =>
    Object.keys(weighted).map((upstream) => ({ upstream, at: [...at, index], key: upstream })),
  );
};

/** The upstream that is the old gateway, and where it is named. */
const legacyOfRoute = ({
  name,
  settings: { cutover },
}: CheckedRoute): { upstream: string; at: Path; key?: string }[] =>
  cutover ? [{ upstream: cutover.legacy, at: ["routes", name, "cutover", "legacy"] }] : [];

const allOfRoute = (route: CheckedRoute) => [...upstreamsOfRoute(route), ...legacyOfRoute(route)];

/** Names under a misspelt or broken `upstreams` are not known. */
const namesAreKnown = ({ broken }: CheckedTier): boolean =>
  !broken.some(([key, ...further]) => key === "upstreams" && further.length === 0);

const upstreamsAreThere = (tier: CheckedTier, route: CheckedRoute): Problem[] => {
  const { source, upstreamNames } = tier;
  const named = allOfRoute(route);
  return named.flatMap(({ upstream, at, key }, index) => {
    // A variable that is not there has been reported.
    if (upstream.includes("${")) return [];
    if (!upstreamNames.includes(upstream) && !namesAreKnown(tier)) return [];
    if (!upstreamNames.includes(upstream))
      return [
        source.problem(at, "unknown-upstream", `the tier has no upstream "${upstream}"`, {
          key,
          remedy: choice(upstream, upstreamNames) ?? "declare it under `upstreams`",
        }),
      ];
    const before = named.slice(0, index).find((it) => it.upstream === upstream);
    if (!before) return [];
    if (at.includes("cutover"))
      return [
        source.problem(
          at,
          "cutover-to-itself",
          `${route.name} leads to "${upstream}" already, so its users would come there past its filters`,
          {
            remedy: "name the old gateway, or remove `cutover`",
            related: [source.related(before.at, "it leads there here", before.key)],
          },
        ),
      ];
    return [
      source.problem(at, "duplicate-id", `"${upstream}" has a weight already`, {
        key,
        remedy: "give it one weight",
        related: [source.related(before.at, "its weight is here", before.key)],
      }),
    ];
  });
};

/** A weight is broken without its upstream being unknown. */
const destinationIsBroken = ({ broken }: CheckedRoute): boolean =>
  broken.some(
    ([key, ...further]) =>
      (key === "to" && further.length < 2) || (key === "cutover" && (further.length === 0 || further[0] === "legacy")),
  );

const upstreamsAreUsed = (tier: CheckedTier): Problem[] => {
  // A route whose destination is broken, or that leads nowhere, may well be the one that goes there.
  const astray = tier.routes.some(
    (route) =>
      destinationIsBroken(route) ||
      destinations.every((key) => !route.written.has(key)) ||
      allOfRoute(route).some(({ upstream }) => !tier.upstreamNames.includes(upstream)),
  );
  if (!tier.whole || astray) return [];
  const used = new Set(tier.routes.flatMap((route) => allOfRoute(route).map(({ upstream }) => upstream)));
  return tier.upstreamNames
    .filter((name) => !used.has(name))
    .map((name) =>
      tier.source.problem(["upstreams"], "unused-upstream", `no route goes to "${name}"`, {
        key: name,
        remedy: "remove it, or route to it",
      }),
    );
};

/** What the platform gives one request (Workers, "Simultaneous open connections"). */
const openConnections = 6;

/** Guards run one after the other and are done before the next; a layer holds on to what it has while all behind it runs. */
const connectionsSuffice = ({ source, upstreams }: CheckedTier, route: CheckedRoute): Problem[] => {
  const needs = ({ about, config }: CheckedRoute["chain"][number]) =>
    config === undefined ? 0 : (about.connections?.(config) ?? 0);
  const most = (all: readonly number[]) => Math.max(0, ...all);
  const layers = route.chain.filter(({ about }) => about.kind === "layer").reduce((sum, it) => sum + needs(it), 0);
  const guards = most(route.chain.filter(({ about }) => about.kind === "guard").map(needs));
  const asked = allOfRoute(route).map(({ upstream }) => {
    const it = Object.hasOwn(upstreams, upstream) ? upstreams[upstream] : undefined;
    return it ? (it.about.connections?.(it.config) ?? 1) : 0;
  });
  const worst = layers + Math.max(guards, most(asked));
  if (worst <= openConnections) return [];
  const greediest = route.chain.toSorted((a, b) => needs(b) - needs(a))[0];
  const message = `a request of ${route.name} could need ${worst} open connections, and has ${openConnections}`;
  return [
    source.problem(["routes", route.name], "too-many-connections", message, {
      key: "match",
      remedy: "make it do less at a time",
      related: greediest && [greediest.source.related(greediest.entry, `${greediest.use} takes ${needs(greediest)}`)],
    }),
  ];
};
