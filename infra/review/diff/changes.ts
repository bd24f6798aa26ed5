/** Lists all changes between two models: tiers and routes that are added, removed, renamed or changed. */
import { isDeepStrictEqual } from "node:util";
import { quotedList, type Sentence, sentence } from "../core/sentence.ts";
import { type ChangeDetail, enforcedIdentity } from "./chains.ts";
import { type Change, type ChangeLocation, changeLocation } from "./grade/change.ts";
import type { EnvironmentModel, RouteModel, TierModel } from "./picture/model.ts";
import { type Pairs, pairRoutes, pairTiers } from "./picture/pairs.ts";
import { findMovedRequests } from "./requests.ts";
import { compareRoutes, hasWriteMethod, isAnonymous, matchText, type RouteInTier, routeLocation } from "./routes.ts";
import { compareConsumers, compareSettings } from "./shared.ts";
import { compareTiers } from "./tiers.ts";
import { compareUpstreams } from "./upstreams.ts";

/** @param anyWorkerChanges whether any Worker is another one; settings that reach none of them change nothing */
export const listChanges = (before: EnvironmentModel, after: EnvironmentModel, anyWorkerChanges: boolean): Change[] => {
  const tiers = pairTiers(before, after);
  const routes = pairRoutes(tiers);
  const upstreams = new Map(tiers.matched.map(([a, b]) => [b.name, compareUpstreams(a, b)]));
  const placeRoute = ({ tiers }: EnvironmentModel, route: RouteModel): RouteInTier => ({
    tier: tiers.get(route.tier) as TierModel,
    route,
  });
  const pairs = routes.matched.map(([a, b]) => [placeRoute(before, a), placeRoute(after, b)] as const);
  return [
    ...tiers.removed.map((it) => tierRemoved(it, routes)),
    ...tiers.added.map((it) => tierAdded(it, routes)),
    ...tiers.matched.flatMap(([a, b]) => [
      ...(a.name === b.name ? [] : [tierRenamed(a, b)]),
      ...compareTiers(a, b).map((it) => ({ ...it, tier: b.name, routes: [] })),
      ...(upstreams.get(b.name)?.changes ?? []).map((it) => ({ ...it, tier: b.name })),
    ]),
    ...routes.removed.flatMap((it) =>
      tiers.removed.some(({ name }) => name === it.tier) ? [] : [routeRemoved(placeRoute(before, it), tiers)],
    ),
    ...routes.added.flatMap((it) =>
      routeAdded(
        placeRoute(after, it),
        tiers.added.some(({ name }) => name === it.tier),
      ),
    ),
    ...pairs.flatMap(([a, b]) => [
      ...compareNames(a, b, tiers),
      ...compareRoutes(
        a,
        b,
        hasChangedTier(a, b, tiers),
        upstreams.get(b.tier.name)?.currentName ?? ((name) => name),
      ).map((it) => routeChange(b, it)),
    ]),
    ...findMovedRequests(before, after, routes, {
      before: [...routes.removed, ...routes.matched.filter(hasNewMatch).map(([a]) => a)],
      after: [...routes.added, ...routes.matched.filter(hasNewMatch).map(([, b]) => b)],
    }),
    ...compareConsumers(before, after),
    ...(anyWorkerChanges ? compareSettings(before, after) : []),
  ];
};

const routeChange = ({ route }: RouteInTier, toChange: ChangeDetail): Change => ({
  ...toChange,
  tier: route.tier,
  routes: [route.name],
});

const hasNewMatch = ([{ checked: a }, { checked: b }]: readonly [RouteModel, RouteModel]): boolean =>
  !isDeepStrictEqual([a.methods, a.segments, a.when], [b.methods, b.segments, b.when]);

const tierLocation = ({ checked: { source } }: TierModel): ChangeLocation => changeLocation(source, [], "tier");

const tierRemoved = (it: TierModel, { matched }: Pairs<RouteModel>): Change => {
  const movedRoutes = new Map(matched.filter(([{ tier }]) => tier === it.name).map(([a, b]) => [a.name, b]));
  const removedRoutes = [...it.routes.keys()].filter((name) => !movedRoutes.has(name));
  const movedNames = quotedList(
    [...movedRoutes.values()].map(({ tier, name }) => `${tier}/${name}`),
    8,
  );
  const movedNote: Sentence = movedRoutes.size > 0 ? ["; its other routes are now ", ...movedNames] : [];
  return {
    kind: removedRoutes.length > 0 ? "tier-removed" : "tier-dissolved",
    tier: it.name,
    routes: [],
    message:
      removedRoutes.length > 0
        ? ["it is removed, with the routes ", ...quotedList(removedRoutes, 8), ...movedNote]
        : ["it is removed; its routes are now ", ...movedNames],
    location: tierLocation(it),
  };
};

const tierAdded = (it: TierModel, { matched }: Pairs<RouteModel>): Change => {
  const movedRoutes = new Set(matched.map(([, route]) => route));
  const addedRoutes = [...it.routes.values()].filter((route) => !movedRoutes.has(route)).map(({ name }) => name);
  const { hosts, base } = it.checked.manifest;
  const routes: Sentence = addedRoutes.length > 0 ? [", with ", ...quotedList(addedRoutes, 8)] : [];
  return {
    kind: "tier-added",
    tier: it.name,
    routes: [],
    message: [...sentence`it is new, on ${hosts.join(", ")} under ${base.path}`, ...routes],
    location: tierLocation(it),
  };
};

const tierRenamed = (a: TierModel, b: TierModel): Change => ({
  kind: "tier-renamed",
  tier: b.name,
  routes: [],
  message: sentence`it is renamed from ${a.name}: its gate is a new Worker, its secrets have to be set again, its counters are reset`,
  location: tierLocation(b),
});

const routeRemoved = (it: RouteInTier, { matched }: Pairs<TierModel>): Change => ({
  kind: "route-removed",
  tier: matched.find(([a]) => a.name === it.tier.name)?.[1].name ?? it.tier.name,
  routes: [it.route.name],
  message: sentence`it is removed; it matched ${matchText(it)}`,
  location: routeLocation(it),
});

/** @param isTierReported whether its tier is new, and lists it */
const routeAdded = (it: RouteInTier, isTierReported: boolean): Change[] => {
  const { methods, chain } = it.route.checked;
  const toChange = (kind: Change["kind"], message: Sentence): Change[] => [
    { kind, tier: it.tier.name, routes: [it.route.name], message, location: routeLocation(it) },
  ];
  const matchNote: Sentence = ["new route: ", ...sentence`${matchText(it)}`];
  if (isAnonymous(it)) {
    const openNote: Sentence = [...matchNote, ", without identification of callers"];
    return toChange(hasWriteMethod(methods) ? "write-exposed" : "read-exposed", openNote);
  }
  const identityFilters = enforcedIdentity(chain).map(({ use }) => use);
  const callerNote: Sentence =
    identityFilters.length > 0 ? [", behind ", ...quotedList(identityFilters)] : [", answered by the gate"];
  return isTierReported ? [] : toChange("route-added", [...matchNote, ...callerNote]);
};

const hasChangedTier = (a: RouteInTier, b: RouteInTier, { matched }: Pairs<TierModel>): boolean =>
  !matched.some(([x, y]) => x.name === a.tier.name && y.name === b.tier.name);

const compareNames = (a: RouteInTier, b: RouteInTier, tiers: Pairs<TierModel>): Change[] => {
  const { matched } = tiers;
  const [routeBefore, routeAfter] = [a.route, b.route];
  const previousTier = matched.find(([it]) => it.name === routeBefore.tier)?.[1];
  if (hasChangedTier(a, b, tiers))
    return [
      ...(previousTier
        ? [
            {
              kind: "route-moved",
              tier: previousTier.name,
              routes: [routeBefore.name],
              message: sentence`it is ${`${routeAfter.tier}/${routeAfter.name}`} now`,
              location: routeLocation(b),
            } as const,
          ]
        : []),
      routeChange(b, {
        kind: "route-moved",
        message: sentence`it was ${`${routeBefore.tier}/${routeBefore.name}`}: metrics, overlays and counters use the new name`,
        location: routeLocation(b),
      }),
    ];
  if (routeBefore.name === routeAfter.name) return [];
  return [
    routeChange(b, {
      kind: "route-renamed",
      message: sentence`it is renamed from ${routeBefore.name}: metrics, overlays and counters use the new name`,
      location: routeLocation(b),
    }),
  ];
};
