/** Which tier and which route of one version is which of the other: by name, or else by what they are. */
import { isDeepStrictEqual } from "node:util";
import { matchOf } from "../../../../functions/gateway/routing/match.ts";
import type { Picture, RoutePicture, TierPicture } from "./model.ts";

export interface Pairs<T> {
  readonly both: readonly (readonly [before: T, after: T])[];
  readonly gone: readonly T[];
  readonly added: readonly T[];
}

/** Pairs of what has one name, then of what is alike enough, the most alike first. */
const paired = <T>(
  before: readonly T[],
  after: readonly T[],
  nameOf: (it: T) => string,
  likeness: (a: T, b: T) => number,
): Pairs<T> => {
  const named = new Map(after.map((it) => [nameOf(it), it]));
  const both = before.flatMap((it): [T, T][] => {
    const same = named.get(nameOf(it));
    return same === undefined ? [] : [[it, same]];
  });
  const taken = new Set(both.flat());
  const gone = new Set(before.filter((it) => !taken.has(it)));
  const added = new Set(after.filter((it) => !taken.has(it)));
  // A rewritten project is told as such: to compare all with all of thousands takes too long.
  if (gone.size * added.size > mostComparisons) return { both, gone: [...gone], added: [...added] };
  const scored = [...gone]
    .flatMap((a) => [...added].map((b) => ({ a, b, score: likeness(a, b) })))
    .filter(({ score }) => score >= alike)
    .toSorted((x, y) => y.score - x.score);
  const found: [T, T][] = [];
  for (const { a, b } of scored) {
    if (!gone.has(a) || !added.has(b)) continue;
    gone.delete(a);
    added.delete(b);
    found.push([a, b]);
  }
  return { both: [...both, ...found], gone: [...gone], added: [...added] };
};

const alike = 0.6;
const mostComparisons = 250_000;

export const tierPairs = (before: Picture, after: Picture): Pairs<TierPicture> =>
  paired([...before.tiers.values()], [...after.tiers.values()], ({ name }) => name, tierLikeness);

/** Routes that they have in common, by name and match, as a share of all. */
const tierLikeness = (a: TierPicture, b: TierPicture): number => {
  const [left, right] = [keysOf(a), keysOf(b)];
  const common = [...left].filter((it) => right.has(it)).length;
  return common / Math.max(1, left.size, right.size);
};

const keysOf = ({ routes }: TierPicture): ReadonlySet<string> =>
  new Set(
    [...routes.values()].map(({ name, checked }) => JSON.stringify([name, checked.settings.match, checked.when])),
  );

/** Within tiers that are the same one, and then between all of them. */
export const routePairs = (tiers: Pairs<TierPicture>): Pairs<RoutePicture> => {
  const within = tiers.both.map(([before, after]) =>
    paired([...before.routes.values()], [...after.routes.values()], ({ name }) => name, routeLikeness),
  );
  const gone = [...within.flatMap((it) => it.gone), ...tiers.gone.flatMap(({ routes }) => [...routes.values()])];
  const added = [...within.flatMap((it) => it.added), ...tiers.added.flatMap(({ routes }) => [...routes.values()])];
  const between = paired(gone, added, ({ tier, name }) => `${tier}/${name}`, movedLikeness);
  return {
    both: [...within.flatMap((it) => it.both), ...between.both],
    gone: between.gone,
    added: between.added,
  };
};

/** A name is given to another route only where that takes the same requests, or those of the same path. */
const routeLikeness = (a: RoutePicture, b: RoutePicture): number => {
  const [left, right] = [matchOf(a.checked.settings.match), matchOf(b.checked.settings.match)];
  if (left.path !== right.path) return 0;
  const same = isDeepStrictEqual(left.methods, right.methods) && isDeepStrictEqual(a.checked.when, b.checked.when);
  const overlap = left.methods.some((it) => right.methods.includes(it));
  return same ? 0.6 + content(a, b) * 0.4 : overlap ? content(a, b) * 0.9 : 0;
};

/** A route that is found at the same place is the same one, whoever has it now. */
const movedLikeness = (a: RoutePicture, b: RoutePicture): number => {
  const place = ({ checked }: RoutePicture) => [checked.methods, checked.path, checked.when];
  return isDeepStrictEqual(place(a), place(b)) ? 0.6 + content(a, b) * 0.4 : 0;
};

/** How much of what they do is the same, from 0 to 1. */
const content = (a: RoutePicture, b: RoutePicture): number => {
  const parts = [
    isDeepStrictEqual(a.plan.goes, b.plan.goes),
    a.plan.target === b.plan.target,
    isDeepStrictEqual(filtersOf(a), filtersOf(b)),
  ];
  return parts.filter(Boolean).length / parts.length;
};

const filtersOf = ({ name, checked }: RoutePicture): unknown =>
  checked.chain.map(({ id, config, mode }) => [id.replace(`${name}/`, "/"), config, mode]);
