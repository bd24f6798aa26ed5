/** Two chains of filters: which are gone, new, changed or elsewhere, and what that means for who gets in. */
import { isDeepStrictEqual } from "node:util";
import { isEnforced, speaksForCaller } from "../../compiler/check/rules/enforced.ts";
import type { CheckedFilter } from "../../compiler/model/checked.ts";
import { joined, list, type Sentence, say } from "../core/sentence.ts";
import { type Change, type Spot, spotOf } from "./grade/change.ts";
import { conditions } from "./grade/matchers.ts";
import { differences, manifold } from "./grade/differences.ts";
import { type Grading, gradingOf, speaking } from "./grade/grading.ts";
import { scalesOf } from "./grade/parts.ts";
import { written } from "./grade/format-part.ts";

export type Found = Pick<Change, "kind" | "says" | "spot">;

/** A filter beside the one that has its place in the other chain. */
interface Pair {
  readonly before: CheckedFilter;
  readonly after: CheckedFilter;
}

interface Aligned {
  readonly pairs: readonly Pair[];
  readonly gone: readonly CheckedFilter[];
  readonly added: readonly CheckedFilter[];
}

/** A route. */
interface Chained {
  readonly name: string;
  readonly chain: readonly CheckedFilter[];
}

/** @param where the route is written, for what is gone from it */
export const chainsDiffer = (before: Chained, after: Chained, where: Spot): Found[] => {
  const aligned = align(before, after);
  const [were, are] = [callersOf(before.chain), callersOf(after.chain)];
  const anonymous = were.length > 0 && are.length === 0;
  const exchanges = anonymous ? [] : exchangesIn(aligned);
  const exchanged = new Set(exchanges.flatMap(({ before, after }) => [before, after]));
  const told = (it: CheckedFilter): boolean => anonymous && it.about.phase === "identity";
  return [
    ...(anonymous ? [anonymity(were, after, where)] : []),
    ...exchanges.map(exchange),
    ...aligned.gone.filter((it) => !told(it) && !exchanged.has(it)).map((it) => removal(it, where)),
    ...aligned.added.filter((it) => !exchanged.has(it)).map(addition),
    ...aligned.pairs.filter(({ before }) => !told(before)).flatMap((pair) => pairDiffers(pair, before, after)),
    ...reordered(aligned.pairs, before, after, where),
  ];
};

/** What identifies callers, for everybody. */
export const callersOf = (chain: readonly CheckedFilter[]): CheckedFilter[] =>
  chain.filter((it) => it.about.phase === "identity" && isEnforced(it));

/** An id as it is written: without the route that adds it. */
const own = ({ id }: CheckedFilter, { name }: Chained): string =>
  id.startsWith(`${name}/`) ? id.slice(name.length + 1) : id;

const align = (before: Chained, after: Chained): Aligned => {
  const pairs: Pair[] = [];
  const gone = new Set(before.chain);
  const added = new Set(after.chain);
  const pair = (fits: (a: CheckedFilter, b: CheckedFilter) => boolean): void => {
    for (const a of gone)
      for (const b of added)
        if (gone.has(a) && a.use === b.use && fits(a, b)) {
          pairs.push({ before: a, after: b });
          gone.delete(a);
          added.delete(b);
        }
  };
  pair((a, b) => keepsId(a, b, before, after));
  pair((a, b) => isDeepStrictEqual(a.config, b.config));
  pair(() => true);
  const places = new Map(after.chain.map((it, index) => [it, index]));
  const at = ({ after }: Pair): number => places.get(after) ?? 0;
  return { pairs: pairs.toSorted((a, b) => at(a) - at(b)), gone: [...gone], added: [...added] };
};

const anonymity = (were: readonly CheckedFilter[], { chain }: Chained, where: Spot): Found => {
  const loose = chain.filter((it) => it.about.phase === "identity");
  const names = list(were.map(({ use }) => use));
  const why: Sentence =
    loose.length > 0 ? [" is not enforced for everybody"] : [" is dropped, and nothing takes its place"];
  return { kind: "identity-removed", says: ["no caller is identified any more: ", ...names, ...why], spot: where };
};

/** By its kind, and by its id where it has one of its own. */
const called = ({ id, use }: CheckedFilter): Sentence => {
  const own = id.slice(id.lastIndexOf("/") + 1);
  return own === use ? say`${use}` : say`${use} ${own}`;
};

/** Of what decides who gets in, one that is gone gives way to one that is new. */
const exchangesIn = ({ gone, added }: Aligned): Pair[] =>
  (["identity", "access"] as const).flatMap((phase) => {
    const [before, after] = [gone, added].map((all) => all.filter((it) => it.about.phase === phase && isEnforced(it)));
    return (before ?? []).flatMap((it, index): Pair[] => {
      const other = after?.[index];
      return other ? [{ before: it, after: other }] : [];
    });
  });

const exchange = ({ before, after }: Pair): Found => ({
  kind: before.about.phase === "identity" ? "identity-changed" : "access-changed",
  says: say`${written(before)} gives way to ${written(after)}`,
  spot: spotOf(after.source, after.entry),
});

const gradingFor = (it: CheckedFilter): Grading => (speaksForCaller(it) ? speaking : gradingOf(it.use, it.about));

/** One that is off, that meets nobody, or that decides nothing, is missed by nobody. */
const acts = ({ mode, percent }: CheckedFilter): boolean => mode === "enforce" && Number.parseFloat(percent) > 0;

const removal = (it: CheckedFilter, where: Spot): Found => {
  const says = say`${written(it)} is dropped`;
  if (!acts(it)) return { kind: "filter-removed", says: [...says, ...idleSays(it)], spot: where };
  const trusted: Sentence = speaksForCaller(it) ? ["; clients say themselves who they are to the service"] : [];
  return { kind: gradingFor(it).dropped, says: [...says, ...trusted], spot: where };
};

const idleSays = ({ mode }: CheckedFilter): Sentence =>
  mode === "enforce" ? ["; it met nobody"] : [`; it was ${modes[mode]}`];

const addition = (it: CheckedFilter): Found => ({
  kind: acts(it) ? gradingFor(it).added : "filter-added",
  says: [...say`${written(it)} is added`, ...besides(it)],
  spot: spotOf(it.source, it.entry),
});

const modes = { enforce: "enforced", shadow: "shadowed", off: "off" } as const;

/** How it acts, where that is not the usual way. */
const besides = ({ mode, percent, when }: CheckedFilter): Sentence => [
  ...(mode === "enforce" ? [] : [`, ${modes[mode]}`]),
  ...(percent === "100%" ? [] : [`, for ${percent} of users`]),
  ...(when.length === 0 ? [] : [", ", ...conditions(when)]),
];

const pairDiffers = ({ before, after }: Pair, a: Chained, b: Chained): Found[] => {
  const grading = gradingFor(before);
  const spot = spotOf(after.source, after.entry);
  const found = differences(configOf(before), configOf(after), scalesOf(after.about));
  const all = [...found, ...percentDiffers(before, after), ...whenDiffers(before, after)];
  // What decides nothing yet can only be told as a change.
  const idle = !acts(before) && !acts(after);
  const kinds = Map.groupBy(all, ({ verdict }) => (idle ? "filter-changed" : grading[verdict]));
  const told = [...kinds].map(([kind, some]): Found => {
    const says = joined([called(after), joined(some.map((it) => it.says))], ": ");
    return { kind, says, spot };
  });
  return [...modeDiffers(before, after, grading, spot), ...told, ...renamed(before, after, a, b, spot)];
};

const configOf = ({ config }: CheckedFilter): Record<string, unknown> =>
  typeof config === "object" && config !== null ? (config as Record<string, unknown>) : { value: config };

/** Whether it begins to act, which is as if it were new, or acts no more. */
const modeDiffers = (before: CheckedFilter, after: CheckedFilter, grading: Grading, spot: Spot): Found[] => {
  if (before.mode === after.mode) return meetsNobody(before, after, grading, spot);
  const kind = acts(before) === acts(after) ? "filter-changed" : acts(after) ? grading.added : grading.dropped;
  const says: Sentence =
    after.mode === "enforce"
      ? ["it is enforced now, and was ", modes[before.mode]]
      : [`it is ${modes[after.mode]} now, so it refuses nobody`];
  return [{ kind, says: joined([called(after), says], ": "), spot }];
};

/** To meet nobody is to be gone. */
const meetsNobody = (before: CheckedFilter, after: CheckedFilter, grading: Grading, spot: Spot): Found[] => {
  if (acts(before) === acts(after)) return [];
  const kind = acts(after) ? grading.added : grading.dropped;
  return [{ kind, says: joined([called(after), percentSays(before, after)], ": "), spot }];
};

const percentSays = (before: CheckedFilter, after: CheckedFilter): Sentence =>
  say`it meets ${after.percent} of users, and met ${before.percent}`;

const strictness = ["off", "shadow", "enforce"] as const;

const percentDiffers = (before: CheckedFilter, after: CheckedFilter) => {
  if (before.percent === after.percent) return [];
  // Told as if the filter were gone or new.
  if (before.mode === after.mode && acts(before) !== acts(after)) return [];
  // Where it begins to act, it meets some users more, however few.
  const begins = strictness.indexOf(after.mode) > strictness.indexOf(before.mode);
  const [was, is] = [before, after].map(({ percent }) => Number.parseFloat(percent)) as [number, number];
  const fewer = !begins && is < was;
  const says = percentSays(before, after);
  // A tenth of the users who are met are ten times as few.
  const verdict = !fewer ? "stronger" : is * manifold <= was ? "manifold" : "weaker";
  return [{ verdict, says } as const];
};

const whenDiffers = (before: CheckedFilter, after: CheckedFilter) => {
  if (isDeepStrictEqual(before.when, after.when)) return [];
  if (after.when.length === 0)
    return [{ verdict: "stronger" as const, says: ["it meets every request now"] as Sentence }];
  const says: Sentence = ["it meets only requests ", ...conditions(after.when)];
  return [{ verdict: before.when.length === 0 ? ("weaker" as const) : ("other" as const), says }];
};

/** Where a route is called otherwise, its own filters are too, and that is told of the route. */
const keepsId = (before: CheckedFilter, after: CheckedFilter, a: Chained, b: Chained): boolean =>
  before.id === after.id || (before.id.includes("/") === after.id.includes("/") && own(before, a) === own(after, b));

/** What counts, counts by its id. */
const renamed = (before: CheckedFilter, after: CheckedFilter, a: Chained, b: Chained, spot: Spot): Found[] => {
  if (keepsId(before, after, a, b)) return [];
  return [{ kind: "filter-renamed", says: say`${before.id} is called ${after.id}`, spot }];
};

/** Of those that have kept their place: what is called otherwise has been told. */
const reordered = (pairs: readonly Pair[], before: Chained, after: Chained, where: Spot): Found[] => {
  const kept = pairs.filter((it) => keepsId(it.before, it.after, before, after));
  const place = (it: Pair | undefined): number => (it ? before.chain.indexOf(it.before) : -1);
  return kept.flatMap((it, index): Found[] => {
    const next = kept[index + 1];
    if (!next || place(next) > place(it)) return [];
    const says: Sentence = [...called(it.after), " runs ahead of ", ...called(next.after), " now"];
    return [{ kind: "filters-reordered", says, spot: where }];
  });
};
