/** Pairs tiers and routes of two versions, by name or else by similarity. */
import { isDeepStrictEqual } from "node:util";
import { parseMatch } from "../../../../functions/gateway/routing/match.ts";
import type { EnvironmentModel, RouteModel, TierModel } from "./model.ts";

export interface Pairs<T> {
  readonly matched: readonly (readonly [before: T, after: T])[];
  readonly removed: readonly T[];
  readonly added: readonly T[];
}

/** Pairs items by name, then by similarity, the most similar first. */
const pairUp = <T>(
  before: readonly T[],
  after: readonly T[],
  nameOf: (it: T) => string,
  similarity: (a: T, b: T) => number,
): Pairs<T> => {
  const afterByName = new Map(after.map((it) => [nameOf(it), it]));
  const matched = before.flatMap((it): [T, T][] => {
    const same = afterByName.get(nameOf(it));
    return same === undefined ? [] : [[it, same]];
  });
  const matchedItems = new Set(matched.flat());
  const removed = new Set(before.filter((it) => !matchedItems.has(it)));
  const added = new Set(after.filter((it) => !matchedItems.has(it)));
  // Skips the quadratic comparison for a rewritten project.
  if (removed.size * added.size > maxComparisons) return { matched, removed: [...removed], added: [...added] };
  const scored = [...removed]
    .flatMap((a) => [...added].map((b) => ({ a, b, score: similarity(a, b) })))
    .filter(({ score }) => score >= minSimilarity)
    .toSorted((x, y) => y.score - x.score);
  const found: [T, T][] = [];
  for (const { a, b } of scored) {
    if (!removed.has(a) || !added.has(b)) continue;
    removed.delete(a);
    added.delete(b);
    found.push([a, b]);
  }
  return { matched: [...matched, ...found], removed: [...removed], added: [...added] };
};

const minSimilarity = 0.6;
const maxComparisons = 250_000;

export const pairTiers = (before: EnvironmentModel, after: EnvironmentModel): Pairs<TierModel> =>
  pairUp([...before.tiers.values()], [...after.tiers.values()], ({ name }) => name, tierSimilarity);

/** The share of routes with equal name and match. */
const tierSimilarity = (a: TierModel, b: TierModel): number => {
  const [left, right] = [routeKeys(a), routeKeys(b)];
  const common = [...left].filter((it) => right.has(it)).length;
  return common / Math.max(1, left.size, right.size);
};

const routeKeys = ({ routes }: TierModel): ReadonlySet<string> =>
  new Set(
    [...routes.values()].map(({ name, checked }) => JSON.stringify([name, checked.settings.match, checked.when])),
  );

/** Pairs routes within paired tiers, then across tiers. */
export const pairRoutes = (tiers: Pairs<TierModel>): Pairs<RouteModel> => {
  const within = tiers.matched.map(([before, after]) =>
    pairUp([...before.routes.values()], [...after.routes.values()], ({ name }) => name, routeSimilarity),
  );
  const removed = [
    ...within.flatMap((it) => it.removed),
    ...tiers.removed.flatMap(({ routes }) => [...routes.values()]),
  ];
  const added = [...within.flatMap((it) => it.added), ...tiers.added.flatMap(({ routes }) => [...routes.values()])];
  const between = pairUp(removed, added, ({ tier, name }) => `${tier}/${name}`, movedSimilarity);
  return {
    matched: [...within.flatMap((it) => it.matched), ...between.matched],
    removed: between.removed,
    added: between.added,
  };
};

/** Renamed routes have to have the same path. */
const routeSimilarity = (a: RouteModel, b: RouteModel): number => {
  const [left, right] = [parseMatch(a.checked.settings.match), parseMatch(b.checked.settings.match)];
  if (left.path !== right.path) return 0;
  const same = isDeepStrictEqual(left.methods, right.methods) && isDeepStrictEqual(a.checked.when, b.checked.when);
  const overlap = left.methods.some((it) => right.methods.includes(it));
  return same ? 0.6 + contentSimilarity(a, b) * 0.4 : overlap ? contentSimilarity(a, b) * 0.9 : 0;
};

/** A moved route has to have the same methods, full path and conditions. */
const movedSimilarity = (a: RouteModel, b: RouteModel): number => {
  const place = ({ checked }: RouteModel) => [checked.methods, checked.path, checked.when];
  return isDeepStrictEqual(place(a), place(b)) ? 0.6 + contentSimilarity(a, b) * 0.4 : 0;
};

/** Similarity of destination, path and filters, from 0 to 1. */
const contentSimilarity = (a: RouteModel, b: RouteModel): number => {
  const parts = [
    isDeepStrictEqual(a.plan.goes, b.plan.goes),
    a.plan.target === b.plan.target,
    isDeepStrictEqual(filterFingerprint(a), filterFingerprint(b)),
  ];
  return parts.filter(Boolean).length / parts.length;
};

const filterFingerprint = ({ name, checked }: RouteModel): unknown =>
  checked.chain.map(({ id, config, mode }) => [id.replace(`${name}/`, "/"), config, mode]);
