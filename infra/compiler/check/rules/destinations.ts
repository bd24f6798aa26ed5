/** Rules for destinations: each route has one that exists, and every upstream is used. */
import { capturesIn } from "../../../../functions/gateway/routing/match.ts";
import type { Path } from "../../../diagnostics/locate.ts";
import type { Problem } from "../../../diagnostics/problem.ts";
import { choice } from "../../../diagnostics/schema-issues.ts";
import type { CheckedRoute, CheckedTier } from "../../model/checked.ts";
import { isBroken } from "../../model/salvage.ts";

export const checkDestinations = (tier: CheckedTier): Problem[] => [
  ...tier.routes.flatMap((route) => [
    ...checkSingleDestination(tier, route),
    ...checkNoEffect(tier, route),
    ...checkUpstreamNames(tier, route),
    ...checkConnections(tier, route),
  ]),
  ...checkUnusedUpstreams(tier),
  ...checkWebSocketAge(tier),
];

/** A limit of WebSockets in a tier without any. */
const checkWebSocketAge = ({ source, manifest, broken, routes, isComplete }: CheckedTier): Problem[] => {
  const isUnclear = !isComplete || isBroken(broken, "limits") || routes.some((it) => isBroken(it.broken, "upgrade"));
  if (isUnclear || manifest.limits["websocket-age"] === undefined) return [];
  if (routes.some(({ settings }) => settings.upgrade !== undefined)) return [];
  return [
    source.problem(["limits"], "no-effect", "no route becomes a WebSocket, so `websocket-age` has no effect", {
      key: "websocket-age",
      remedy: "remove it, or write `upgrade: websocket` on the route",
    }),
  ];
};

const destinations = ["to", "respond", "redirect"] as const;

const checkSingleDestination = ({ source }: CheckedTier, { name, writtenKeys, broken }: CheckedRoute): Problem[] => {
  const [first, ...more] = destinations.filter((key) => writtenKeys.has(key));
  // A misspelt key may have been meant as the destination.
  if (first === undefined && destinations.some((key) => isBroken(broken, key))) return [];
  if (first === undefined)
    return [
      source.problem(["routes"], "one-destination", `the route ${name} has no destination`, {
        key: name,
        remedy: "give it `to`, `respond` or `redirect`",
      }),
    ];
  return more.map((key) =>
    source.problem(["routes", name], "one-destination", `the route ${name} already has \`${first}\``, {
      key,
      remedy: "keep one of the two",
      related: [source.related(["routes", name], `\`${first}\` is here`, first)],
    }),
  );
};

/** Keys for calling an upstream, on a route without an upstream. */
const checkNoEffect = ({ source }: CheckedTier, route: CheckedRoute): Problem[] => {
  const { name, settings, segments, writtenKeys, broken } = route;
  const slashes =
    settings["encoded-slashes"] === "keep" && !isBroken(broken, "match") && capturesIn(segments).length === 0
      ? [
          source.problem(["routes", name], "no-effect", "the match captures nothing that could hold an encoded slash", {
            key: "encoded-slashes",
            remedy: "remove it, or capture what may have one: /objects/{key}",
          }),
        ]
      : [];
  const answer = (["respond", "redirect"] as const).find((key) => writtenKeys.has(key));
  if (!answer || writtenKeys.has("to") || isBroken(broken, "to")) return slashes;
  const ignoredKeys = (["path", "upgrade"] as const)
    .filter((key) => writtenKeys.has(key))
    .map((key) =>
      source.problem(["routes", name], "no-effect", `beside \`${answer}\`, \`${key}\` has no effect`, {
        key,
        remedy: "remove it: no upstream is called",
      }),
    );
  return [...slashes, ...ignoredKeys];
};

/** The upstreams that a route names, with their locations. */
const namedUpstreams = ({ name, settings: { to } }: CheckedRoute): { upstream: string; at: Path; key?: string }[] => {
  if (to === undefined) return [];
  const at = ["routes", name, "to"];
  if (typeof to === "string") return [{ upstream: to, at }];
  return to.flatMap((weighted, index) =>
    Object.keys(weighted).map((upstream) => ({ upstream, at: [...at, index], key: upstream })),
  );
};

/** The upstream of the old gateway (`cutover.legacy`), with its location. */
const legacyUpstream = ({
  name,
  settings: { cutover },
}: CheckedRoute): { upstream: string; at: Path; key?: string }[] =>
  cutover ? [{ upstream: cutover.legacy, at: ["routes", name, "cutover", "legacy"] }] : [];

const allUpstreams = (route: CheckedRoute) => [...namedUpstreams(route), ...legacyUpstream(route)];

/** False if `upstreams` itself is misspelt or broken. */
const hasKnownUpstreams = ({ broken }: CheckedTier): boolean =>
  !broken.some(([key, ...further]) => key === "upstreams" && further.length === 0);

const checkUpstreamNames = (tier: CheckedTier, route: CheckedRoute): Problem[] => {
  const { source, upstreamNames } = tier;
  const named = allUpstreams(route);
  return named.flatMap(({ upstream, at, key }, index) => {
    // An unresolved variable has been reported already.
    if (upstream.includes("${")) return [];
    if (!upstreamNames.includes(upstream) && !hasKnownUpstreams(tier)) return [];
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
          `${route.name} already has the destination "${upstream}", so its users would reach it without the filters`,
          {
            remedy: "name the old gateway, or remove `cutover`",
            related: [source.related(before.at, "the destination is here", before.key)],
          },
        ),
      ];
    return [
      source.problem(at, "duplicate-id", `"${upstream}" already has a weight`, {
        key,
        remedy: "give it one weight",
        related: [source.related(before.at, "its weight is here", before.key)],
      }),
    ];
  });
};

/** Whether the destination is unknown. A broken weight alone leaves the upstream's name known. */
const destinationIsBroken = ({ broken }: CheckedRoute): boolean =>
  broken.some(
    ([key, ...further]) =>
      (key === "to" && further.length < 2) || (key === "cutover" && (further.length === 0 || further[0] === "legacy")),
  );

const checkUnusedUpstreams = (tier: CheckedTier): Problem[] => {
  // A route with a broken or missing destination may be the one that uses the upstream.
  const isUncertain = tier.routes.some(
    (route) =>
      destinationIsBroken(route) ||
      destinations.every((key) => !route.writtenKeys.has(key)) ||
      allUpstreams(route).some(({ upstream }) => !tier.upstreamNames.includes(upstream)),
  );
  if (!tier.isComplete || isUncertain) return [];
  const used = new Set(tier.routes.flatMap((route) => allUpstreams(route).map(({ upstream }) => upstream)));
  return tier.upstreamNames
    .filter((name) => !used.has(name))
    .map((name) =>
      tier.source.problem(["upstreams"], "unused-upstream", `no route uses "${name}"`, {
        key: name,
        remedy: "remove it, or add a route to it",
      }),
    );
};

/** The platform's limit for one request (Workers, "Simultaneous open connections"). */
const openConnections = 6;

/** Guards run one after the other, so only the largest counts; a layer keeps its connections while everything after it runs. */
const checkConnections = ({ source, upstreams }: CheckedTier, route: CheckedRoute): Problem[] => {
  const needs = ({ spec, config }: CheckedRoute["chain"][number]) =>
    config === undefined ? 0 : (spec.connections?.(config) ?? 0);
  const max = (all: readonly number[]) => Math.max(0, ...all);
  const layers = route.chain.filter(({ spec }) => spec.kind === "layer").reduce((sum, it) => sum + needs(it), 0);
  const guards = max(route.chain.filter(({ spec }) => spec.kind === "guard").map(needs));
  const upstreamConnections = allUpstreams(route).map(({ upstream }) => {
    const it = Object.hasOwn(upstreams, upstream) ? upstreams[upstream] : undefined;
    return it ? (it.spec.connections?.(it.config) ?? 1) : 0;
  });
  const total = layers + Math.max(guards, max(upstreamConnections));
  if (total <= openConnections) return [];
  const largestFilter = route.chain.toSorted((a, b) => needs(b) - needs(a))[0];
  const message = `a request of ${route.name} could need ${total} open connections; the platform allows ${openConnections}`;
  return [
    source.problem(["routes", route.name], "too-many-connections", message, {
      key: "match",
      remedy: "use fewer layers and destinations that hold connections at the same time",
      related: largestFilter && [
        largestFilter.source.related(largestFilter.entry, `${largestFilter.use} takes ${needs(largestFilter)}`),
      ],
    }),
  ];
};
