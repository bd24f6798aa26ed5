/** The matches of a tier: no two routes for one request, and none that no request has. */

import { capturesOf, type Segment } from "../../../../functions/gateway/routing/match.ts";
import type { Test } from "../../../../functions/gateway/routing/matchers.ts";
import { specificity } from "../../../../functions/gateway/routing/route-table.ts";
import type { Problem } from "../../../diagnostics/problem.ts";
import { canMatch, sharedText } from "../../../patterns/pattern-overlap.ts";
import type { CheckedRoute, CheckedTier } from "../../model/checked.ts";
import { touches } from "../../model/salvage.ts";

export const matchesHold = (tier: CheckedTier): Problem[] => [
  ...tier.routes.filter(matchIsKnown).flatMap((route) => canBeAsked(tier, route)),
  ...alike(tier.routes.filter(isKnown)).flatMap((group) => collisions(tier, group)),
];

const matchIsKnown = ({ broken }: CheckedRoute): boolean => !touches(broken, "match");

/** All that says which requests a route takes. */
const isKnown = (route: CheckedRoute): boolean =>
  matchIsKnown(route) && !touches(route.broken, "when") && !touches(route.broken, "rank");

const canBeAsked = ({ source }: CheckedTier, { name, segments }: CheckedRoute): Problem[] =>
  capturesOf(segments)
    .flatMap(({ pattern }) => (pattern !== undefined && !canMatch(pattern) ? [pattern] : []))
    .map((pattern) =>
      source.problem(["routes", name, "match"], "never-matches", `no segment of a path fits the pattern "${pattern}"`, {
        remedy: "a segment has at least one character, and no /, ; or space",
      }),
    );

/** Routes that only their patterns or conditions could tell apart: same kinds of segments, same literals. */
const alike = (routes: readonly CheckedRoute[]): CheckedRoute[][] => [
  ...Map.groupBy(routes, ({ segments }) => segments.map(kindOf).join("/")).values(),
];

/** More of them than anybody can tell apart; each is compared with each. */
const mostAlike = 32;

const collisions = (tier: CheckedTier, group: readonly CheckedRoute[]): Problem[] => {
  const owners = new Map<string, CheckedRoute>();
  const problems: Problem[] = [];
  const distinct: CheckedRoute[] = [];
  for (const route of group) {
    const keys = route.methods.map((method) => JSON.stringify([method, shapeOf(route), route.when]));
    const owner = keys.map((key) => owners.get(key)).find(Boolean);
    if (owner) problems.push(duplicate(tier, owner, route));
    else distinct.push(route);
    for (const key of keys) if (!owners.has(key)) owners.set(key, route);
  }
  // Where the conditions of both hold, the rank says which of two it is.
  for (const same of Map.groupBy(distinct, ({ settings }) => settings.rank).values()) {
    const [odd] = same.slice(mostAlike);
    if (odd) problems.push(tooManyAlike(tier, odd, same.length));
    const compared = same.slice(0, mostAlike);
    for (const [index, second] of compared.entries())
      for (const first of compared.slice(0, index)) problems.push(...ambiguity(tier, first, second));
  }
  return problems;
};

const duplicate = ({ source }: CheckedTier, first: CheckedRoute, second: CheckedRoute): Problem =>
  source.problem(
    ["routes", second.name, "match"],
    "duplicate-match",
    `${second.name} takes the same requests as ${first.name}`,
    {
      remedy: "give it another path, method or condition, or remove one of the two",
      related: [source.related(["routes", first.name, "match"], `${first.name} is here`)],
    },
  );

const tooManyAlike = ({ source }: CheckedTier, { name }: CheckedRoute, count: number): Problem =>
  source.problem(
    ["routes", name, "match"],
    "ambiguous-match",
    `${count} routes are told apart by nothing but their patterns, methods and conditions`,
    { remedy: `${mostAlike} at most; give them literals that differ` },
  );

/** Of two segments of different kinds, the router knows which to try first. */
const kindOf = (it: Segment): string => {
  if (it.kind === "literal") return it.text;
  if (it.kind === "rest") return it.optional ? "{/*}" : "{*}";
  if (it.kind === "mixed") return `{${specificity(it.cut).join()}}`;
  return it.pattern === undefined ? "{}" : "{:}";
};

const ambiguity = ({ source }: CheckedTier, first: CheckedRoute, second: CheckedRoute): Problem[] => {
  const method = second.methods.find((it) => first.methods.includes(it));
  if (method === undefined || second.when.some((a) => first.when.some((b) => exclude(a, b)))) return [];
  const samePatterns = JSON.stringify(shapeOf(first)) === JSON.stringify(shapeOf(second));
  if (samePatterns && first.when.length !== second.when.length) return [];
  const path = sharedPath(first.segments, second.segments);
  if (path === undefined) return [];
  const where = samePatterns ? ", where the conditions of both hold" : "";
  return [
    source.problem(
      ["routes", second.name, samePatterns ? "when" : "match"],
      "ambiguous-match",
      `${second.name} and ${first.name} both take ${method} ${path}${where}`,
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
    return it.kind === "mixed" ? it.cut : [it.pattern ?? ""];
  });

/** A path that both take, or undefined where their patterns exclude each other. Their kinds of segments are the same. */
const sharedPath = (a: readonly Segment[], b: readonly Segment[]): string | undefined => {
  const texts = a.map((left, index) => (left.kind === "rest" ? "rest" : sharedText(left, b[index] as Segment)));
  return texts.includes(undefined) ? undefined : `/${texts.join("/")}`;
};

/** Whether no request fulfils both. */
const exclude = ([onA, nameA, isA, a]: Test, [onB, nameB, isB, b]: Test): boolean => {
  if (onA !== onB || nameA !== nameB) return false;
  if ((isA === "absent") !== (isB === "absent")) return true;
  if (isA === "exact") return !takes(isB, b, a);
  if (isB === "exact") return !takes(isA, a, b);
  return isA === "prefix" && isB === "prefix" && !a.startsWith(b) && !b.startsWith(a);
};

const takes = (is: Test[2], value: string, text: string): boolean =>
  is === "exact"
    ? value === text
    : is === "prefix"
      ? text.startsWith(value)
      : is === "matches"
        ? new RegExp(`^(?:${value})$`).test(text)
        : is === "present";
