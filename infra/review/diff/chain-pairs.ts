/** Finds the counterpart of each filter between two chains: by id, by settings, or by kind. */
import { isDeepStrictEqual } from "node:util";
import { isEnforced } from "../../compiler/check/rules/enforced.ts";
import type { CheckedFilter } from "../../compiler/model/checked.ts";

/** A filter and its counterpart in the other chain. */
export interface FilterPair {
  readonly before: CheckedFilter;
  readonly after: CheckedFilter;
}

export interface AlignedChains {
  readonly pairs: readonly FilterPair[];
  readonly removed: readonly CheckedFilter[];
  readonly added: readonly CheckedFilter[];
}

/** A route and its filters. */
export interface RouteChain {
  readonly name: string;
  readonly chain: readonly CheckedFilter[];
}

export const alignChains = (before: RouteChain, after: RouteChain): AlignedChains => {
  const pairs: FilterPair[] = [];
  const removed = new Set(before.chain);
  const added = new Set(after.chain);
  const pair = (matches: (a: CheckedFilter, b: CheckedFilter) => boolean): void => {
    for (const a of removed)
      for (const b of added)
        if (removed.has(a) && a.use === b.use && matches(a, b)) {
          pairs.push({ before: a, after: b });
          removed.delete(a);
          added.delete(b);
        }
  };
  pair((a, b) => hasSameId(a, b, before, after));
  pair((a, b) => isDeepStrictEqual(a.config, b.config));
  pair(() => true);
  const places = new Map(after.chain.map((it, index) => [it, index]));
  const positionAfter = ({ after }: FilterPair): number => places.get(after) ?? 0;
  return {
    pairs: pairs.toSorted((a, b) => positionAfter(a) - positionAfter(b)),
    removed: [...removed],
    added: [...added],
  };
};

/** Pairs removed and added identity or access filters as replacements. */
export const findReplacements = ({ removed, added }: AlignedChains): FilterPair[] =>
  (["identity", "access"] as const).flatMap((phase) => {
    const [before, after] = [removed, added].map((all) =>
      all.filter((it) => it.spec.phase === phase && isEnforced(it)),
    );
    return (before ?? []).flatMap((it, index): FilterPair[] => {
      const counterpart = after?.[index];
      return counterpart ? [{ before: it, after: counterpart }] : [];
    });
  });

/** Whether the id is the same. A renamed route renames its own filters; that is reported for the route. */
export const hasSameId = (before: CheckedFilter, after: CheckedFilter, a: RouteChain, b: RouteChain): boolean =>
  before.id === after.id ||
  (before.id.includes("/") === after.id.includes("/") && localId(before, a) === localId(after, b));

/** A filter's id without the route prefix. */
const localId = ({ id }: CheckedFilter, { name }: RouteChain): string =>
  id.startsWith(`${name}/`) ? id.slice(name.length + 1) : id;
