/** All changes between two pictures: tiers and routes that are new, gone, called otherwise or different. */
import { isDeepStrictEqual } from "node:util";
import { list, type Sentence, say } from "../core/sentence.ts";
import { callersOf, type Found } from "./chains.ts";
import { type Change, type Spot, spotOf } from "./grade/change.ts";
import { type Pairs, routePairs, tierPairs } from "./picture/pairs.ts";
import type { Picture, RoutePicture, TierPicture } from "./picture/model.ts";
import { requestsMove } from "./requests.ts";
import { isOpen, type Placed, routeSpot, routesDiffer, writes, writtenMatch } from "./routes.ts";
import { consumersDiffer, settingsDiffer } from "./shared.ts";
import { tiersDiffer } from "./tiers.ts";
import { upstreamsDiffer } from "./upstreams.ts";

/** @param effective whether any Worker is another one; settings that reach none of them change nothing */
export const changesOf = (before: Picture, after: Picture, effective: boolean): Change[] => {
  const tiers = tierPairs(before, after);
  const routes = routePairs(tiers);
  const upstreams = new Map(tiers.both.map(([a, b]) => [b.name, upstreamsDiffer(a, b)]));
  const placed = ({ tiers }: Picture, route: RoutePicture): Placed => ({
    tier: tiers.get(route.tier) as TierPicture,
    route,
  });
  const pairs = routes.both.map(([a, b]) => [placed(before, a), placed(after, b)] as const);
  return [
    ...tiers.gone.map((it) => tierGone(it, routes)),
    ...tiers.added.map((it) => tierAdded(it, routes)),
    ...tiers.both.flatMap(([a, b]) => [
      ...(a.name === b.name ? [] : [tierRenamed(a, b)]),
      ...tiersDiffer(a, b).map((it) => ({ ...it, tier: b.name, routes: [] })),
      ...(upstreams.get(b.name)?.found ?? []).map((it) => ({ ...it, tier: b.name })),
    ]),
    ...routes.gone.flatMap((it) =>
      tiers.gone.some(({ name }) => name === it.tier) ? [] : [routeGone(placed(before, it), tiers)],
    ),
    ...routes.added.flatMap((it) =>
      routeAdded(
        placed(after, it),
        tiers.added.some(({ name }) => name === it.tier),
      ),
    ),
    ...pairs.flatMap(([a, b]) => [
      ...named(a, b, tiers),
      ...routesDiffer(a, b, hasMoved(a, b, tiers), upstreams.get(b.tier.name)?.now ?? ((name) => name)).map((it) =>
        ofRoute(b, it),
      ),
    ]),
    ...requestsMove(before, after, routes, {
      before: [...routes.gone, ...routes.both.filter(matchedAnew).map(([a]) => a)],
      after: [...routes.added, ...routes.both.filter(matchedAnew).map(([, b]) => b)],
    }),
    ...consumersDiffer(before, after),
    ...(effective ? settingsDiffer(before, after) : []),
  ];
};

const ofRoute = ({ route }: Placed, found: Found): Change => ({ ...found, tier: route.tier, routes: [route.name] });

const matchedAnew = ([{ checked: a }, { checked: b }]: readonly [RoutePicture, RoutePicture]): boolean =>
  !isDeepStrictEqual([a.methods, a.segments, a.when], [b.methods, b.segments, b.when]);

const tierSpot = ({ checked: { source } }: TierPicture): Spot => spotOf(source, [], "tier");

const tierGone = (it: TierPicture, { both }: Pairs<RoutePicture>): Change => {
  const moved = new Map(both.filter(([{ tier }]) => tier === it.name).map(([a, b]) => [a.name, b]));
  const lost = [...it.routes.keys()].filter((name) => !moved.has(name));
  const elsewhere = list(
    [...moved.values()].map(({ tier, name }) => `${tier}/${name}`),
    8,
  );
  const stay: Sentence = moved.size > 0 ? ["; what it had besides is ", ...elsewhere, " now"] : [];
  return {
    kind: lost.length > 0 ? "tier-removed" : "tier-dissolved",
    tier: it.name,
    routes: [],
    says:
      lost.length > 0
        ? ["it is gone, with ", ...list(lost, 8), ...stay]
        : ["it is gone, and all that it had is ", ...elsewhere, " now"],
    spot: tierSpot(it),
  };
};

const tierAdded = (it: TierPicture, { both }: Pairs<RoutePicture>): Change => {
  const moved = new Set(both.map(([, route]) => route));
  const own = [...it.routes.values()].filter((route) => !moved.has(route)).map(({ name }) => name);
  const { hosts, base } = it.checked.manifest;
  const routes: Sentence = own.length > 0 ? [", with ", ...list(own, 8)] : [];
  return {
    kind: "tier-added",
    tier: it.name,
    routes: [],
    says: [...say`it is new, on ${hosts.join(", ")} under ${base}`, ...routes],
    spot: tierSpot(it),
  };
};

const tierRenamed = (a: TierPicture, b: TierPicture): Change => ({
  kind: "tier-renamed",
  tier: b.name,
  routes: [],
  says: say`it was called ${a.name}: its gate is a new Worker, its secrets have to be set for it, its counts begin anew`,
  spot: tierSpot(b),
});

const routeGone = (it: Placed, { both }: Pairs<TierPicture>): Change => ({
  kind: "route-removed",
  tier: both.find(([a]) => a.name === it.tier.name)?.[1].name ?? it.tier.name,
  routes: [it.route.name],
  says: say`it is gone, and took ${writtenMatch(it)}`,
  spot: routeSpot(it),
});

/** @param told whether its tier is new, and lists it */
const routeAdded = (it: Placed, told: boolean): Change[] => {
  const { methods, chain } = it.route.checked;
  const found = (kind: Change["kind"], says: Sentence): Change[] => [
    { kind, tier: it.tier.name, routes: [it.route.name], says, spot: routeSpot(it) },
  ];
  const takes: Sentence = ["it is new: ", ...say`${writtenMatch(it)}`];
  if (isOpen(it)) {
    const open: Sentence = [...takes, ", and nothing identifies callers"];
    return found(writes(methods) ? "write-exposed" : "read-exposed", open);
  }
  const callers = callersOf(chain).map(({ use }) => use);
  const who: Sentence = callers.length > 0 ? [", behind ", ...list(callers)] : [", answered by the gate itself"];
  return told ? [] : found("route-added", [...takes, ...who]);
};

const hasMoved = (a: Placed, b: Placed, { both }: Pairs<TierPicture>): boolean =>
  !both.some(([x, y]) => x.name === a.tier.name && y.name === b.tier.name);

const named = (a: Placed, b: Placed, tiers: Pairs<TierPicture>): Change[] => {
  const { both } = tiers;
  const [old, now] = [a.route, b.route];
  const left = both.find(([it]) => it.name === old.tier)?.[1];
  if (hasMoved(a, b, tiers))
    return [
      ...(left
        ? [
            {
              kind: "route-moved",
              tier: left.name,
              routes: [old.name],
              says: say`it is ${`${now.tier}/${now.name}`} now`,
              spot: routeSpot(b),
            } as const,
          ]
        : []),
      ofRoute(b, {
        kind: "route-moved",
        says: say`it was ${`${old.tier}/${old.name}`}: metrics, overlays and counts go by the new name`,
        spot: routeSpot(b),
      }),
    ];
  if (old.name === now.name) return [];
  return [
    ofRoute(b, {
      kind: "route-renamed",
      says: say`it was called ${old.name}: metrics, overlays and counts go by the new name`,
      spot: routeSpot(b),
    }),
  ];
};
