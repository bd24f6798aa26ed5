/**
 * What a pattern can be made to cost. The language of patterns takes none that could run for ever; what is left is one
 * part without end beside one that may be long, which tries each character as often as the long one is.
 */
import { atom } from "../../../../functions/gateway/routing/patterns.ts";
import { ambiguityOf } from "../../../patterns/ambiguity.ts";
import { machineOf } from "../../../patterns/automaton.ts";
import { treeOf } from "../../../patterns/syntax.ts";

export interface Weight {
  /** How often a character can be tried. */
  readonly tries: number;
  /** A text that makes it so when it is repeated; undefined where neither that nor the contrary could be proven. */
  readonly pump: string | undefined;
}

/** Undefined where each character is tried a few times at most. */
export type Weigh = (pattern: string) => Weight | undefined;

/** Each pattern is weighed once. */
export const weighing = (): Weigh => {
  const known = new Map<string, Weight | undefined>();
  return (pattern) => {
    if (known.has(pattern)) return known.get(pattern);
    const { tries, opened } = spread(pattern);
    const weight = tries < fewest ? undefined : proven(opened, tries);
    known.set(pattern, weight);
    return weight;
  };
};

/** Nobody notices less. */
const fewest = 8;

/**
 * The pattern with its longest bounded part opened, since to who sends few characters `{0,99}` is as good as `*`; counts
 * that stay the same are cut short, which changes nothing about how the parts share a text.
 */
const spread = (pattern: string): { readonly tries: number; readonly opened: string } => {
  let tries = 0;
  let endless = false;
  const opened = [...pattern.matchAll(new RegExp(atom.source, "g"))].map(([whole, quantifier = ""]) => {
    const one = whole.slice(0, whole.length - quantifier.length);
    endless ||= quantifier === "+" || quantifier === "*";
    const [, least, most = least] = /^\{(\d+)(?:,(\d+))?\}$/.exec(quantifier) ?? [];
    if (least === undefined) return whole;
    const from = Math.min(Number(least), 4);
    const room = Number(most) - Number(least);
    if (room < fewest) return `${one}{${from},${from + room}}`;
    tries = Math.max(tries, room + 1);
    return `${one}{${from},}`;
  });
  return { tries: endless ? tries : 0, opened: opened.join("") };
};

/** How the opened parts share a text, in counted steps: the outcome is the same on every machine. */
const proven = (opened: string, tries: number): Weight | undefined => {
  const machine = machineOf(treeOf(opened), mostCharacters);
  const { is, pump } = machine ? ambiguityOf(machine) : { is: "unknown" as const, pump: undefined };
  return is === "single" || is === "bounded" ? undefined : { tries, pump };
};

/** More than any pattern of the language has. */
const mostCharacters = 1000;
