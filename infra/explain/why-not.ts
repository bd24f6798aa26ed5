/** Why not this route: which of a route's conditions a request does not fulfil, and which routes it misses by least. */

import { distance } from "fastest-levenshtein";
import { hostFinder, hostOf } from "../../functions/gateway/http/hosts.ts";
import { canonicalPath, hasEncodedSlash } from "../../functions/gateway/http/path.ts";
import { preflightMethod } from "../../functions/gateway/http/preflight.ts";
import { type Segment, segmentWritten } from "../../functions/gateway/routing/match.ts";
import { holdsAll, type Test } from "../../functions/gateway/routing/matchers.ts";
import type { CheckedRoute, CheckedTier } from "../compiler/model/checked.ts";
import { fits } from "../patterns/pattern-overlap.ts";
import { placeOf } from "../review/effective/entries.ts";

export interface Failed {
  readonly condition: "host" | "path" | "method" | "when";
  /** `it takes POST, not GET` */
  readonly says: string;
  /** `routes/wallet.yaml:31` */
  readonly at: string;
}

export interface Miss {
  /** `wallet/transfer` */
  readonly route: string;
  readonly at: string;
  /** Empty where the request fulfils all, and another route takes it. */
  readonly failed: readonly Failed[];
}

/** How many are worth a person's time. */
const most = 3;

/** The routes that a request misses by least, the nearest first; none where it is like none of them. */
export const nearestMisses = (tiers: readonly CheckedTier[], request: Request): Miss[] => {
  const all = tiers
    .flatMap((tier) => tier.routes.map((route) => ({ tier, route, far: farness(tier, route, request) })))
    .filter(({ far }) => far <= farthest)
    .toSorted((a, b) => a.far - b.far || (a.route.name < b.route.name ? -1 : 1));
  return all
    .filter(({ far }) => far <= (all[0]?.far ?? 0) + alike)
    .slice(0, most)
    .map(({ tier, route }) => missOf(tier, route, request));
};

export const missOf = (tier: CheckedTier, route: CheckedRoute, request: Request): Miss => {
  const { source, manifest } = tier;
  const at = ["routes", route.name];
  const match = placeOf(source, [...at, "match"]);
  const path = pathFault(route, request);
  return {
    route: `${manifest.tier}/${route.name}`,
    at: match,
    failed: [
      ...hostFault(tier, request),
      ...(path === undefined ? [] : [{ condition: "path" as const, says: path, at: match }]),
      ...(takes(route, request)
        ? []
        : [
            {
              condition: "method" as const,
              says: `it takes ${route.methods.join(", ")}, not ${methodOf(request)}`,
              at: match,
            },
          ]),
      ...unmet(route.when, request).map(
        (test): Failed => ({
          condition: "when",
          says: `${saysOf(test)} does not hold`,
          at: placeOf(source, [...at, "when", ...pathOf(test)]),
        }),
      ),
    ],
  };
};

const hostFault = ({ source, manifest }: CheckedTier, request: Request): Failed[] => {
  const host = hostOf(new URL(request.url));
  if (isServed(manifest.hosts, host)) return [];
  const says = `it is served on ${manifest.hosts.join(", ")}, not on ${host}`;
  return [{ condition: "host", says, at: placeOf(source, ["hosts"]) }];
};

const isServed = (hosts: readonly string[], host: string): boolean =>
  hostFinder(hosts.map((it) => [it, true]))(host) === true;

const methodOf = (request: Request): string => preflightMethod(request) ?? request.method;

const takes = ({ methods }: CheckedRoute, request: Request): boolean => {
  const method = methodOf(request);
  return methods.includes(method) || methods.includes("ANY") || (method === "HEAD" && methods.includes("GET"));
};

/** Those of a filter's or a route's conditions that a request does not fulfil. */
export const unmet = (tests: readonly Test[], request: Request): Test[] =>
  tests.filter((test) => !holdsAll([test])(request, new URL(request.url)));

/** `header x-beta: present` */
export const saysOf = ([on, name, is, value]: Test): string => {
  const subject = name === "" ? on : `${on} ${name}`;
  if (value === "") return `${subject} ${is}`;
  return `${subject} ${is === "exact" ? "is" : is} ${JSON.stringify(value)}`;
};

/** Where a condition stands beneath its `when`. */
export const pathOf = ([on, name]: Test): string[] => (name === "" ? [on] : [on, name]);

const textsOf = (request: Request): string[] | undefined => {
  const path = canonicalPath(new URL(request.url).pathname, "keep");
  if (path === undefined) return undefined;
  return path === "/" ? [] : path.slice(1).split("/");
};

/** The first segment that does not fit, or undefined where the path does. */
const pathFault = ({ segments, settings }: CheckedRoute, request: Request): string | undefined => {
  const texts = textsOf(request);
  if (texts === undefined) return "the path means different things to different servers, so no route takes it";
  if (texts.some(hasEncodedSlash) && settings["encoded-slashes"] === "refuse")
    return "the path has an encoded slash (%2F), which a route takes that says encoded-slashes: keep";
  for (const [index, segment] of segments.entries()) {
    const text = texts[index];
    if (segment.kind === "rest" && (text !== undefined || segment.optional)) return undefined;
    const wanted = segmentWritten(segment);
    if (text === undefined)
      return wanted === "" ? "the path has no slash at its end" : `the path ends ahead of /${wanted}`;
    if (!fits(segment, text)) return `segment ${index + 1} is ${JSON.stringify(text)}, ${unlikeSays(segment, wanted)}`;
  }
  const rest = texts.slice(segments.length);
  if (rest.length === 1 && rest[0] === "") return "the path has a slash at its end, which makes another path";
  return rest.length === 0 ? undefined : `the path goes on with /${rest.join("/")}`;
};

const unlikeSays = ({ kind }: Segment, wanted: string): string => {
  if (wanted === "") return "where the path should end";
  return kind === "literal" ? `not ${wanted}` : `which does not fit ${wanted}`;
};

/** In segments of the path; other conditions count for less, another host for more. */
const farthest = 2;
/** What is further away than the nearest one by more than this is something else. */
const alike = 0.5;

const farness = (tier: CheckedTier, route: CheckedRoute, request: Request): number => {
  const host = isServed(tier.manifest.hosts, hostOf(new URL(request.url))) ? 0 : 1;
  const method = takes(route, request) ? 0 : 0.3;
  return (
    host +
    method +
    0.2 * unmet(route.when, request).length +
    pathFarness(route.segments, textsOf(request) ?? guessed(request))
  );
};

/** What a path that means several things may have been meant for. */
const guessed = (request: Request): string[] =>
  new URL(request.url).pathname
    .replaceAll(/%(?:25)*2f|%(?:25)*5c|;/gi, "/")
    .split("/")
    .filter((it) => it !== "");

/** A segment that is missing is nearer than one that is another word. */
const gap = 0.8;

/** As few segments changed, left out or put in as it takes (Levenshtein); a misspelt one is not all another. */
const pathFarness = (segments: readonly Segment[], texts: readonly string[]): number => {
  let row = [0, ...texts.map((_, index) => gap * (index + 1))];
  for (const [index, segment] of segments.entries()) {
    const before = row;
    row = [gap * (index + 1)];
    for (const [at, text] of texts.entries()) {
      const kept = (before[at] ?? 0) + unlike(segment, text);
      // The rest of a path has as many segments as it likes.
      const more = (row[at] ?? 0) + (segment.kind === "rest" ? 0 : gap);
      row.push(Math.min(kept, (before[at + 1] ?? 0) + gap, more));
    }
  }
  return row.at(-1) ?? 0;
};

/** From 0, it fits, to 1, nothing of it is the same. */
const unlike = (segment: Segment, text: string): number => {
  if (fits(segment, text)) return 0;
  if (segment.kind !== "literal") return 0.6;
  return distance(segment.text, text) / Math.max(segment.text.length, text.length);
};
