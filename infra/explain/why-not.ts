/** Why a route does not match: the conditions that a request fails, and the nearest routes. */

import { distance } from "fastest-levenshtein";
import { hostFinder, hostOf } from "../../functions/gateway/http/hosts.ts";
import { canonicalPath, hasEncodedSlash } from "../../functions/gateway/http/path.ts";
import { preflightMethod } from "../../functions/gateway/http/preflight.ts";
import { formatSegment, type PathSegment } from "../../functions/gateway/routing/match.ts";
import { compileMatchers, type Matcher } from "../../functions/gateway/routing/matchers.ts";
import type { CheckedRoute, CheckedTier } from "../compiler/model/checked.ts";
import { segmentMatches } from "../patterns/pattern-overlap.ts";
import { fileAndLine } from "../review/effective/entries.ts";

export interface Mismatch {
  readonly condition: "host" | "path" | "method" | "when";
  /** `it takes POST, not GET` */
  readonly says: string;
  /** `routes/wallet.yaml:31` */
  readonly at: string;
}

export interface RouteMismatch {
  /** `wallet/transfer` */
  readonly route: string;
  readonly at: string;
  /** Empty if all conditions are met and a more specific route matches. */
  readonly failed: readonly Mismatch[];
}

/** Maximum number of routes shown. */
const maxRoutes = 3;

/** The routes that nearly match a request, the nearest first; empty if none is similar. */
export const nearestRoutes = (tiers: readonly CheckedTier[], request: Request): RouteMismatch[] => {
  const all = tiers
    .flatMap((tier) => tier.routes.map((route) => ({ tier, route, score: routeDistance(tier, route, request) })))
    .filter(({ score }) => score <= maxDistance)
    .toSorted((a, b) => a.score - b.score || (a.route.name < b.route.name ? -1 : 1));
  return all
    .filter(({ score }) => score <= (all[0]?.score ?? 0) + maxDifference)
    .slice(0, maxRoutes)
    .map(({ tier, route }) => mismatchOf(tier, route, request));
};

export const mismatchOf = (tier: CheckedTier, route: CheckedRoute, request: Request): RouteMismatch => {
  const { source, manifest } = tier;
  const at = ["routes", route.name];
  const match = fileAndLine(source, [...at, "match"]);
  const path = pathMismatch(route, request);
  return {
    route: `${manifest.tier}/${route.name}`,
    at: match,
    failed: [
      ...hostMismatch(tier, request),
      ...(path === undefined ? [] : [{ condition: "path" as const, says: path, at: match }]),
      ...(acceptsMethod(route, request)
        ? []
        : [
            {
              condition: "method" as const,
              says: `it takes ${route.methods.join(", ")}, not ${effectiveMethod(request)}`,
              at: match,
            },
          ]),
      ...failedMatchers(route.when, request).map(
        (test): Mismatch => ({
          condition: "when",
          says: `${describeMatcher(test)} is not met`,
          at: fileAndLine(source, [...at, "when", ...matcherPath(test)]),
        }),
      ),
    ],
  };
};

const hostMismatch = ({ source, manifest }: CheckedTier, request: Request): Mismatch[] => {
  const host = hostOf(new URL(request.url));
  if (isServed(manifest.hosts, host)) return [];
  const says = `it is served on ${manifest.hosts.join(", ")}, not on ${host}`;
  return [{ condition: "host", says, at: fileAndLine(source, ["hosts"]) }];
};

const isServed = (hosts: readonly string[], host: string): boolean =>
  hostFinder(hosts.map((it) => [it, true]))(host) === true;

const effectiveMethod = (request: Request): string => preflightMethod(request) ?? request.method;

const acceptsMethod = ({ methods }: CheckedRoute, request: Request): boolean => {
  const method = effectiveMethod(request);
  return methods.includes(method) || methods.includes("ANY") || (method === "HEAD" && methods.includes("GET"));
};

/** The matchers that a request does not meet. */
export const failedMatchers = (tests: readonly Matcher[], request: Request): Matcher[] =>
  tests.filter((test) => !compileMatchers([test])(request, new URL(request.url)));

/** `header x-beta: present` */
export const describeMatcher = ([on, name, is, value]: Matcher): string => {
  const subject = name === "" ? on : `${on} ${name}`;
  if (value === "") return `${subject} ${is}`;
  return `${subject} ${is === "exact" ? "is" : is} ${JSON.stringify(value)}`;
};

/** All conditions of a route in one cell of a table; `-` for none. */
export const describeWhen = (when: readonly Matcher[]): string => when.map(describeMatcher).join(", ") || "-";

/** The path of a matcher within its `when`. */
export const matcherPath = ([on, name]: Matcher): string[] => (name === "" ? [on] : [on, name]);

const pathSegments = (request: Request): string[] | undefined => {
  const path = canonicalPath(new URL(request.url).pathname, "keep");
  if (path === undefined) return undefined;
  return path === "/" ? [] : path.slice(1).split("/");
};

/** Describes the first segment that does not match; undefined if the path matches. */
const pathMismatch = ({ segments, settings }: CheckedRoute, request: Request): string | undefined => {
  const requestSegments = pathSegments(request);
  if (requestSegments === undefined) return "the path is ambiguous, so no route takes it";
  if (requestSegments.some(hasEncodedSlash) && settings["encoded-slashes"] === "refuse")
    return "the path has an encoded slash (%2F), which a route takes that says encoded-slashes: keep";
  for (const [index, segment] of segments.entries()) {
    const text = requestSegments[index];
    if (segment.kind === "rest" && (text !== undefined || segment.optional)) return undefined;
    const expected = formatSegment(segment);
    if (text === undefined)
      return expected === "" ? "the path has no slash at its end" : `the path ends ahead of /${expected}`;
    if (!segmentMatches(segment, text))
      return `segment ${index + 1} is ${JSON.stringify(text)}, ${describeSegmentMismatch(segment, expected)}`;
  }
  const rest = requestSegments.slice(segments.length);
  if (rest.length === 1 && rest[0] === "") return "the path has a slash at its end, which is a different path";
  return rest.length === 0 ? undefined : `the path goes on with /${rest.join("/")}`;
};

const describeSegmentMismatch = ({ kind }: PathSegment, expected: string): string => {
  if (expected === "") return "but the path should end there";
  return kind === "literal" ? `not ${expected}` : `which does not fit ${expected}`;
};

/** Maximum distance, in path segments; other conditions count less, the host counts one. */
const maxDistance = 2;
/** Maximum distance from the nearest route. */
const maxDifference = 0.5;

const routeDistance = (tier: CheckedTier, route: CheckedRoute, request: Request): number => {
  const host = isServed(tier.manifest.hosts, hostOf(new URL(request.url))) ? 0 : 1;
  const method = acceptsMethod(route, request) ? 0 : 0.3;
  return (
    host +
    method +
    0.2 * failedMatchers(route.when, request).length +
    pathDistance(route.segments, pathSegments(request) ?? guessSegments(request))
  );
};

/** Segments that an ambiguous path was probably meant to have. */
const guessSegments = (request: Request): string[] =>
  new URL(request.url).pathname
    .replaceAll(/%(?:25)*2f|%(?:25)*5c|;/gi, "/")
    .split("/")
    .filter((it) => it !== "");

/** Cost of a missing or additional segment. */
const gapCost = 0.8;

/** Levenshtein distance over segments, with partial costs for similar segments. */
const pathDistance = (segments: readonly PathSegment[], requestSegments: readonly string[]): number => {
  let row = [0, ...requestSegments.map((_, index) => gapCost * (index + 1))];
  for (const [index, segment] of segments.entries()) {
    const before = row;
    row = [gapCost * (index + 1)];
    for (const [at, text] of requestSegments.entries()) {
      const replaced = (before[at] ?? 0) + segmentDistance(segment, text);
      // A rest segment matches any number of segments.
      const more = (row[at] ?? 0) + (segment.kind === "rest" ? 0 : gapCost);
      row.push(Math.min(replaced, (before[at + 1] ?? 0) + gapCost, more));
    }
  }
  return row.at(-1) ?? 0;
};

/** From 0 (matches) to 1 (nothing in common). */
const segmentDistance = (segment: PathSegment, text: string): number => {
  if (segmentMatches(segment, text)) return 0;
  if (segment.kind !== "literal") return 0.6;
  return distance(segment.text, text) / Math.max(segment.text.length, text.length);
};
