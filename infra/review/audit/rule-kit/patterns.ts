/**
 * What a pattern can be made to cost. The language of patterns takes none that could run for ever; what is left is one
 * part without end beside one that may be long, which tries each character as often as the long one is.
 */
import { atom } from "../../../../functions/gateway/routing/patterns.ts";
import { ambiguityOf } from "../../../patterns/ambiguity.ts";
import { buildAutomaton } from "../../../patterns/automaton.ts";
import { parsePattern } from "../../../patterns/syntax.ts";

export interface PatternCost {
  /** How often a character can be tried. */
  readonly tries: number;
  /** A text that makes it so when it is repeated; undefined where neither that nor the contrary could be proven. */
  readonly pump: string | undefined;
}

/** Undefined where each character is tried a few times at most. */
export type PatternCosts = (pattern: string) => PatternCost | undefined;

/** Each pattern is weighed once. */
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

/** Nobody notices less. */
const minTries = 8;

/**
 * The pattern with its longest bounded part opened, since to who sends few characters `{0,99}` is as good as `*`; counts
 * that stay the same are cut short, which changes nothing about how the parts share a text.
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

/** How the opened parts share a text, in counted steps: the outcome is the same on every machine. */
const proveCost = (opened: string, tries: number): PatternCost | undefined => {
  const automaton = buildAutomaton(parsePattern(opened), maxStates);
  const { is, pump } = automaton ? ambiguityOf(automaton) : { is: "unknown" as const, pump: undefined };
  return is === "single" || is === "bounded" ? undefined : { tries, pump };
};

/** More than any pattern of the language has. */
const maxStates = 1000;
