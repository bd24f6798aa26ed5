/**
 * Builds the route table: a tree of path segments, made by the compiler, so that a gate only has to index it. Most
 * specific first, whatever the order of the file: a literal before a mixed segment, then a pattern, a bare capture,
 * `/{rest*}`, and `{/rest*}`; a named method before ANY; among routes with the same match the lower rank, then more
 * conditions. Of two mixed segments the one with more text comes first, then the one with more patterns.
 */

import { capturesIn, type PathSegment, parsePath } from "./match.ts";
import type { Matcher } from "./matchers.ts";
import type { SegmentTemplate } from "./mixed-segment.ts";

/** Plain JSON. Lists instead of objects, since clients' texts are looked up and objects have inherited names. */
export interface RouteTable {
  readonly literals?: readonly (readonly [text: string, RouteTable])[];
  /** Mixed segments and what follows, most specific first. */
  readonly mixed?: readonly (readonly [SegmentTemplate, RouteTable])[];
  /** Captures by pattern and what follows, those with a pattern first; the pattern of a bare capture is empty. */
  readonly captures?: readonly (readonly [pattern: string, RouteTable])[];
  readonly ends?: MethodCandidates;
  /** Routes that end in `/{rest*}` here. */
  readonly rest?: MethodCandidates;
  /** Routes that end in `{/rest*}` here. */
  readonly tail?: MethodCandidates;
}

/** Candidates by method, best first. */
export type MethodCandidates = readonly (readonly [method: string, readonly RouteCandidate[]])[];

export interface RouteCandidate {
  /** The route's name. */
  readonly route: string;
  /** Names of the captures, left to right. */
  readonly names: readonly string[];
  readonly when?: readonly Matcher[];
  /** The rank that it was sorted by. Not used by gates, only for comparing plans. */
  readonly rank?: number;
}

export interface RouteEntry {
  readonly route: string;
  readonly methods: readonly string[];
  /** The complete path, with the tier's base. */
  readonly path: string;
  readonly when?: readonly Matcher[];
  /** Routes without a rank come last. */
  readonly rank?: number;
}

interface Node {
  readonly literals: Map<string, Node>;
  /** By the serialized segment. */
  readonly mixed: Map<string, Node>;
  readonly captures: Map<string, Node>;
  readonly ends: Map<string, RouteCandidate[]>;
  readonly rest: Map<string, RouteCandidate[]>;
  readonly tail: Map<string, RouteCandidate[]>;
}

const node = (): Node => ({
  literals: new Map(),
  mixed: new Map(),
  captures: new Map(),
  ends: new Map(),
  rest: new Map(),
  tail: new Map(),
});

/** @throws SyntaxError for an invalid path */
export const buildRouteTable = (entries: readonly RouteEntry[]): RouteTable => {
  const root = node();
  for (const entry of entries) {
    const segments = parsePath(entry.path);
    let at = root;
    for (const segment of segments) {
      if (segment.kind === "rest") break;
      at = childFor(at, segment);
    }
    const last = segments.at(-1);
    const ends = last?.kind !== "rest" ? at.ends : last.optional ? at.tail : at.rest;
    const { route, when, rank } = entry;
    const candidate: RouteCandidate = {
      route,
      names: capturesIn(segments),
      ...(when?.length && { when }),
      ...(rank !== undefined && { rank }),
    };
    for (const method of entry.methods) ends.set(method, [...(ends.get(method) ?? []), candidate]);
  }
  return toTable(root);
};

const childFor = (at: Node, segment: Exclude<PathSegment, { readonly kind: "rest" }>): Node => {
  if (segment.kind === "literal") return childOf(at.literals, segment.text);
  if (segment.kind === "mixed") return childOf(at.mixed, JSON.stringify(segment.template));
  return childOf(at.captures, segment.pattern ?? "");
};

const childOf = (children: Map<string, Node>, key: string): Node => {
  const child = children.get(key) ?? node();
  children.set(key, child);
  return child;
};

const toTable = ({ literals, mixed, captures, ends, rest, tail }: Node): RouteTable => ({
  ...(literals.size > 0 && { literals: byKey(literals).map(([text, child]) => [text, toTable(child)] as const) }),
  ...(mixed.size > 0 && {
    mixed: byKey(mixed)
      .map(([text, child]) => [JSON.parse(text) as SegmentTemplate, toTable(child)] as const)
      .toSorted(([a], [b]) => compareSpecificity(a, b)),
  }),
  ...(captures.size > 0 && {
    captures: byKey(captures)
      .toSorted(([a], [b]) => Number(a === "") - Number(b === ""))
      .map(([pattern, child]) => [pattern, toTable(child)] as const),
  }),
  ...(ends.size > 0 && { ends: sortedCandidates(ends) }),
  ...(rest.size > 0 && { rest: sortedCandidates(rest) }),
  ...(tail.size > 0 && { tail: sortedCandidates(tail) }),
});

/** How specific a mixed segment is: its number of literal characters and of patterns. */
export const specificity = ({ texts, patterns }: SegmentTemplate): readonly [characters: number, patterns: number] => [
  texts.join("").length,
  patterns.filter((it) => it !== "").length,
];

const compareSpecificity = (a: SegmentTemplate, b: SegmentTemplate): number => {
  const [[textA, patternsA], [textB, patternsB]] = [specificity(a), specificity(b)];
  return textB - textA || patternsB - patternsA;
};

const sortedCandidates = (ends: ReadonlyMap<string, readonly RouteCandidate[]>): MethodCandidates =>
  byKey(ends).map(([method, candidates]) => [method, candidates.toSorted(compareCandidates)]);

const compareCandidates = (a: RouteCandidate, b: RouteCandidate): number => {
  const [left, right] = [a.rank ?? Number.POSITIVE_INFINITY, b.rank ?? Number.POSITIVE_INFINITY];
  if (left !== right) return left < right ? -1 : 1;
  const more = (b.when?.length ?? 0) - (a.when?.length ?? 0);
  return more || (a.route < b.route ? -1 : a.route > b.route ? 1 : 0);
};

const byKey = <T>(map: ReadonlyMap<string, T>): [string, T][] =>
  [...map].toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
