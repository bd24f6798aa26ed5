/** Compares two filter chains: removed, added, changed and reordered filters, and their effect on access. */
import { isDeepStrictEqual } from "node:util";
import { forwardsIdentity, isEnforced } from "../../compiler/check/rules/enforced.ts";
import type { CheckedFilter } from "../../compiler/model/checked.ts";
import { joinSentences, quotedList, type Sentence, sentence } from "../core/sentence.ts";
import { alignChains, type FilterPair, findReplacements, hasSameId, type RouteChain } from "./chain-pairs.ts";
import { type Change, type ChangeLocation, changeLocation } from "./grade/change.ts";
import { listDifferences, multipliedFrom } from "./grade/differences.ts";
import { formatPart } from "./grade/format-part.ts";
import { callerGrading, type Grading, gradingOf } from "./grade/grading.ts";
import { describeMatchers } from "./grade/matchers.ts";
import { scalesOf } from "./grade/parts.ts";

export type ChangeDetail = Pick<Change, "kind" | "message" | "location">;

/** @param routeLocation where removed filters are reported */
export const compareChains = (before: RouteChain, after: RouteChain, routeLocation: ChangeLocation): ChangeDetail[] => {
  const aligned = alignChains(before, after);
  const [identityBefore, identityAfter] = [enforcedIdentity(before.chain), enforcedIdentity(after.chain)];
  const anonymous = identityBefore.length > 0 && identityAfter.length === 0;
  const replacements = anonymous ? [] : findReplacements(aligned);
  const replacedFilters = new Set(replacements.flatMap(({ before, after }) => [before, after]));
  const reported = (it: CheckedFilter): boolean => anonymous && it.spec.phase === "identity";
  return [
    ...(anonymous ? [identityRemoved(identityBefore, after, routeLocation)] : []),
    ...replacements.map(replacement),
    ...aligned.removed
      .filter((it) => !reported(it) && !replacedFilters.has(it))
      .map((it) => filterRemoved(it, routeLocation)),
    ...aligned.added.filter((it) => !replacedFilters.has(it)).map(filterAdded),
    ...aligned.pairs.filter(({ before }) => !reported(before)).flatMap((pair) => comparePair(pair, before, after)),
    ...compareOrder(aligned.pairs, before, after, routeLocation),
  ];
};

/** The enforced identity filters of a chain. */
export const enforcedIdentity = (chain: readonly CheckedFilter[]): CheckedFilter[] =>
  chain.filter((it) => it.spec.phase === "identity" && isEnforced(it));

const identityRemoved = (
  identityBefore: readonly CheckedFilter[],
  { chain }: RouteChain,
  routeLocation: ChangeLocation,
): ChangeDetail => {
  const unenforced = chain.filter((it) => it.spec.phase === "identity");
  const names = quotedList(identityBefore.map(({ use }) => use));
  const why: Sentence =
    unenforced.length > 0 ? [" is not enforced for all requests"] : [" is removed without a replacement"];
  return {
    kind: "identity-removed",
    message: ["callers are no longer identified: ", ...names, ...why],
    location: routeLocation,
  };
};

/** A filter's kind, with its id if that differs. */
const filterLabel = ({ id, use }: CheckedFilter): Sentence => {
  const localId = id.slice(id.lastIndexOf("/") + 1);
  return localId === use ? sentence`${use}` : sentence`${use} ${localId}`;
};

const replacement = ({ before, after }: FilterPair): ChangeDetail => ({
  kind: before.spec.phase === "identity" ? "identity-changed" : "access-changed",
  message: sentence`${formatPart(before)} is replaced by ${formatPart(after)}`,
  location: changeLocation(after.source, after.entry),
});

/** Whether a filter is enforced for any user. */
const isActive = ({ mode, percent }: CheckedFilter): boolean => mode === "enforce" && Number.parseFloat(percent) > 0;

const gradingOfFilter = (it: CheckedFilter): Grading =>
  forwardsIdentity(it) ? callerGrading : gradingOf(it.use, it.spec);

const filterRemoved = (it: CheckedFilter, routeLocation: ChangeLocation): ChangeDetail => {
  const message = sentence`${formatPart(it)} is dropped`;
  if (!isActive(it))
    return { kind: "filter-removed", message: [...message, ...describeInactive(it)], location: routeLocation };
  const identityNote: Sentence = forwardsIdentity(it) ? ["; clients can set these identity headers themselves"] : [];
  return { kind: gradingOfFilter(it).dropped, message: [...message, ...identityNote], location: routeLocation };
};

const describeInactive = ({ mode }: CheckedFilter): Sentence =>
  mode === "enforce" ? ["; it applied to no request"] : [`; it was ${modeNames[mode]}`];

const filterAdded = (it: CheckedFilter): ChangeDetail => ({
  kind: isActive(it) ? gradingOfFilter(it).added : "filter-added",
  message: [...sentence`${formatPart(it)} is added`, ...describeSettings(it)],
  location: changeLocation(it.source, it.entry),
});

const modeNames = { enforce: "enforced", shadow: "shadowed", off: "off" } as const;

/** A filter's mode, percent and `when`, if they are not the default. */
const describeSettings = ({ mode, percent, when }: CheckedFilter): Sentence => [
  ...(mode === "enforce" ? [] : [`, ${modeNames[mode]}`]),
  ...(percent === "100%" ? [] : [`, for ${percent} of users`]),
  ...(when.length === 0 ? [] : [", ", ...describeMatchers(when)]),
];

const comparePair = ({ before, after }: FilterPair, a: RouteChain, b: RouteChain): ChangeDetail[] => {
  const grading = gradingOfFilter(before);
  const location = changeLocation(after.source, after.entry);
  const found = listDifferences(configMap(before), configMap(after), scalesOf(after.spec));
  const all = [...found, ...comparePercent(before, after), ...compareWhen(before, after)];
  // For a filter that is not active, every change is just a change.
  const isInactive = !isActive(before) && !isActive(after);
  const kinds = Map.groupBy(all, ({ verdict }) => (isInactive ? "filter-changed" : grading[verdict]));
  const reported = [...kinds].map(([kind, sameKind]): ChangeDetail => {
    const message = joinSentences([filterLabel(after), joinSentences(sameKind.map((it) => it.message))], ": ");
    return { kind, message, location };
  });
  return [...compareMode(before, after, grading, location), ...reported, ...compareIds(before, after, a, b, location)];
};

const configMap = ({ config }: CheckedFilter): Record<string, unknown> =>
  typeof config === "object" && config !== null ? (config as Record<string, unknown>) : { value: config };

/** Compares the mode. Becoming active counts as added, becoming inactive as dropped. */
const compareMode = (
  before: CheckedFilter,
  after: CheckedFilter,
  grading: Grading,
  location: ChangeLocation,
): ChangeDetail[] => {
  if (before.mode === after.mode) return compareActivity(before, after, grading, location);
  const kind =
    isActive(before) === isActive(after) ? "filter-changed" : isActive(after) ? grading.added : grading.dropped;
  const message: Sentence =
    after.mode === "enforce"
      ? ["it is now enforced; it was ", modeNames[before.mode]]
      : [`it is ${modeNames[after.mode]} now, so it refuses no request`];
  return [{ kind, message: joinSentences([filterLabel(after), message], ": "), location }];
};

/** Compares activity by percent: 0% counts as dropped. */
const compareActivity = (
  before: CheckedFilter,
  after: CheckedFilter,
  grading: Grading,
  location: ChangeLocation,
): ChangeDetail[] => {
  if (isActive(before) === isActive(after)) return [];
  const kind = isActive(after) ? grading.added : grading.dropped;
  return [{ kind, message: joinSentences([filterLabel(after), describePercent(before, after)], ": "), location }];
};

const describePercent = (before: CheckedFilter, after: CheckedFilter): Sentence =>
  sentence`it applies to ${after.percent} of users; before: ${before.percent}`;

const modeOrder = ["off", "shadow", "enforce"] as const;

const comparePercent = (before: CheckedFilter, after: CheckedFilter) => {
  if (before.percent === after.percent) return [];
  // Reported as dropped or added.
  if (before.mode === after.mode && isActive(before) !== isActive(after)) return [];
  // A newly active filter is stronger, whatever its percent.
  const isNewlyActive = modeOrder.indexOf(after.mode) > modeOrder.indexOf(before.mode);
  const [percentBefore, percentAfter] = [before, after].map(({ percent }) => Number.parseFloat(percent)) as [
    number,
    number,
  ];
  const fewer = !isNewlyActive && percentAfter < percentBefore;
  const message = describePercent(before, after);
  // A tenth of the users counts as a tenfold weakening.
  const verdict = !fewer ? "stronger" : percentAfter * multipliedFrom <= percentBefore ? "multiplied" : "weaker";
  return [{ verdict, message } as const];
};

const compareWhen = (before: CheckedFilter, after: CheckedFilter) => {
  if (isDeepStrictEqual(before.when, after.when)) return [];
  if (after.when.length === 0)
    return [{ verdict: "stronger" as const, message: ["it now applies to every request"] as Sentence }];
  const message: Sentence = ["it now applies only to requests ", ...describeMatchers(after.when)];
  return [{ verdict: before.when.length === 0 ? ("weaker" as const) : ("other" as const), message }];
};

/** Reports a changed id, since counters use it. */
const compareIds = (
  before: CheckedFilter,
  after: CheckedFilter,
  a: RouteChain,
  b: RouteChain,
  location: ChangeLocation,
): ChangeDetail[] => {
  if (hasSameId(before, after, a, b)) return [];
  return [{ kind: "filter-renamed", message: sentence`${before.id} is renamed ${after.id}`, location }];
};

/** Reports filters whose order changed, among those with the same id. */
const compareOrder = (
  pairs: readonly FilterPair[],
  before: RouteChain,
  after: RouteChain,
  routeLocation: ChangeLocation,
): ChangeDetail[] => {
  const stable = pairs.filter((it) => hasSameId(it.before, it.after, before, after));
  const positionBefore = (it: FilterPair | undefined): number => (it ? before.chain.indexOf(it.before) : -1);
  return stable.flatMap((it, index): ChangeDetail[] => {
    const next = stable[index + 1];
    if (!next || positionBefore(next) > positionBefore(it)) return [];
    const message: Sentence = [...filterLabel(it.after), " now runs before ", ...filterLabel(next.after)];
    return [{ kind: "filters-reordered", message, location: routeLocation }];
  });
};
