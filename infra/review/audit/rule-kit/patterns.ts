/**
 * The worst-case cost of a pattern. The pattern language excludes exponential backtracking; what remains is one
 * unbounded part beside a long bounded one, which tests each character as often as the bounded part is long.
 */
import { atom } from "../../../../functions/gateway/routing/patterns.ts";
import { ambiguityOf } from "../../../patterns/ambiguity.ts";
import { buildAutomaton } from "../../../patterns/automaton.ts";
import { parsePattern } from "../../../patterns/syntax.ts";

export interface PatternCost {
  /** How often a character can be tested. */
  readonly tries: number;
  /** A text whose repetition causes it; undefined if neither it nor the contrary could be proven. */
  readonly pump: string | undefined;
}

/** Undefined if each character is tested only a few times. */
export type PatternCosts = (pattern: string) => PatternCost | undefined;

/** Cached by pattern. */
export const createPatternCosts = (): PatternCosts => {
  const cache = new Map<string, PatternCost | undefined>();
  return (pattern) => {
    if (cache.has(pattern)) return cache.get(pattern);
    const { tries, opened } = openLongestPart(pattern);
    const cost = tries < minTries ? undefined : proveCost(opened, tries);
    cache.set(pattern, cost);
    return cost;
  };
};

/** Fewer tries are negligible. */
const minTries = 8;

/**
 * The pattern with its bounded parts opened, since for short inputs `{0,99}` equals `*`; fixed counts
 * are shortened, which does not change how the parts split a text.
 */
const openLongestPart = (pattern: string): { readonly tries: number; readonly opened: string } => {
  let tries = 0;
  let hasUnbounded = false;
  const opened = [...pattern.matchAll(new RegExp(atom.source, "g"))].map(([whole, quantifier = ""]) => {
    const one = whole.slice(0, whole.length - quantifier.length);
    hasUnbounded ||= quantifier === "+" || quantifier === "*";
    const [, least, most = least] = /^\{(\d+)(?:,(\d+))?\}$/.exec(quantifier) ?? [];
    if (least === undefined) return whole;
    const from = Math.min(Number(least), 4);
    const extraCount = Number(most) - Number(least);
    if (extraCount < minTries) return `${one}{${from},${from + extraCount}}`;
    tries = Math.max(tries, extraCount + 1);
    return `${one}{${from},}`;
  });
  return { tries: hasUnbounded ? tries : 0, opened: opened.join("") };
};

/** Proves the cost by automaton, with counted steps, so that the result is the same on every machine. */
const proveCost = (opened: string, tries: number): PatternCost | undefined => {
  const automaton = buildAutomaton(parsePattern(opened), maxStates);
  const { is, pump } = automaton ? ambiguityOf(automaton) : { is: "unknown" as const, pump: undefined };
  return is === "single" || is === "bounded" ? undefined : { tries, pump };
};

/** More states than any pattern of the language has. */
const maxStates = 1000;
