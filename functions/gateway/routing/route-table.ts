/**
 * The routes of a gate as a tree of path segments, made when a manifest is compiled, so that a gate only has to index it.
 * Most specific first, whatever the order of the file: a literal beats a segment that mixes text and captures, that one a
 * pattern, a pattern beats a bare capture, a capture beats `/{rest*}`, that one `{/rest*}`, a named method beats ANY, and
 * of one match's routes the one with the lower rank, then the one with more conditions. Of two mixed segments the one with
 * more text comes first, then the one with more patterns.
 */

import type { Cut } from "./mixed-segment.ts";
import { capturesIn, type Segment, segmentsOf } from "./match.ts";
import type { Test } from "./matchers.ts";

/** Plain JSON. Lists, since a client's text is looked up in what is made of them, and objects have names of their own. */
export interface Table {
  readonly literals?: readonly (readonly [text: string, Table])[];
  /** Segments that mix text and captures, and what follows, the most specific first. */
  readonly mixed?: readonly (readonly [Cut, Table])[];
  /** Pattern and what follows, patterned ones first; the bare capture's pattern is empty. */
  readonly captures?: readonly (readonly [pattern: string, Table])[];
  readonly ends?: Ends;
  /** What ends in `/{rest*}` here. */
  readonly rest?: Ends;
  /** What ends in `{/rest*}` here. */
  readonly tail?: Ends;
}

/** By method, the best first. */
export type Ends = readonly (readonly [method: string, readonly Candidate[]])[];

export interface Candidate {
  /** What the caller of the router is told: an index, or a name. */
  readonly route: string;
  /** Of the captures, from left to right. */
  readonly names: readonly string[];
  readonly when?: readonly Test[];
  /** What it was sorted by; a gate has no use for it, who compares two plans does. */
  readonly rank?: number;
}

export interface Entry {
  readonly route: string;
  readonly methods: readonly string[];
  /** Whole: with the tier's base. */
  readonly path: string;
  readonly when?: readonly Test[];
  /** Those without one come last. */
  readonly rank?: number;
}

interface Node {
  readonly literals: Map<string, Node>;
  /** By the text of their cut. */
  readonly mixed: Map<string, Node>;
  readonly captures: Map<string, Node>;
  readonly ends: Map<string, Candidate[]>;
  readonly rest: Map<string, Candidate[]>;
  readonly tail: Map<string, Candidate[]>;
}

const node = (): Node => ({
  literals: new Map(),
  mixed: new Map(),
  captures: new Map(),
  ends: new Map(),
  rest: new Map(),
  tail: new Map(),
});

/** @throws SyntaxError where a path is none */
export const tableOf = (entries: readonly Entry[]): Table => {
  const root = node();
  for (const entry of entries) {
    const segments = segmentsOf(entry.path);
    let at = root;
    for (const segment of segments) {
      if (segment.kind === "rest") break;
      at = beneath(at, segment);
    }
    const last = segments.at(-1);
    const ends = last?.kind !== "rest" ? at.ends : last.optional ? at.tail : at.rest;
    const { route, when, rank } = entry;
    const candidate: Candidate = {
      route,
      names: capturesIn(segments),
      ...(when?.length && { when }),
      ...(rank !== undefined && { rank }),
    };
    for (const method of entry.methods) ends.set(method, [...(ends.get(method) ?? []), candidate]);
  }
  return settled(root);
};

const beneath = (at: Node, segment: Exclude<Segment, { readonly kind: "rest" }>): Node => {
  if (segment.kind === "literal") return childOf(at.literals, segment.text);
  if (segment.kind === "mixed") return childOf(at.mixed, JSON.stringify(segment.cut));
  return childOf(at.captures, segment.pattern ?? "");
};

const childOf = (children: Map<string, Node>, key: string): Node => {
  const child = children.get(key) ?? node();
  children.set(key, child);
  return child;
};

const settled = ({ literals, mixed, captures, ends, rest, tail }: Node): Table => ({
  ...(literals.size > 0 && { literals: byKey(literals).map(([text, child]) => [text, settled(child)] as const) }),
  ...(mixed.size > 0 && {
    mixed: byKey(mixed)
      .map(([text, child]) => [JSON.parse(text) as Cut, settled(child)] as const)
      .toSorted(([a], [b]) => moreSpecific(a, b)),
  }),
  ...(captures.size > 0 && {
    captures: byKey(captures)
      .toSorted(([a], [b]) => Number(a === "") - Number(b === ""))
      .map(([pattern, child]) => [pattern, settled(child)] as const),
  }),
  ...(ends.size > 0 && { ends: best(ends) }),
  ...(rest.size > 0 && { rest: best(rest) }),
  ...(tail.size > 0 && { tail: best(tail) }),
});

/** In how many characters, and how many patterns, a segment that mixes text and captures says what it takes. */
export const specificity = ({ texts, patterns }: Cut): readonly [characters: number, patterns: number] => [
  texts.join("").length,
  patterns.filter((it) => it !== "").length,
];

const moreSpecific = (a: Cut, b: Cut): number => {
  const [[textA, patternsA], [textB, patternsB]] = [specificity(a), specificity(b)];
  return textB - textA || patternsB - patternsA;
};

const best = (ends: ReadonlyMap<string, readonly Candidate[]>): Ends =>
  byKey(ends).map(([method, candidates]) => [method, candidates.toSorted(better)]);

const better = (a: Candidate, b: Candidate): number => {
  const [left, right] = [a.rank ?? Number.POSITIVE_INFINITY, b.rank ?? Number.POSITIVE_INFINITY];
  if (left !== right) return left < right ? -1 : 1;
  const more = (b.when?.length ?? 0) - (a.when?.length ?? 0);
  return more || (a.route < b.route ? -1 : a.route > b.route ? 1 : 0);
};

const byKey = <T>(map: ReadonlyMap<string, T>): [string, T][] =>
  [...map].toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
