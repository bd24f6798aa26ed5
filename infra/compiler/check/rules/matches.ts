/** Rules for the matches of a tier: no duplicates, no ambiguity, none that can never match. */

import { capturesOf, type PathSegment } from "../../../../functions/gateway/routing/match.ts";
import type { Matcher } from "../../../../functions/gateway/routing/matchers.ts";
import { specificity } from "../../../../functions/gateway/routing/route-table.ts";
import type { Problem } from "../../../diagnostics/problem.ts";
import { canMatch, commonText } from "../../../patterns/pattern-overlap.ts";
import type { CheckedRoute, CheckedTier } from "../../model/checked.ts";
import { isBroken } from "../../model/salvage.ts";

export const checkMatches = (tier: CheckedTier): Problem[] => [
  ...tier.routes.filter(hasKnownMatch).flatMap((route) => checkReachable(tier, route)),
  ...similarRoutes(tier.routes.filter(hasKnownConditions)).flatMap((group) => checkCollisions(tier, group)),
];

const hasKnownMatch = ({ broken }: CheckedRoute): boolean => !isBroken(broken, "match");

/** Whether match, `when` and rank are all valid. */
const hasKnownConditions = (route: CheckedRoute): boolean =>
  hasKnownMatch(route) && !isBroken(route.broken, "when") && !isBroken(route.broken, "rank");

const checkReachable = ({ source }: CheckedTier, { name, segments }: CheckedRoute): Problem[] =>
  capturesOf(segments)
    .flatMap(({ pattern }) => (pattern !== undefined && !canMatch(pattern) ? [pattern] : []))
    .map((pattern) =>
      source.problem(["routes", name, "match"], "never-matches", `no segment of a path fits the pattern "${pattern}"`, {
        remedy: "a segment has at least one character, and no /, ; or space",
      }),
    );

/** Groups routes that differ at most in patterns or conditions: same kinds of segments, same literals. */
const similarRoutes = (routes: readonly CheckedRoute[]): CheckedRoute[][] => [
  ...Map.groupBy(routes, ({ segments }) => segments.map(kindOf).join("/")).values(),
];

/** Bounds the pairwise comparison. */
const maxSimilar = 32;

const checkCollisions = (tier: CheckedTier, group: readonly CheckedRoute[]): Problem[] => {
  const owners = new Map<string, CheckedRoute>();
  const problems: Problem[] = [];
  const distinct: CheckedRoute[] = [];
  for (const route of group) {
    const keys = route.methods.map((method) => JSON.stringify([method, shapeOf(route), route.when]));
    const owner = keys.map((key) => owners.get(key)).find(Boolean);
    if (owner) problems.push(duplicateMatch(tier, owner, route));
    else distinct.push(route);
    for (const key of keys) if (!owners.has(key)) owners.set(key, route);
  }
  // If the conditions of both are met, the rank decides.
  for (const sameRank of Map.groupBy(distinct, ({ settings }) => settings.rank).values()) {
    const [extra] = sameRank.slice(maxSimilar);
    if (extra) problems.push(tooManySimilar(tier, extra, sameRank.length));
    const compared = sameRank.slice(0, maxSimilar);
    for (const [index, second] of compared.entries())
      for (const first of compared.slice(0, index)) problems.push(...checkAmbiguity(tier, first, second));
  }
  return problems;
};

const duplicateMatch = ({ source }: CheckedTier, first: CheckedRoute, second: CheckedRoute): Problem =>
  source.problem(
    ["routes", second.name, "match"],
    "duplicate-match",
    `${second.name} matches the same requests as ${first.name}`,
    {
      remedy: "give it another path, method or condition, or remove one of the two",
      related: [source.related(["routes", first.name, "match"], `${first.name} is here`)],
    },
  );

const tooManySimilar = ({ source }: CheckedTier, { name }: CheckedRoute, count: number): Problem =>
  source.problem(
    ["routes", name, "match"],
    "ambiguous-match",
    `${count} routes differ only in their patterns, methods and conditions`,
    { remedy: `${maxSimilar} at most; give them different literal segments` },
  );

/** The kind of a segment. The router orders segments of different kinds by itself. */
const kindOf = (it: PathSegment): string => {
  if (it.kind === "literal") return it.text;
  if (it.kind === "rest") return it.optional ? "{/*}" : "{*}";
  if (it.kind === "mixed") return `{${specificity(it.template).join()}}`;
  return it.pattern === undefined ? "{}" : "{:}";
};

const checkAmbiguity = ({ source }: CheckedTier, first: CheckedRoute, second: CheckedRoute): Problem[] => {
  const method = second.methods.find((it) => first.methods.includes(it));
  if (method === undefined || second.when.some((a) => first.when.some((b) => areExclusive(a, b)))) return [];
  const samePatterns = JSON.stringify(shapeOf(first)) === JSON.stringify(shapeOf(second));
  if (samePatterns && first.when.length !== second.when.length) return [];
  const path = sharedPath(first.segments, second.segments);
  if (path === undefined) return [];
  const where = samePatterns ? ", when the conditions of both hold" : "";
  return [
    source.problem(
      ["routes", second.name, samePatterns ? "when" : "match"],
      "ambiguous-match",
      `${second.name} and ${first.name} both match ${method} ${path}${where}`,
      {
        remedy: samePatterns
          ? "give one of them a condition more, or a `rank`, or make their conditions exclude each other"
          : "make their patterns exclude each other, or give both the same one",
        related: [source.related(["routes", first.name, "match"], `${first.name} is here`)],
      },
    ),
  ];
};

const shapeOf = ({ segments }: CheckedRoute): unknown =>
  segments.map((it) => {
    if (it.kind === "literal") return it.text;
    if (it.kind === "rest") return [it.optional ? "/*" : "*"];
    return it.kind === "mixed" ? it.template : [it.pattern ?? ""];
  });

/** A path that both match, or undefined if their patterns exclude each other. Both have the same kinds of segments. */
const sharedPath = (a: readonly PathSegment[], b: readonly PathSegment[]): string | undefined => {
  const texts = a.map((left, index) => (left.kind === "rest" ? "rest" : commonText(left, b[index] as PathSegment)));
  return texts.includes(undefined) ? undefined : `/${texts.join("/")}`;
};

/** Whether no request can meet both conditions. */
const areExclusive = ([onA, nameA, isA, a]: Matcher, [onB, nameB, isB, b]: Matcher): boolean => {
  if (onA !== onB || nameA !== nameB) return false;
  if ((isA === "absent") !== (isB === "absent")) return true;
  if (isA === "exact") return !valueMatches(isB, b, a);
  if (isB === "exact") return !valueMatches(isA, a, b);
  return isA === "prefix" && isB === "prefix" && !a.startsWith(b) && !b.startsWith(a);
};

const valueMatches = (is: Matcher[2], value: string, text: string): boolean =>
  is === "exact"
    ? value === text
    : is === "prefix"
      ? text.startsWith(value)
      : is === "matches"
        ? new RegExp(`^(?:${value})$`).test(text)
        : is === "present";
